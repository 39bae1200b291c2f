"""A real pseudo-terminal with a program in it: keys in, screens out.

`Terminal` starts a program, plays the part of a terminal (it answers the questions programs ask of
one) and keeps the picture a person would see, scrollback included. Waits look at the picture after
each chunk the program writes; they are bounded and show the screen when the bound is reached.
Blocking on purpose: used by journeys and by `bench/`.
"""

import os
import re
import select
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import ptyprocess
import pyte

START_SECONDS = 60.0
STEP_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.25
"""Bounds, not expectations: a step that has not happened by then never will."""

_QUESTIONS: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[\?u"), b"\x1b[?0u"),
    (re.compile(rb"\x1b\]10;\?(?:\x07|\x1b\\)"), b"\x1b]10;rgb:dddd/dddd/dddd\x1b\\"),
    (re.compile(rb"\x1b\]11;\?(?:\x07|\x1b\\)"), b"\x1b]11;rgb:1111/1111/1111\x1b\\"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),
)
_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[[0-9;?]*\$[a-z]|\x1bP.*?\x1b\\", re.S
)
_OSC = re.compile(rb"\x1b\].*?(?:\x07|\x1b\\)", re.S)

KEYS = {
    "enter": b"\r",
    "escape": b"\x1b",
    "tab": b"\t",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "backspace": b"\x7f",
    **{f"ctrl+{letter}": bytes([ord(letter) - 96]) for letter in "abcdefghijklmnopqrstuvwxyz"},
}


class Terminal:
    """A program in a pseudo-terminal of `columns` × `rows`. A context manager: leaving kills it."""

    def __init__(
        self,
        argv: list[str],
        *,
        cwd: Path | str,
        environment: Mapping[str, str],
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        self.started_at = time.monotonic()
        self.output = bytearray()
        """Every byte the program wrote."""
        self.first_output_at: float | None = None
        self._screen = pyte.HistoryScreen(columns, rows, history=20_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._half = b""
        self._process = ptyprocess.PtyProcess.spawn(
            argv,
            cwd=str(cwd),
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            dimensions=(rows, columns),
        )
        os.set_blocking(self._process.fd, False)
        self.status: int | None = None
        self.cpu_seconds = 0.0

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def screen(self) -> str:
        """What is visible now, one line a row, trailing blanks trimmed."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def everything(self) -> str:
        """Scrollback and screen, as a person scrolling up would read it."""
        columns = self._screen.columns
        above = (
            "".join(row[column].data for column in range(columns)).rstrip()
            for row in self._screen.history.top
        )
        return "\n".join((*above, self.screen()))

    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, counted from 0."""
        return self._screen.cursor.y, self._screen.cursor.x

    def type(self, text: str) -> None:
        """Send `text` as if typed."""
        self.send(text.encode())

    def press(self, *keys: str) -> None:
        """Send named keys (`enter`, `ctrl+c`, `up` …) or single characters."""
        for key in keys:
            self.send(KEYS.get(key) or key.encode())

    def paste(self, text: str) -> None:
        """Send `text` as a bracketed paste."""
        self.send(b"\x1b[200~" + text.encode() + b"\x1b[201~")

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._process.fd, view) :]
            except BlockingIOError:
                self._read(0.05)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the program gets SIGWINCH."""
        self._screen.resize(rows, columns)
        self._process.setwinsize(rows, columns)

    def wait_for(
        self, wanted: str | Callable[["Terminal"], bool], seconds: float = STEP_SECONDS
    ) -> float:
        """Read until `wanted` is on the screen (or holds); returns the time it was seen."""
        holds = wanted if callable(wanted) else lambda terminal: wanted in terminal.screen()
        deadline = time.monotonic() + seconds
        while True:
            if holds(self):
                return time.monotonic()
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(min(left, LOOK_AGAIN_SECONDS)):
                if holds(self):
                    return time.monotonic()
                why = "the program ended" if left > 0 else f"not within {seconds:g} s"
                raise AssertionError(f"{wanted!r}: {why}; the terminal shows:\n{self.everything()}")

    def wait_for_exit(self, seconds: float = STEP_SECONDS) -> int:
        """Read to the end; returns the exit status (128 + signal when killed by one)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._read(deadline - time.monotonic()):
                return self._reap()
        raise AssertionError(f"still running after {seconds:g} s:\n{self.everything()}")

    def pump(self, seconds: float) -> None:
        """Take in what the program writes, for at most `seconds` or until one chunk came."""
        self._read(max(seconds, 0.0))

    def kill(self) -> None:
        """End the program and everything in its session, at once."""
        if self.status is None:
            for target in (os.killpg, os.kill):
                try:
                    target(self.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            self._reap()
        self._process.fileobj.close()

    def _reap(self) -> int:
        if self.status is None:
            _, status, usage = os.wait4(self.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self.status = code if code >= 0 else 128 - code
            self.cpu_seconds = usage.ru_utime + usage.ru_stime
            self._process.terminated = True
            self._process.closed = True
        return self.status

    def _read(self, seconds: float) -> bool:
        """Take in what the program wrote within `seconds`; False at its end."""
        ready, _, _ = select.select([self._process.fd], [], [], seconds)
        if not ready:
            return True
        try:
            chunk = os.read(self._process.fd, 65536)
        except OSError:
            return False
        if not chunk:
            return False
        if self.first_output_at is None:
            self.first_output_at = time.monotonic()
        self.output += chunk
        self._answer(chunk)
        self._draw(chunk)
        return True

    def _answer(self, chunk: bytes) -> None:
        for question, answer in _QUESTIONS:
            for _ in question.findall(chunk):
                self.send(answer)
        for _ in re.findall(rb"\x1b\[6n", chunk):
            row, column = self.cursor()
            self.send(b"\x1b[%d;%dR" % (row + 1, column + 1))

    def _draw(self, chunk: bytes) -> None:
        data = self._half + chunk
        start = data.rfind(b"\x1b")
        unfinished = start >= 0 and len(data) - start < 64 and not _complete(data[start:])
        self._half = data[start:] if unfinished else b""
        whole = data[: len(data) - len(self._half)]
        self._stream.feed(_OSC.sub(b"", _UNKNOWN_TO_PYTE.sub(b"", whole)))


def _complete(sequence: bytes) -> bool:
    if sequence[1:2] == b"[":
        return re.match(rb"\x1b\[[0-?]*[ -/]*[@-~]", sequence) is not None
    if sequence[1:2] in (b"]", b"P"):
        return sequence.endswith((b"\x07", b"\x1b\\"))
    return len(sequence) > 1
