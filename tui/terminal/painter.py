"""The inline region as escape codes: frames, lines committed above it, resizes, and the way out.

The region is a block of rows that begins wherever the cursor was; lines are committed by writing
them where the region begins and drawing the region again below. Positions are relative throughout,
because nobody knows what the shell wrote above. Invariants: a committed line is written once,
unless it is taken back; the terminal never erases from its own top-left corner (terminals move what
is erased there into their history). No I/O: every method returns what to write. The recipe was
tried in tmux and is told in `docs/decisions/0010-inline-face.md`.
"""

from collections.abc import Sequence

from tui.terminal.ansi_rows import Row

SYNC_BEGIN = "\x1b[?2026h"
SYNC_END = "\x1b[?2026l"
HIDE = "\x1b[?25l"
SHOW = "\x1b[?25h"
WRAP_OFF = "\x1b[?7l"
WRAP_ON = "\x1b[?7h"
ALTERNATE = "\x1b[?1049h"
NORMAL = "\x1b[?1049l"


class Painter:
    """Knows what the terminal shows of the region; `park` keeps the cursor at its top-left."""

    def __init__(self, *, park: bool = False) -> None:
        self._park = park
        self._rows: list[Row] = []
        self._cursor = (0, 0)
        self._commits: list[Row] = []
        self._alternate_rows: list[Row] | None = None
        self._stranded: list[Row] = []
        """Rows of an earlier region that a lower terminal pushed into its history, right above."""
        self._size_behind: tuple[int, int] | None = None
        """Columns and rows the terminal got while its other screen was on."""

    def adopt(self, widths: Sequence[int], cursor: tuple[int, int]) -> None:
        """Somebody else painted these rows and left the cursor there."""
        self._rows = [Row("\x00", width) for width in widths]
        self._cursor = cursor

    @property
    def height(self) -> int:
        return len(self._rows)

    @property
    def is_alternate(self) -> bool:
        return self._alternate_rows is not None

    def commit(self, rows: Sequence[Row]) -> None:
        """Write these above the region with the next frame, each as one line."""
        self._commits += rows

    def frame(self, rows: Sequence[Row], cursor: tuple[int, int] | None) -> str:
        """Show `rows`, cursor on (column, row) or hidden. Empty when nothing changes."""
        if self._alternate_rows is not None:
            return self._alternate_frame(rows, cursor)
        new = list(rows) or [Row("", 0)]
        rest = cursor if cursor is not None else (0, len(new) - 1)
        if self._park:
            rest = (0, 0)
        if not self._commits and len(new) == len(self._rows):
            body = self._changed_rows(new, rest)
        else:
            body = self._whole(new, rest)
        if self._commits:
            self._stranded = []
        self._rows = new
        self._commits = []
        self._cursor = rest
        if not body:
            return ""
        return SYNC_BEGIN + HIDE + body + (SHOW if cursor is not None else "") + SYNC_END

    def enter_alternate(self) -> str:
        """The terminal's other screen, for something that fills it."""
        self._alternate_rows = []
        return ALTERNATE + "\x1b[H\x1b[2J"

    def leave_alternate(self) -> str:
        """Back to the region, which the terminal kept."""
        self._alternate_rows = None
        if self._size_behind is None:
            return NORMAL
        size, self._size_behind = self._size_behind, None
        return NORMAL + self.resized(*size)

    def resized(self, columns: int, rows: int) -> str:
        """Take the region away after the size changed; the next frame draws it again.

        What a lower terminal has pushed into its history is out of reach. When it gets higher and
        takes that back, it stands above the region, and goes with it.
        """
        if self._alternate_rows is not None:
            self._alternate_rows = []
            self._size_behind = columns, rows
            return "\x1b[H\x1b[2J"
        above = [*self._stranded, *self._rows[: self._cursor[1]]]
        up = wrapped_rows(self._stranded, columns) + self._rows_above(columns)
        body = self._forget(up)
        out_of_reach = up - (rows - 1)
        while above and wrapped_rows(above, columns) > out_of_reach:
            above.pop()
        self._stranded = above
        return body

    @property
    def is_plain(self) -> bool:
        """What is committed stands right above the region, all of it."""
        return self._alternate_rows is None and not self._commits and not self._stranded

    def take_back(self, rows: int) -> str:
        """Take so many committed rows away, after the region: each was one row of the terminal,
        and at least one more is above them on the screen."""
        return self._forget(rows) if rows > 0 else ""

    def clear(self) -> str:
        """Take the region away; the cursor ends where it began."""
        return self._forget(self._cursor[1])

    def clear_everything(self) -> str:
        """Blank the screen and the history above it; the region begins at the top."""
        self._forget(0)
        return "\x1b[H\x1b[2J\x1b[3J"

    def last_lines(self, rows: Sequence[Row]) -> str:
        """On leaving: the region goes, what is committed stays, then these lines."""
        text = self.clear() + WRAP_ON
        text += "".join(f"{row.text}\r\n" for row in (*self._commits, *rows))
        self._commits = []
        return text + SHOW

    def _forget(self, up: int) -> str:
        body = _up(up) + _ERASE_REGION if self._rows or up else ""
        self._rows = []
        self._cursor = (0, 0)
        self._stranded = []
        return body

    def _rows_above(self, columns: int) -> int:
        """How far the cursor is below the region's top, now that rows wrap at `columns`."""
        x, y = self._cursor
        if columns <= 0:
            return y
        return wrapped_rows(self._rows[:y], columns) + x // columns

    def _whole(self, new: list[Row], rest: tuple[int, int]) -> str:
        pieces = [_up(self._cursor[1]), "\r"]
        if self._commits:
            pieces.append(_ERASE_REGION)
            pieces.append(WRAP_ON)
            pieces += [f"{row.text}\r\n" for row in self._commits]
        pieces.append(WRAP_OFF)
        last = len(new) - 1
        for number, row in enumerate(new):
            erase = "\x1b[K" if number < last else _ERASE_DOWN if last else _ERASE_REGION
            pieces.append(f"{erase}{row.text}" + ("\r\n" if number < last else ""))
        pieces.append(WRAP_ON)
        pieces.append(_move((None, last), rest))
        return "".join(pieces)

    def _changed_rows(self, new: list[Row], rest: tuple[int, int]) -> str:
        pieces = []
        x: int | None
        x, y = self._cursor
        for number, (before, now) in enumerate(zip(self._rows, new, strict=True)):
            if before == now:
                continue
            pieces.append(_move((x, y), (0, number)))
            pieces.append(f"\x1b[K{now.text}")
            x, y = None, number
        if not pieces and rest == self._cursor:
            return ""
        move = _move((x, y), rest)
        return f"{WRAP_OFF}{''.join(pieces)}{WRAP_ON}{move}" if pieces else move

    def _alternate_frame(self, rows: Sequence[Row], cursor: tuple[int, int] | None) -> str:
        before = self._alternate_rows or []
        pieces = [
            f"\x1b[{number + 1};1H\x1b[K{row.text}"
            for number, row in enumerate(rows)
            if number >= len(before) or before[number] != row
        ]
        if len(rows) < len(before):
            pieces.append(f"\x1b[{len(rows) + 1};1H\x1b[J")
        self._alternate_rows = list(rows)
        if cursor is not None:
            pieces.append(f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H{SHOW}")
        if not pieces:
            return ""
        return SYNC_BEGIN + HIDE + WRAP_OFF + "".join(pieces) + WRAP_ON + SYNC_END


_ERASE_DOWN = "\x1b[J"
_ERASE_REGION = "\x1b[2K\n\r\x1b[J\x1b[1A"
"""From the region's first row, at its left edge: the row itself, then everything below it.

Downwards always by line feeds: a frame still on its way when the terminal gets lower finds rows
missing below, and a cursor movement that stops short there would put the next frame too high.
"""


def wrapped_rows(rows: Sequence[Row], columns: int) -> int:
    """How many rows of the terminal these take when it wraps them at `columns`."""
    return sum(max(1, -(-row.cells // max(1, columns))) for row in rows)


def _up(rows: int) -> str:
    return f"\x1b[{rows}A\r" if rows > 0 else "\r"


def _move(start: tuple[int | None, int], end: tuple[int, int]) -> str:
    """Cursor from `start` to `end`; an unknown column is None."""
    x, y = start
    to_x, to_y = end
    pieces = []
    if to_y < y:
        pieces.append(f"\x1b[{y - to_y}A")
    elif to_y > y:
        pieces.append("\r" + "\n" * (to_y - y))
        x = 0
    if x != to_x:
        pieces.append("\r" + (f"\x1b[{to_x}C" if to_x else ""))
    return "".join(pieces)
