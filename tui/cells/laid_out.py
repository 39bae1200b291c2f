"""What was committed last, and how wide: the part that can be laid out anew in a wider terminal.

The terminal shows each line that is no wider than it as one row, whether or not it rewraps. So the
rows right above the region are known as far up as every line fits, and may be taken back and
committed again. A line that does not fit ends what is known, for good. Knows no terminal.
"""

from collections.abc import Sequence

import msgspec
from textual.strip import Strip

from tui.state.cells import AnyCell

MOST_ROWS = 400
"""More than any screen shows."""


class Mark(msgspec.Struct):
    """Where committing would go on if everything from here on were taken back."""

    cells: int
    """How many settled cells were committed before."""
    last: AnyCell | None
    widths: list[int]


class LaidOut:
    """The latest commits of one transcript, oldest first."""

    def __init__(self) -> None:
        self._marks: list[Mark] = []

    def forget(self) -> None:
        """Something else was written below, or the transcript was replaced."""
        self._marks.clear()

    def begin(self, cells: int, last: AnyCell | None) -> None:
        """What is added from now on can be taken back on its own."""
        if self._marks and not self._marks[-1].widths:
            self._marks.pop()
        self._marks.append(Mark(cells, last, []))
        while sum(len(mark.widths) for mark in self._marks[1:]) > MOST_ROWS:
            del self._marks[0]

    def add(self, lines: Sequence[Strip]) -> None:
        if self._marks:
            self._marks[-1].widths += [line.cell_length for line in lines]

    def fits_in(self, columns: int) -> None:
        """The terminal has, or has had, this width: from wider lines upwards nothing is known."""
        for place in range(len(self._marks) - 1, -1, -1):
            if any(width > columns for width in self._marks[place].widths):
                del self._marks[: place + 1]
                return

    def take_back(self, most_rows: int) -> tuple[Mark, int] | None:
        """The earliest mark within so many rows, and how many rows it is; they are forgotten."""
        rows, place = 0, len(self._marks)
        while place > 0 and rows + len(self._marks[place - 1].widths) <= most_rows:
            place -= 1
            rows += len(self._marks[place].widths)
        if not rows:
            return None
        mark = self._marks[place]
        del self._marks[place:]
        return mark, rows
