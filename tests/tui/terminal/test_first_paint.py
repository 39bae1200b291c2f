"""The first picture: what it shows, that the keys are kept, and that nothing heavy is loaded."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tui.cells.draw import draw, plain
from tui.state.cells import SessionHeaderCell
from tui.terminal.first_paint import FirstPaint, HeaderFacts
from tui.terminal.last_used import last_used, remember
from tui.terminal.opening_picture import footer_text, header_lines, text_cells
from tui.text.palette import TERMINAL

ROOT = Path(__file__).parents[3]

WAITS = """
import sys
from tui.terminal.first_paint import HeaderFacts, start
painted = start(HeaderFacts("1.2.3", "/work/project", sys.argv[1], model="gpt-5.5", effort="high"))
assert "textual" not in sys.modules and "msgspec" not in sys.modules
import os, select
while not os.path.exists(sys.argv[1] + "/go-on"):
    select.select([], [], [], 0.01)
handed_over = painted.hand_over()
painted.close()
print(ascii(tuple(handed_over)))
"""

READS_ON = """
behind = handed_over.waiting
while not behind.endswith(b"more"):
    behind += os.read(0, 64)
print(behind)
painted.close()
"""
"""What is typed at the very end may reach the terminal only after the hand-over."""

BEGINS_LATER = """
import os, select, sys
while not os.path.exists(sys.argv[1] + "/begin"):
    select.select([], [], [], 0.01)
"""


@pytest.mark.parametrize("columns", [24, 40, 60, 80, 120])
@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("folder", ["/work/project", "/a/very/long/path/to/some/deep/folder/src"])
def test_the_header_is_the_one_the_session_shows_later(
    columns: int, demo: bool, folder: str
) -> None:
    painted = header_lines("1.2.3", "gpt-5.5", "high", folder, columns, demo=demo)
    if not painted:
        assert columns < 40
        return
    cell = SessionHeaderCell(
        id="", version="1.2.3", model="gpt-5.5", effort="high", directory=folder, demo=demo
    )
    assert "\n".join(text for text, _ in painted) == plain(draw(cell, columns, TERMINAL))


def test_the_home_folder_is_shown_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert footer_text("m", "low", "/home/me/x") == "m low · ~/x"
    assert footer_text("m", "", "/home/meadow") == "m · /home/meadow"


HOSTILE = "x\x1b]0;title\x07\x1b[31m\x9b2J\u202ey\udcff"


def test_an_escape_code_in_a_name_is_shown_and_does_nothing() -> None:
    header = header_lines("1", HOSTILE, HOSTILE, "/" + HOSTILE, 120)
    assert len({text_cells(text) for text, _ in header}) == 1
    assert all(text.isprintable() for text, _ in header)
    assert all(re.sub(r"\x1b\[\d+m", "", shown) == text for text, shown in header)
    assert "x␛]0;title␇␛[31m�2J�y�" in header[3][0]
    assert footer_text(HOSTILE, HOSTILE, "/" + HOSTILE).isprintable()


def test_a_model_in_a_folder_that_cannot_be_written_down_is_not_remembered(tmp_path: Path) -> None:
    remember(str(tmp_path), HOSTILE, "gpt-5.5", "high")
    assert last_used(str(tmp_path), HOSTILE) == ("", "")


@pytest.mark.pty
def test_a_folder_with_an_escape_code_for_a_name_does_not_reach_the_terminal_raw(
    tmp_path: Path,
) -> None:
    code = WAITS.replace('"/work/project"', repr("/" + HOSTILE))
    with start(tmp_path, columns=90, code=code) as terminal:
        terminal.wait_for("directory: /x␛]0;title")
        assert b"\x1b]0;" not in terminal.output
        assert b"\x1b[31m" not in terminal.output


@pytest.mark.pty
def test_a_control_character_typed_early_is_kept_and_not_echoed(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for("directory: /work/project")
        terminal.type("ab\x9b2Jc")
        terminal.wait_for("› ab")
        (tmp_path / "go-on").touch()
        terminal.wait_for_exit()
        assert "\x9b".encode() not in terminal.output
        assert r"b'\xc2\x9b2Jc'" in terminal.everything().replace("\n", "")


def test_wide_and_combining_characters_are_counted() -> None:
    assert text_cells("漢e\u0301a") == 4


def test_the_model_last_used_here_is_remembered(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert last_used(home, "/a") == ("", "")
    remember(home, "/a", "gpt-5.5", "high")
    remember(home, "/b", "llama", "")
    assert last_used(home, "/a") == ("gpt-5.5", "high")
    assert last_used(home, "/b") == ("llama", "")
    assert last_used(home, "/new") == ("llama", "")
    remember(home, "/a", "gpt-6", "low")
    assert last_used(home, "/a") == ("gpt-6", "low")


def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "last-used-models.tsv").write_bytes(b"\xff\xfe\nx\ty\n")
    assert last_used(str(tmp_path), "/a") == ("", "")


def test_without_a_terminal_nothing_happens(tmp_path: Path) -> None:
    painted = FirstPaint(HeaderFacts("1", "/x", str(tmp_path)))
    handed_over = painted.hand_over()
    assert (handed_over.text, handed_over.waiting, handed_over.row_widths) == ("", b"", ())
    run = subprocess.run(
        [sys.executable, "-c", WAITS, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "TERM": "xterm"}, timeout=60,
        preexec_fn=(tmp_path / "go-on").touch,
    )  # fmt: skip
    assert run.stdout == "('', b'', (), (2, 0), 0)\n", run.stderr


def start(home: Path, columns: int = 60, rows: int = 20, code: str = WAITS) -> Terminal:
    return Terminal(
        [sys.executable, "-c", code, str(home)],
        cwd=ROOT,
        environment={"PATH": os.environ["PATH"], "HOME": "/home/me", "LANG": "C.UTF-8"},
        columns=columns,
        rows=rows,
    )


@pytest.mark.pty
def test_early_keys_are_echoed_edited_and_handed_over(tmp_path: Path) -> None:
    code = WAITS.replace("painted.close()", READS_ON)
    with start(tmp_path, code=code) as terminal:
        terminal.wait_for("directory: /work/project")
        terminal.type("fux")
        terminal.press("backspace", "backspace")
        terminal.type("ix it — 漢")
        terminal.wait_for("› fix it — 漢")
        terminal.type("\rand then more")
        (tmp_path / "go-on").touch()
        terminal.wait_for_exit()
        handed = terminal.everything().replace("\n", "")
        assert r"'fix it \u2014 \u6f22'" in handed
        assert "b'\\rand then more'" in handed


@pytest.mark.pty
def test_what_was_typed_in_the_shell_is_taken_with_its_enters(tmp_path: Path) -> None:
    with start(tmp_path, code=BEGINS_LATER + WAITS) as terminal:
        terminal.type("fix it\nmore")
        (tmp_path / "begin").touch()
        terminal.wait_for("› fix it")
        (tmp_path / "go-on").touch()
        terminal.wait_for_exit()
        assert "b'\\rmore'" in terminal.everything().replace("\n", "")


@pytest.mark.pty
def test_an_emptied_composer_shows_its_placeholder_again(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for("gpt-5.5 high · /work/project")
        before = terminal.screen()
        terminal.type("x")
        terminal.wait_for("› x")
        terminal.press("backspace")
        terminal.wait_for(lambda t: t.screen() == before)


@pytest.mark.pty
def test_a_screen_too_low_for_the_header_has_the_composer(tmp_path: Path) -> None:
    with start(tmp_path, columns=40, rows=8) as terminal:
        terminal.wait_for("gpt-5.5 high")
        assert "directory:" not in terminal.screen()
        terminal.type("hi")
        terminal.wait_for("› hi")


def test_the_first_paint_imports_a_light_part_of_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import tui.terminal.first_paint;"
        "print(*sorted(set(sys.modules) - before))"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded <= set(sys.stdlib_module_names) | {"tui"}
    heavy = {"asyncio", "json", "typing_extensions", "dataclasses", "logging", "inspect", "email"}
    assert loaded.isdisjoint(heavy)
