"""Textual's driver for the inline face: the stock one with our painter, keys and resizes.

The app asks it to paint rows and to commit lines; it writes them in one piece on the loop's
thread. A resize stops the painting until the terminal has been quiet for a while, since terminals
tell of their sizes later than they rewrap (see `docs/decisions/0010-inline-face.md`). A terminal
that has become wider is asked where the cursor is, so that what is on the screen above the region
can be taken back and laid out anew; one that does not answer keeps it as it is. The parent's
members used here are named in that page; the major version of Textual is pinned.
"""

import asyncio
import io
import os
import signal
from typing import TYPE_CHECKING, Any

from textual import events
from textual.drivers.linux_inline_driver import LinuxInlineDriver
from textual.geometry import Size

from tui.terminal.ansi_rows import Row
from tui.terminal.first_paint import FirstPaint, HandOver, restore_tty
from tui.terminal.key_reader import KeyReader
from tui.terminal.painter import Painter

if TYPE_CHECKING:
    from tui.terminal.display import DisplayApp

WHERE_IS_THE_CURSOR = "\x1b[6n"
ANSWER_SECONDS = 0.3
"""For the terminal's answer; over a slow line the text just keeps its width."""
NO_WIDTH = 1 << 16

QUIET_SECONDS = 0.4
"""tmux tells of the last of a burst of sizes up to 250 ms after it has rewrapped."""


class InlineDriver(KeyReader, LinuxInlineDriver):
    """`first_paint` is set on a subclass by `inline_driver`, before Textual makes the instance."""

    _app: "DisplayApp[Any]"
    first_paint: FirstPaint
    park_cursor = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = self._terminal = terminal_writer()
        self.painter = Painter(park=self.park_cursor)
        self.farewell: list[Row] = []
        """Lines to leave below the transcript at the end."""
        self._resizing: asyncio.TimerHandle | None = None
        self._asking: asyncio.TimerHandle | None = None
        """Until when the terminal may say where the cursor is."""
        self._unanswered = 0
        """How often it was asked and has not said."""
        self._narrowest = NO_WIDTH
        """Of the widths since the last frame was painted."""
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
        self._app.keep_all()  # whoever has the terminal meanwhile may write below it
        self._stop_waiting()
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
        if self._resizing is not None or self._asking is not None:
            return False
        return terminal_size() == (size.width, size.height)

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

    def cursor_told(self, row: int) -> None:
        self._loop.call_soon_threadsafe(self._lay_out_anew, row)

    def _size_changed(self) -> None:
        self._stop_waiting()
        self._narrowest = min(self._narrowest, self._app.size.width, terminal_size()[0])
        self._resizing = self._loop.call_later(QUIET_SECONDS, self._size_settled)

    def _size_settled(self) -> None:
        self._resizing = None
        columns, rows = terminal_size()
        self._send(self.painter.resized(columns, rows))
        is_wider = columns > self._app.size.width and self.painter.is_plain
        if is_wider and not self.park_cursor:
            self._asking = self._loop.call_later(ANSWER_SECONDS, self._tell_size)
            self._unanswered += 1
            self._send(WHERE_IS_THE_CURSOR)
        else:
            self._tell_size()

    def _lay_out_anew(self, rows_above: int) -> None:
        """The cursor stands at the region's beginning, below so many rows of the screen."""
        self._unanswered = max(0, self._unanswered - 1)
        if self._asking is None or self._unanswered:
            return  # nobody waits for this, or it is about an earlier size
        narrowest = min(self._narrowest, terminal_size()[0])
        # one row stays: what is erased in the top-left corner goes into the terminal's history
        taken = self._app.take_back(narrowest, rows_above - 1)
        self._send(self.painter.take_back(taken))
        self._tell_size()

    def _tell_size(self) -> None:
        self._stop_waiting()
        size = Size(*terminal_size())
        self._app.narrowed(min(self._narrowest, size.width))
        self._narrowest = NO_WIDTH
        self._app.post_message(events.Resize(size, size))

    def _stop_waiting(self) -> None:
        for timer in (self._resizing, self._asking):
            if timer is not None:
                timer.cancel()
        self._resizing = self._asking = None

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
