"""Small pure parts: pasted pictures, commands while typing, keys, status, changed files."""

from pathlib import Path

import pytest

from tui.commands.slash import COMMANDS, find_command, suggestions
from tui.commands.view import changed_files
from tui.keymap import KEYS, Keymap, overrides_from, textual_key
from tui.state.cells import PatchedFile
from tui.state.model import AppState, Settings
from tui.widgets.composer.attachments import pasted_image
from tui.widgets.drawn import cut_text, elide_middle, neutral
from tui.widgets.panels.status import status_card


def test_the_path_of_a_picture_is_known_however_it_is_pasted(tmp_path: Path) -> None:
    picture = tmp_path / "my shot.png"
    picture.write_bytes(b"x")
    for pasted in (
        str(picture),
        f"'{picture}'",
        f"file://{str(picture).replace(' ', '%20')}",
        str(picture).replace(" ", "\\ "),
        f" {picture}\n",
    ):
        assert pasted_image(pasted) == str(picture)
    assert pasted_image(str(tmp_path / "none.png")) is None
    assert pasted_image(f"{picture}\nand more") is None
    assert pasted_image("text") is None


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("", "model"),
        ("mod", "model"),
        ("perm", "permissions"),
        ("app", "approvals"),
        ("qt", "quit"),
    ],
)
def test_commands_are_found_while_they_are_typed(typed: str, first: str) -> None:
    assert suggestions(COMMANDS, typed)[0].name == first


def test_a_command_typed_in_full_stands_first() -> None:
    assert [one.name for one in suggestions(COMMANDS, "re")][:3] == ["resume", "rename", "review"]
    assert suggestions(COMMANDS, "nonsense") == []
    assert find_command("exit") is find_command("quit")


def test_every_key_has_a_context_and_no_two_actions_share_one_in_it() -> None:
    taken: dict[tuple[str, str], str] = {}
    for name, key in KEYS.items():
        context, _, action = name.partition(".")
        assert context
        assert action
        for one in map(textual_key, key.keys.split()):
            assert (context, one) not in taken, (name, taken.get((context, one)))
            taken[context, one] = name


def test_keys_are_written_as_in_the_configuration() -> None:
    assert textual_key("ctrl-pgup") == "ctrl+pageup"
    assert textual_key("shift-ctrl-x") == "ctrl+shift+x"
    assert textual_key("esc") == "escape"
    assert textual_key("enter") == "enter"


def test_the_user_moves_a_key_and_hears_of_mistakes() -> None:
    changed, complaints = overrides_from(
        {
            "composer": {"submit": "ctrl-enter", "queue": [], "sing": "x"},
            "editor": {"left": ["f1", "ctrl-f"], "up": 3},
        }
    )
    keymap = Keymap(changed)
    assert keymap.action(["composer"], "ctrl+enter") == "submit"
    assert keymap.action(["composer"], "enter") is None
    assert keymap.action(["composer"], "tab") is None
    assert keymap.shown("composer.submit") == "ctrl + enter"
    assert complaints == [
        "tui.keymap.composer.sing: there is no such action",
        "tui.keymap.editor.up: expected a key or a list of keys",
        "tui.keymap.editor.left: ctrl+f is also editor.right",
    ]


def test_the_status_card_leaves_out_what_is_not_known() -> None:
    state = AppState(version="1", home="/home/me", settings=Settings(model="m", cwd="/home/me/x"))
    assert dict(status_card(state, 0).rows) == {
        "Version": "1", "Model": "m", "Folder": "~/x", "Guides": "none",
    }  # fmt: skip


def test_labels_are_cut_and_made_harmless() -> None:
    assert cut_text("漢字漢字", 5) == "漢字…"
    assert elide_middle("/a/long/path/to/file", 9) == "/a/l…file"
    assert neutral("a\x1b[31mb\tc") == "a�[31mb c"


def test_git_output_is_read_file_by_file() -> None:
    text = (
        "diff --git a/one.py b/one.py\nindex 1..2 100644\n--- a/one.py\n+++ b/one.py\n"
        "@@ -1 +1 @@\n-a\n+b\n"
        "diff --git a/old.py b/new.py\nsimilarity index 100%\nrename from old.py\n"
        "rename to new.py\n"
        "diff --git a/added.py b/added.py\nnew file mode 100644\n--- /dev/null\n+++ b/added.py\n"
        "@@ -0,0 +1,2 @@\n+x\n+y\n"
    )
    assert changed_files(text) == (
        PatchedFile(path="one.py", kind="update", diff="@@ -1 +1 @@\n-a\n+b"),
        PatchedFile(path="old.py", kind="update", diff="", move_path="new.py"),
        PatchedFile(path="added.py", kind="add", diff="x\ny"),
    )
