"""What every drawing needs to know, and the few shapes all cells share.

A titled cell is a bullet and a title that hangs by two cells; what belongs to it stands below, the
first line behind `└`.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec
from rich.segment import Segment
from rich.style import Style

from tui.text.palette import Palette
from tui.text.sanitize import clean, clean_line
from tui.text.spans import Spans, joined, styled, width_of
from tui.text.wrap import fold, wrap

Mode: TypeAlias = Literal["brief", "full", "title"]
"""As in the conversation; everything, as in the transcript overlay; the first line only."""

BULLET = "• "
HANG = "  "
CORNER = "  └ "
UNDER = "    "
MORE = "(ctrl + t to view transcript)"


class Canvas(msgspec.Struct, frozen=True, kw_only=True):
    """Where a cell is drawn. `width` is in cells, `now` in Unix seconds."""

    width: int
    palette: Palette
    mode: Mode = "brief"
    fold_long: bool = True
    now: float | None = None

    def titled(
        self, title: Sequence[Segment], *, bullet: str = BULLET, style: Style | None = None
    ) -> list[Spans]:
        """A bullet and a title, wrapped."""
        return wrap(
            title,
            self.width,
            first=[Segment(bullet, style)],
            rest=[Segment(" " * width_of([Segment(bullet)]))],
            fold_long=self.fold_long,
        )

    def under(self, lines: Iterable[Spans], *, words: bool = True) -> list[Spans]:
        """Logical lines below a title, behind `└`."""
        drawn: list[Spans] = []
        for line in lines:
            lead = [Segment(UNDER if drawn else CORNER, self.palette.dim)]
            hang = [Segment(UNDER)]
            make = wrap if words else fold
            drawn += make(line, self.width, first=lead, rest=hang, fold_long=self.fold_long)
        return drawn

    def text_under(self, text: str, style: Style | None = None) -> list[Spans]:
        """Plain text below a title."""
        return self.under([Segment(row, style)] for row in _rows(text))

    def indented(self, lines: Iterable[Spans], indent: str = HANG) -> list[Spans]:
        """Lines that are drawn already, moved to the right."""
        return [joined([Segment(indent), *line]) if line else [] for line in lines]

    def paragraph(
        self, text: str, style: Style | None = None, *, first: str = HANG, rest: str = HANG
    ) -> list[Spans]:
        """Plain text of several lines, wrapped and hanging."""
        lines: list[Spans] = []
        for row in _rows(text):
            lines += wrap(
                [Segment(row, style)],
                self.width,
                first=[Segment(rest if lines else first, style)],
                rest=[Segment(rest)],
                fold_long=self.fold_long,
            )
        return lines

    def capped(self, lines: list[Spans], most: int, *, head: int, tail: int) -> list[Spans]:
        """At most `most` lines; of more, the first and the last with a count between."""
        if self.mode == "full" or len(lines) <= most:
            return lines
        left_out = len(lines) - head - tail
        mark = [Segment(f"{UNDER}… +{left_out} lines {MORE}", self.palette.dim)]
        return [*lines[:head], *wrap(mark, self.width), *lines[len(lines) - tail :]]


def words(text: str, style: Style | None = None) -> Segment:
    """A run of text made safe for one line."""
    return Segment(clean_line(text), style)


def first_lines(text: str, count: int) -> str:
    """The first lines of a text, a cut marked."""
    rows = text.strip().split("\n")
    kept = "\n".join(rows[:count])
    return kept + " …" if len(rows) > count else kept


def tinted(lines: list[Spans], width: int, style: Style) -> list[Spans]:
    """Lines on a coloured block as wide as the screen; unchanged for a null style."""
    if style == Style.null():
        return lines
    blank = [Segment(" " * width, style)]
    rows = [styled([*line, Segment(" " * max(0, width - width_of(line)))], style) for line in lines]
    return [blank, *rows, blank]


def duration(milliseconds: int | float) -> str:
    """As short as it is exact enough: 243ms, 1.2s, 35s, 2m 05s, 1h 02m."""
    if milliseconds < 1000:
        return f"{int(milliseconds)}ms"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def _rows(text: str) -> list[str]:
    rows = clean(text).split("\n")
    while len(rows) > 1 and not rows[-1]:
        rows.pop()
    return rows
