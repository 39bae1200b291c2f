"""The inline face in a real terminal: nothing twice, nothing lost, resizes included.

The first tests play the terminal with pyte, which does not rewrap; the others use tmux, which
does, and are skipped where it is not installed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[3]
LINE = re.compile(r"line (\d{4}) of many")
WAIT_SECONDS = 60.0
QUIET_SECONDS = 1.5
"""Longer than anything that comes again: the bullet of a running turn, a countdown."""
pytestmark = pytest.mark.pty


def environment(home: Path, pause: float = 0.0) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": "/home/me", "LANG": "C.UTF-8",
        "CODEX_HOME": str(home), "PYTHONPATH": str(ROOT), "SCRIPTED_PAUSE": str(pause),
    }  # fmt: skip


def start(home: Path, work: Path, *, columns: int = 80, rows: int = 24) -> Terminal:
    return Terminal(
        [sys.executable, "-m", "tests.tui.scripted"],
        cwd=work, environment=environment(home), columns=columns, rows=rows,
    )  # fmt: skip


def test_every_line_is_in_the_scrollback_once_and_in_order(
    codex_home: Path, workspace: Path
) -> None:
    with start(codex_home, workspace) as terminal:
        terminal.wait_for("gpt-5.5 medium ·")
        terminal.type("lines 200")
        terminal.wait_for("› lines 200")
        terminal.press("enter")
        terminal.type("typed meanwhile")
        terminal.wait_for(lambda t: "line 0199" in t.everything() and "esc to" not in t.screen())
        everything = terminal.everything()
        assert LINE.findall(everything) == [f"{number:04d}" for number in range(200)]
        assert everything.count("› typed meanwhile") == 1
        assert everything.count(">_ ") == 1


def test_keys_before_the_session_is_ready_are_not_lost(codex_home: Path, workspace: Path) -> None:
    with start(codex_home, workspace) as terminal:
        terminal.wait_for("›")
        terminal.type("hello early\rsecond")
        terminal.wait_for("You said: hello early")
        terminal.wait_for("› second")


def test_leaving_gives_the_terminal_back(codex_home: Path, workspace: Path) -> None:
    with start(codex_home, workspace) as terminal:
        terminal.wait_for("gpt-5.5 medium ·")
        terminal.type("hello")
        terminal.press("enter")
        terminal.wait_for(lambda t: "You said: hello" in t.screen() and "esc to" not in t.screen())
        terminal.press("ctrl+c", "ctrl+c")
        assert terminal.wait_for_exit() == 0
        lines = terminal.everything().rstrip().split("\n")
        assert lines[-1] == "To continue this session, run codex resume thread-1"
        assert "gpt-5.5 medium ·" not in terminal.everything()
        for restored in (b"\x1b[?2004l", b"\x1b[?25h", b"\x1b[?1004l", b"\x1b[<u"):
            assert restored in terminal.output


def test_being_ended_from_outside_gives_the_terminal_back(
    codex_home: Path, workspace: Path
) -> None:
    with start(codex_home, workspace) as terminal:
        terminal.wait_for("gpt-5.5 medium ·")
        os.kill(terminal.pid, 15)
        assert terminal.wait_for_exit() == 0
        assert b"\x1b[?2004l" in terminal.output


CRASHES = """
import sys
from tests.tui import scripted
from tui.screens.chat import ChatScreen
def fail(self):
    key = "sk-secret"
    raise RuntimeError("this is a mistake")
ChatScreen.action_cycle_mode = fail
sys.exit(scripted.main())
"""


def test_a_mistake_of_ours_gives_the_terminal_back_and_shows_no_secrets(
    codex_home: Path, workspace: Path
) -> None:
    with Terminal(
        [sys.executable, "-c", CRASHES], cwd=workspace, environment=environment(codex_home)
    ) as terminal:
        terminal.wait_for("gpt-5.5 medium ·")
        terminal.type("hello\r")
        terminal.wait_for(lambda t: "You said: hello" in t.screen() and "esc to" not in t.screen())
        terminal.send(b"\x1b[Z")
        assert terminal.wait_for_exit() == 1
        everything = terminal.everything()
        assert "this is a mistake" in everything
        assert "codex resume thread-1" in everything
        assert "sk-secret" not in everything
        for restored in (b"\x1b[?2004l", b"\x1b[?25h"):
            assert restored in terminal.output


def test_an_idle_session_writes_nothing(codex_home: Path, workspace: Path) -> None:
    with start(codex_home, workspace) as terminal:
        terminal.wait_for("gpt-5.5 medium ·")
        deadline = time.monotonic() + WAIT_SECONDS
        written = -1
        while written != len(terminal.output):  # what it wrote before has been read
            assert time.monotonic() < deadline, bytes(terminal.output[-2000:])
            written = len(terminal.output)
            terminal.pump(QUIET_SECONDS)


class Tmux:
    """A window of tmux with a shell in it, and the session in the shell."""

    def __init__(self, socket: Path, columns: int, rows: int, command: str, work: Path) -> None:
        self._socket = socket
        self._run(
            "-f", "/dev/null", "start-server", ";", "set", "-g", "history-limit", "50000", ";",
            "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(work),
            "env -i PATH=/usr/bin:/bin TERM=screen sh",
        )  # fmt: skip
        self._run("set", "window-size", "manual")
        self.type("PS1='$ '; clear; echo shell-1; echo shell-2\n")
        self.wait(lambda text: text.rstrip().endswith("shell-1\nshell-2\n$"))
        self.type(f"{command}\n")

    def _run(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(self._socket), *words],
            capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        ).stdout  # fmt: skip

    def type(self, text: str) -> None:
        for number, part in enumerate(text.split("\n")):
            if number:
                self._run("send-keys", "Enter")
            if part:
                self._run("send-keys", "-l", part)

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def text(self) -> str:
        return self._run("capture-pane", "-p", "-J", "-S", "-")

    def wait(self, holds: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds(text := self.text):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        return text

    def close(self) -> None:
        self._run("kill-server")


@pytest.fixture
def tmux(codex_home: Path, workspace: Path) -> Iterator[Callable[..., Tmux]]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    opened: list[Tmux] = []
    folder = tempfile.mkdtemp(prefix="tmux")
    """A socket's path must be short."""

    def open_window(columns: int, rows: int, *options: str) -> Tmux:
        settings = " ".join(f"{k}={v}" for k, v in environment(codex_home, 0.004).items())
        command = f"env {settings} {sys.executable} -m tests.tui.scripted {' '.join(options)}"
        window = Tmux(Path(folder) / "s", columns, rows, command, workspace)
        opened.append(window)
        window.wait(lambda text: "gpt-5.5 medium ·" in text)
        return window

    yield open_window
    for window in opened:
        window.close()
    shutil.rmtree(folder)


BURST = [(100, 30), (90, 28), (80, 24), (70, 22), (60, 20), (75, 30), (110, 35), (120, 40)]


DRAFT = "typed text " + 100 * "x"


def draft_fits(text: str, columns: int) -> bool:
    """The draft stands in rows of `columns`: what was painted for another width is gone."""
    longest = max(map(len, re.findall("x+", text)), default=0)
    return longest == 100 if columns > 110 else columns - 8 < longest <= columns


@pytest.mark.parametrize(
    ("sizes", "in_a_burst"),
    [([(80, 24), (140, 30), (60, 20)], False), (BURST, True), ([(40, 10), (120, 40)], False)],
    ids=["step by step", "in a burst", "small and back"],
)
def test_resizing_while_an_answer_streams_loses_and_doubles_nothing(
    tmux: Callable[..., Tmux], sizes: list[tuple[int, int]], in_a_burst: bool
) -> None:
    window = tmux(120, 40)
    window.type("lines 200\n")
    window.wait(lambda text: "line 0003" in text)
    window.type(DRAFT)
    for columns, rows in sizes:
        window.resize(columns, rows)
        if in_a_burst:
            time.sleep(0.04)
        else:
            window.wait(lambda text, columns=columns: draft_fits(text, columns))
    text = window.wait(
        lambda text: "line 0199" in text and "esc to" not in text and "› typed text" in text
    )
    assert LINE.findall(text) == [f"{number:04d}" for number in range(200)], text
    assert text.count("› typed text") == 1
    assert len(re.findall("^  gpt-5.5 medium ·", text, re.MULTILINE)) == 1
    assert re.findall(r"^shell-\d", text, re.MULTILINE) == ["shell-1", "shell-2"]
    window.press("C-u")
    window.press("C-d")
    window.wait(lambda text: text.rstrip().endswith("\n$"))


def test_in_a_wider_window_what_is_on_the_screen_is_laid_out_anew(
    tmux: Callable[..., Tmux],
) -> None:
    window = tmux(60, 20)
    window.type("lines 30\n")
    window.wait(lambda text: "line 0029" in text and "esc to" not in text)
    long = "a message of so many words that sixty columns are too few for it"
    window.type(f"{long}\n")
    window.wait(lambda text: "You said: a message of" in text and "esc to" not in text)
    assert f"› {long}\n" not in window.text
    window.resize(110, 24)
    text = window.wait(lambda text: f"› {long}\n" in text and f"You said: {long}" in text)
    assert LINE.findall(text) == [f"{number:04d}" for number in range(30)], text
    assert text.count("a message of so many") == 2
    assert re.findall(r"^shell-\d", text, re.MULTILINE) == ["shell-1", "shell-2"]


def test_what_the_shell_has_written_below_stays_when_the_window_becomes_wider(
    tmux: Callable[..., Tmux],
) -> None:
    window = tmux(60, 24)
    long = "a message of so many words that sixty columns are too few for it"
    window.type(f"{long}\n")
    window.wait(lambda text: "You said: a message of" in text and "esc to" not in text)
    window.press("C-z")
    window.wait(lambda text: text.rstrip().endswith("$"))
    window.type("echo from-the-shell\n")
    window.wait(lambda text: "\nfrom-the-shell" in text)
    window.type("fg\n")
    window.wait(lambda text: text.count("gpt-5.5 medium ·") == 1)
    window.resize(110, 24)
    window.type("still here")
    text = window.wait(lambda text: "› still here" in text)
    assert text.count("\nfrom-the-shell") == 1
    assert text.count("a message of so many") == 2


def test_a_tall_panel_leaves_nothing_behind_when_the_window_was_small_for_a_while(
    tmux: Callable[..., Tmux],
) -> None:
    window = tmux(80, 24)
    window.type("patch 8\n")
    window.wait(lambda text: "Make this change?" in text and "5. No, and stop" in text)
    before = window.text
    window.resize(40, 10)
    window.wait(lambda text: "y yes  a session  d no  t tell  n stop" in text)
    window.resize(120, 40)
    text = window.wait(lambda text: "instead (t)" in text and "› patch 8" in text)
    assert "y yes  a session" not in text
    for once in ("Make this change?", "1. Yes, change it", "Wants to add", "› patch 8", ">_ "):
        assert text.count(once) == 1, text
    above = before[: before.index("Make this change?")].split("\n")
    for line in filter(None, map(str.strip, above)):
        assert text.count(line) == before.count(line), text


def test_an_overlay_leaves_the_conversation_as_it_was(tmux: Callable[..., Tmux]) -> None:
    window = tmux(80, 24)
    window.type("lines 30\n")
    before = window.wait(
        lambda text: "line 0029" in text and "esc to" not in text and "gpt-5.5 medium ·" in text
    )
    window.press("C-t")
    window.wait(lambda text: "T R A N S C R I P T" in text)
    window.press("q")
    window.wait(lambda text: text == before)


def test_stepping_back_to_the_shell_and_returning_shows_the_session_again(
    tmux: Callable[..., Tmux],
) -> None:
    window = tmux(80, 24)
    window.type("a draft")
    window.wait(lambda text: "› a draft" in text)
    window.press("C-z")
    window.wait(lambda text: text.rstrip().endswith("$"))
    assert "› a draft" not in window.text
    window.type("fg\n")
    window.wait(lambda text: "› a draft" in text and text.count("gpt-5.5 medium ·") == 1)
    window.type(" goes on")
    window.wait(lambda text: "› a draft goes on" in text)


def test_the_full_screen_comes_back_whole_too(tmux: Callable[..., Tmux]) -> None:
    window = tmux(80, 24, "--full")
    window.type("hello\n")
    window.wait(lambda text: "You said: hello" in text)
    window.press("C-z")
    window.wait(lambda text: text.rstrip().endswith("$") and "You said" not in text)
    window.type("fg\n")
    window.wait(lambda text: "You said: hello" in text and "gpt-5.5 medium ·" in text)
    window.press("C-d")
    window.wait(lambda text: "codex resume thread-1" in text and "You said" not in text)
