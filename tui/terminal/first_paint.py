"""Header and composer on the screen before anything heavy is imported.

`start` puts the terminal into raw mode, draws with plain escape codes and lets a thread echo and
edit what is typed while the main thread imports the rest. `hand_over` ends that: Textual's driver
takes over the same rows, the text typed so far, and the keys that need more than an echo (Enter
and everything after it, escape sequences, pastes), which are kept as they came.

Standard library only, and little of it. Draws the same lines as the header cell, the composer and
the footer do later; a test compares them. Model and effort are those last used in this folder,
remembered in a small file. Nothing happens where the terminal is not one.
"""

import _thread
import atexit
import os
import select
import sys
import time
from typing import Any, NamedTuple
from unicodedata import combining

from tui.terminal.last_used import last_used
from tui.terminal.opening_picture import (
    PLACEHOLDERS,
    PROMPT,
    UNKNOWN,
    footer_text,
    header_lines,
    text_cells,
)


class HeaderFacts(NamedTuple):
    """What the opening picture shows. `model` and `effort` as asked for on the command line."""

    version: str
    cwd: str
    codex_home: str
    model: str | None = None
    effort: str | None = None
    demo: bool = False
    full_screen: bool = False


class HandOver(NamedTuple):
    """What the driver needs to go on where the raw painting ends."""

    text: str
    """Typed so far; it belongs into the composer."""
    waiting: bytes
    """Input not echoed yet, to be read before anything else."""
    row_widths: tuple[int, ...]
    """Cells used in each row that was painted, top to bottom."""
    cursor: tuple[int, int]
    """Column and row within the painted rows."""
    columns: int
    """The terminal's width when they were painted."""


def start(facts: HeaderFacts) -> "FirstPaint":
    """Draw and begin to echo. Safe to call anywhere: without a terminal it does nothing."""
    painted = FirstPaint(facts)
    if (
        not os.environ.get("TEXTUAL_DRIVER")
        and os.environ.get("TERM") not in (None, "", "dumb")
        and sys.platform != "win32"
        and os.isatty(0)
        and os.isatty(1)
    ):
        painted._begin()
    return painted


class FirstPaint:
    """The raw picture while it lasts; end it with `hand_over` or `close`, once."""

    def __init__(self, facts: HeaderFacts) -> None:
        self.facts = facts
        model, effort = last_used(facts.codex_home, facts.cwd)
        self.model = facts.model or model or UNKNOWN
        self.effort = facts.effort or ("" if facts.model else effort)
        self.placeholder = PLACEHOLDERS[int(time.time()) % len(PLACEHOLDERS)]
        self._text = ""
        self._undecoded = b""
        self._waiting = b""
        self._rows: tuple[int, ...] = ()
        self._composer_row = 0
        self._columns = 0
        self.tty_before: list[Any] | None = None
        """Terminal attributes to restore at the end; None where nothing was changed."""
        self._wake: tuple[int, int] | None = None
        self._echoing = _thread.allocate_lock()

    def hand_over(self) -> HandOver:
        """Stop echoing; the rows stay on the screen and the terminal stays raw."""
        self._stop()
        return HandOver(
            self._text,
            self._undecoded + self._waiting,
            self._rows,
            (len(PROMPT) + text_cells(self._text), self._composer_row),
            self._columns,
        )

    def close(self) -> None:
        """Take the picture away and give the terminal back as it was; for failures."""
        self._stop()
        if self.tty_before is None:
            return
        if self.facts.full_screen:
            _write("\x1b[?1049l")
        elif self._rows:
            _write(f"\x1b[{self._composer_row}A\r" if self._composer_row else "\r")
            _write("".join("\x1b[2K\n" for _ in self._rows) + f"\x1b[{len(self._rows)}A")
        self._rows = ()
        restore_tty(self.tty_before)
        self.tty_before = None
        atexit.unregister(self.close)

    def forget(self) -> None:
        """The driver restores the terminal from now on."""
        self.tty_before = None
        self._rows = ()
        atexit.unregister(self.close)

    def _begin(self) -> None:
        import termios
        import tty

        try:
            self.tty_before = termios.tcgetattr(0)
            raw = termios.tcgetattr(0)
        except termios.error:
            return
        raw[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[tty.IFLAG] &= ~(
            termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
        )
        raw[tty.CC][termios.VMIN] = 1
        raw[tty.CC][termios.VTIME] = 0
        atexit.register(self.close)
        termios.tcsetattr(0, termios.TCSANOW, raw)
        self._columns, rows = os.get_terminal_size(1)
        typed = _typed_before_raw_mode()
        _erase_echo(typed, self._columns)
        self._draw(rows)
        self._take(typed)
        self._wake = os.pipe()
        self._echoing.acquire()
        _thread.start_new_thread(self._echo, ())

    def _draw(self, rows: int) -> None:
        facts = self.facts
        header = header_lines(
            facts.version, self.model, self.effort, facts.cwd, self._columns, demo=facts.demo
        )
        composer = [(PROMPT, PROMPT + f"\x1b[2m{self._visible_placeholder()}\x1b[0m")]
        footer = footer_text(self.model, self.effort, facts.cwd)[: max(0, self._columns - 3)]
        below = [("", ""), ("  " + footer, f"\x1b[2m  {footer}\x1b[0m")]
        above = [(line, styled) for line, styled in header]
        if facts.full_screen:
            gap = max(1, rows - len(above) - len(composer) - len(below))
            lines = above + [("", "")] * gap + composer + below
            lines = lines[-rows:]
            opening = "\x1b[?1049h\x1b[H\x1b[2J"
        else:
            lines = [*above, ("", ""), *composer, *below]
            if len(lines) >= rows:
                lines = [*composer, *below][: max(1, rows - 1)]
            opening = "\r\x1b[K"
        self._composer_row = next(
            row for row, (text, _) in enumerate(lines) if text.startswith(PROMPT)
        )
        self._rows = tuple(text_cells(text) for text, _ in lines)
        self._rows = (
            *self._rows[: self._composer_row],
            len(PROMPT) + text_cells(self._visible_placeholder()),
            *self._rows[self._composer_row + 1 :],
        )
        up = len(lines) - 1 - self._composer_row
        _write(
            opening
            + "\x1b[?2004h"
            + "\r\n".join(styled for _, styled in lines)
            + (f"\x1b[{up}A" if up else "")
            + f"\r\x1b[{len(PROMPT)}C"
        )

    def _visible_placeholder(self) -> str:
        return self.placeholder[: max(0, self._columns - 4)]

    def _echo(self) -> None:
        assert self._wake is not None
        try:
            while True:
                ready, _, _ = select.select([0, self._wake[0]], [], [])
                if self._wake[0] in ready:
                    return
                typed = os.read(0, 4096)
                if not typed:
                    return
                self._take(typed)
        except OSError:
            return
        finally:
            self._echoing.release()

    def _take(self, typed: bytes) -> None:
        """Echo what is plain text; from the first other key on, keep everything."""
        if self._waiting:
            self._waiting += typed
            return
        data = self._undecoded + typed
        self._undecoded = b""
        before = self._text
        position = 0
        while position < len(data):
            first = data[position]
            if first in (0x7F, 0x08):
                self._text = without_last(self._text)
                position += 1
                continue
            size = _character_bytes(first)
            character = data[position : position + size]
            if first < 0x20 or size == 0 or self._is_full():
                self._waiting = data[position:]
                break
            if len(character) < size:
                self._undecoded = character
                break
            decoded = character.decode("utf-8", "replace")
            if not decoded.isprintable():
                self._waiting = data[position:]
                break
            self._text += decoded
            position += size
        if self._text != before:
            shown = self._text or f"\x1b[2m{self._visible_placeholder()}\x1b[0m"
            back = "" if self._text else f"\r\x1b[{len(PROMPT)}C"
            _write(f"\r\x1b[{len(PROMPT)}C\x1b[K{shown}{back}")
            used = len(PROMPT) + text_cells(self._text or self._visible_placeholder())
            rows = list(self._rows)
            rows[self._composer_row] = used
            self._rows = tuple(rows)

    def _is_full(self) -> bool:
        return text_cells(self._text) >= self._columns - len(PROMPT) - 3

    def _stop(self) -> None:
        if self._wake is None:
            return
        os.write(self._wake[1], b"x")
        self._echoing.acquire()
        for end in self._wake:
            os.close(end)
        self._wake = None


def _typed_before_raw_mode() -> bytes:
    """What was typed before this program listened, with Enter as raw mode would give it."""
    ready, _, _ = select.select([0], [], [], 0)
    return os.read(0, 4096).replace(b"\n", b"\r") if ready else b""


def _erase_echo(typed: bytes, columns: int) -> None:
    """Take back the terminal's own echo of `typed`, which stands where the picture begins."""
    lines = typed.decode("utf-8", "replace").split("\r")
    up = sum(1 + text_cells(line) // columns for line in lines[:-1])
    up += text_cells(lines[-1]) // columns
    if typed:
        _write("\r\x1b[2K" + "\x1b[1A\x1b[2K" * up)


def without_last(text: str) -> str:
    """`text` without its last visible character and what combines with it."""
    while text and combining(text[-1]):
        text = text[:-1]
    return text[:-1]


def restore_tty(attributes: list[Any]) -> None:
    """Give the terminal its attributes back, pastes unbracketed, cursor visible."""
    import termios

    _write("\x1b[?2004l\x1b[?25h")
    try:
        termios.tcsetattr(0, termios.TCSANOW, attributes)
    except termios.error:
        pass


def _character_bytes(first: int) -> int:
    """How many bytes a character takes that begins with this one; 0 where none can."""
    if first < 0x80:
        return 1
    if 0xC2 <= first < 0xE0:
        return 2
    if 0xE0 <= first < 0xF0:
        return 3
    return 4 if 0xF0 <= first < 0xF5 else 0


def _write(text: str) -> None:
    data = text.encode()
    while data:
        try:
            data = data[os.write(1, data) :]
        except OSError:
            return
