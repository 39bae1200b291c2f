"""Every cell at every width: as recorded, within the width, and never with a control character."""

import msgspec
import pytest

from tests.tui.cells.golden import matches_snapshot
from tests.tui.cells.samples import SAMPLES, command
from tui.cells.draw import Mode, draw, plain
from tui.state.cells import AnyCell, PatchCell, PatchedFile
from tui.text.palette import TERMINAL

NOW = 1_700_000_000.0
MODES: tuple[Mode, ...] = ("brief", "full", "title")

HOSTILE = (
    "\x1b[2J\x1b[31mred\x1b[0m \x07bell \x9b5mC1 \x1b]0;title\x07 \u202eevil\u2066 \x00 \x7f "
    "\t tab\r\nnext\rback \ud800 \U000e0041 \u2028 👩‍👩‍👧 漢字漢字 e\u0301 "
    "https://example.org/\x1b[31m/a-very-long-address-that-does-not-fit-into-any-narrow-column "
)


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_every_cell_looks_as_recorded(width: int, pytestconfig: pytest.Config) -> None:
    shown = [f"## {name}\n{plain(draw(cell, width, TERMINAL))}" for name, cell in SAMPLES.items()]
    matches_snapshot(f"brief-{width}", "\n\n".join(shown), pytestconfig)


def test_the_full_view_looks_as_recorded(pytestconfig: pytest.Config) -> None:
    shown = [
        f"## {name}\n{plain(draw(cell, 80, TERMINAL, 'full'))}" for name, cell in SAMPLES.items()
    ]
    matches_snapshot("full-80", "\n\n".join(shown), pytestconfig)


@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_is_wider_than_the_screen(name: str) -> None:
    for width in (2, 5, 9, 10, 16, 20, 24, 40, 80, 200):
        for mode in MODES:
            for strip in draw(SAMPLES[name], width, TERMINAL, mode, now=NOW):
                assert strip.cell_length <= width, (width, mode, strip.text)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_cell_of_hostile_text_draws_nothing_a_terminal_would_obey(name: str) -> None:
    cell = _poisoned(SAMPLES[name])
    for width in (12, 40, 80):
        for mode in MODES:
            for fold in (True, False):
                for strip in draw(cell, width, TERMINAL, mode, fold=fold):
                    assert _is_harmless(strip.text), (width, mode, strip.text)
                    if fold:
                        assert strip.cell_length <= width, (width, mode, strip.text)


def test_a_drawing_is_kept_for_the_same_cell_and_width() -> None:
    cell = SAMPLES["patch of one file"]
    assert draw(cell, 80, TERMINAL) is draw(cell, 80, TERMINAL)
    assert draw(cell, 81, TERMINAL) is not draw(cell, 80, TERMINAL)


def test_a_running_command_shows_how_long_it_has_run() -> None:
    cell = msgspec.structs.replace(SAMPLES["command running"], started_at=NOW - 65)
    assert plain(draw(cell, 80, TERMINAL, now=NOW)) == "• Running sleep 9 (1m 05s)"
    assert plain(draw(cell, 80, TERMINAL, now=NOW + 1)) == "• Running sleep 9 (1m 06s)"


def test_long_code_and_addresses_stay_whole_when_the_terminal_wraps() -> None:
    url = "https://example.org/" + "x" * 60
    code = "value = " + "1 + " * 30 + "1"
    text = f"See {url} for more.\n\n```python\n{code}\n```\n"
    cell = msgspec.structs.replace(SAMPLES["agent"], text=text, id="unfolded")
    lines = plain(draw(cell, 40, TERMINAL, fold=False)).split("\n")
    assert lines == ["• See", f"  {url}", "  for more.", "", f"  {code}"]
    assert all(len(row) <= 40 for row in plain(draw(cell, 40, TERMINAL)).split("\n"))


def test_a_changed_files_name_and_a_command_show_what_cannot_be_seen_in_them() -> None:
    file = PatchedFile(path="/w/a\u202etxt.py", kind="update", diff="", move_path="/w/b\u200b")
    patch = PatchCell(id="invisible", cwd="/w", files=(file,), status="waiting")
    assert "a⟨U+202E⟩txt.py → b⟨U+200B⟩" in plain(draw(patch, 80, TERMINAL))
    hidden = msgspec.structs.replace(SAMPLES["command running"], command="ls\u2066\rrm")
    for mode in MODES:
        assert "ls⟨U+2066⟩⟨U+000D⟩rm" in plain(draw(hidden, 80, TERMINAL, mode))


def _poisoned(cell: AnyCell) -> AnyCell:
    """The cell with hostile text in every field that holds text from outside."""
    return _poison(cell, top=True)  # type: ignore[return-value]


def _poison(value: object, *, top: bool = False) -> object:
    if isinstance(value, str):
        return HOSTILE + value + HOSTILE
    if isinstance(value, tuple):
        return tuple(_poison(inner) for inner in value)
    if isinstance(value, msgspec.Struct):
        kept = {"id", "status", "kind", "level", "tool", "what", "lasts", "stage", "source"}
        kept |= {"phase", "home", "diff"} if top else {"diff"}
        changed = {
            name: _poison(getattr(value, name))
            for name in value.__struct_fields__
            if name not in kept or (name == "tool" and type(value).__name__ == "ToolCell")
        }
        if "diff" in value.__struct_fields__:
            changed["diff"] = value.diff.replace("\n", HOSTILE.replace("\n", "") + "\n")  # type: ignore[attr-defined]
        return msgspec.structs.replace(value, **changed)
    return value


def _is_harmless(text: str) -> bool:
    return not any(
        ord(char) < 0x20
        or 0x7F <= ord(char) < 0xA0
        or 0x202A <= ord(char) <= 0x202E
        or 0x2066 <= ord(char) <= 0x2069
        or 0xD800 <= ord(char) < 0xE000
        or 0xE0000 <= ord(char) < 0xE0080
        or ord(char) in (0x2028, 0x2029)
        for char in text
    )


def test_a_huge_patch_is_shortened_in_the_conversation_only() -> None:
    file = PatchedFile(path="/w/a.txt", kind="add", diff="line\n" * 1_000)
    cell = PatchCell(id="huge", files=(file,), status="ok", cwd="/w")
    brief = plain(draw(cell, 80, TERMINAL)).split("\n")
    assert brief[0] == "• Added a.txt (+1000 -0)"
    assert brief[-1] == "    … +800 lines (ctrl + t to view transcript)"
    assert len(draw(cell, 80, TERMINAL, "full")) == 1_001


def test_one_endless_line_of_output_is_cut_in_the_middle() -> None:
    text = "start " + "\x1b[31mx\x1b[0m y " * 20_000 + "end"
    cell = command("endless", "make", output=text)
    rows = plain(draw(cell, 80, TERMINAL)).split("\n")
    assert len(rows) == 6
    assert rows[3] == "    … long lines (ctrl + t to view transcript)"
    assert rows[1].startswith("  └ start x y")
    assert rows[-1].endswith("end")
