"""Textual's driver for the inline face: the stock one with our painter, keys and resizes.

The app asks it to paint rows and to commit lines; it writes them in one piece on the loop's
thread. A resize stops the painting until the terminal has been quiet for a while, since terminals
tell of their sizes later than they rewrap (see `docs/decisions/0010-inline-face.md`). The
parent's members used here are named in that page; the major version of Textual is pinned.
"""

import asyncio
import io
import os
import signal
from typing import Any

from textual import events
from textual.drivers.linux_inline_driver import LinuxInlineDriver
from textual.geometry import Size

from tui.terminal.ansi_rows import Row
from tui.terminal.first_paint import FirstPaint, HandOver, restore_tty
from tui.terminal.key_reader import KeyReader
from tui.terminal.painter import Painter

QUIET_SECONDS = 0.4
"""tmux tells of the last of a burst of sizes up to 250 ms after it has rewrapped."""


class InlineDriver(KeyReader, LinuxInlineDriver):
    """`first_paint` is set on a subclass by `inline_driver`, before Textual makes the instance."""

    first_paint: FirstPaint
    park_cursor = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = self._terminal = terminal_writer()
        self.painter = Painter(park=self.park_cursor)
        self.farewell: list[Row] = []
        """Lines to leave below the transcript at the end."""
        self._resizing: asyncio.TimerHandle | None = None
        self._stopped = True

    @property
    def can_suspend(self) -> bool:
        return True

    def start_application_mode(self) -> None:
        super().start_application_mode()
        self._stopped = False
        if self.first_paint.tty_before is not None:
            self.attrs_before = self.first_paint.tty_before
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._loop.add_signal_handler(signal.SIGWINCH, self._size_changed)

    def take_over(self) -> HandOver | None:
        """At the first frame: go on from the raw picture. None when that has been done."""
        if self.may_read.is_set():
            return None
        handed_over = self.first_paint.hand_over()
        self.painter.adopt(handed_over.row_widths, handed_over.cursor)
        columns, rows = terminal_size()
        if handed_over.columns and columns != handed_over.columns:
            self._send(self.painter.resized(columns, rows))
        self.early_input = handed_over.waiting
        self.may_read.set()
        return handed_over

    def stop_application_mode(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        self.take_over()
        if self._resizing is not None:
            self._resizing.cancel()
            self._resizing = None
        self._loop.remove_signal_handler(signal.SIGWINCH)
        leave = self.painter.leave_alternate() if self.painter.is_alternate else ""
        self._disable_bracketed_paste()
        self.disable_input()
        self._send(leave + self.painter.last_lines(self.farewell) + "\x1b[<u\x1b[?1004l")
        self.farewell = []
        if self.attrs_before is not None:
            restore_tty(self.attrs_before)
        self.first_paint.forget()

    def can_paint(self, size: Size) -> bool:
        """The terminal stands still and has the size the rows were made for."""
        return self._resizing is None and terminal_size() == (size.width, size.height)

    def paint(self, rows: list[Row], cursor: tuple[int, int] | None) -> None:
        self._send(self.painter.frame(rows, cursor))

    def enter_alternate(self) -> None:
        self._send(self.painter.enter_alternate())

    def leave_alternate(self) -> None:
        self._send(self.painter.leave_alternate())

    def clear_everything(self) -> None:
        self._send(self.painter.clear_everything())

    def flush(self) -> None:
        self._terminal.flush()

    def _get_terminal_size(self) -> tuple[int, int]:
        return terminal_size()

    def _size_changed(self) -> None:
        if self._resizing is not None:
            self._resizing.cancel()
        self._resizing = self._loop.call_later(QUIET_SECONDS, self._size_settled)

    def _size_settled(self) -> None:
        self._resizing = None
        columns, rows = terminal_size()
        self._send(self.painter.resized(columns, rows))
        size = Size(columns, rows)
        self._app.post_message(events.Resize(size, size))

    def _send(self, text: str) -> None:
        if text:
            self.write(text)
            self.flush()


def inline_driver(first_paint: FirstPaint, *, park_cursor: bool = False) -> type[InlineDriver]:
    """A driver class that goes on where the first paint ends."""
    return type(
        "InlineDriver",
        (InlineDriver,),
        {"first_paint": first_paint, "park_cursor": park_cursor},
    )


def terminal_size() -> tuple[int, int]:
    """Columns and rows of the terminal itself; the environment is not asked."""
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        columns, rows = 80, 24
    return columns or 80, rows or 24


def terminal_writer() -> io.TextIOWrapper:
    """Standard output, in UTF-8 whatever the locale; what cannot be encoded becomes a mark."""
    return io.TextIOWrapper(
        open(1, "wb", closefd=False), encoding="utf-8", errors="replace", newline=""
    )
