"""Styled text on its way to the screen: a run of rich segments, and what one does with it.

A `Spans` is one logical line (no line feeds) of clean text. Nothing here decides how things look.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style

from tui.text.sanitize import MARK, clean, clean_line

Spans: TypeAlias = list[Segment]

NOTHING: Spans = []


def span(text: str, style: Style | None = None) -> Segment:
    """One run of text made safe for a single line."""
    return Segment(clean_line(text), style)


def line(*parts: Segment | str) -> Spans:
    """A line from runs; a bare string has no style of its own."""
    return [Segment(clean_line(part)) if isinstance(part, str) else part for part in parts]


def lines_of(text: str, style: Style | None = None) -> list[Spans]:
    """Text of several lines, made safe, in one style; a last empty line is dropped."""
    rows = clean(text).split("\n")
    if len(rows) > 1 and not rows[-1]:
        rows.pop()
    return [[Segment(row, style)] for row in rows]


def width_of(spans: Iterable[Segment]) -> int:
    return sum(cell_len(part.text) for part in spans)


def text_of(spans: Iterable[Segment]) -> str:
    return "".join(part.text for part in spans)


def styled(spans: Iterable[Segment], style: Style) -> Spans:
    """The spans with `style` underneath: what they say themselves wins."""
    return [Segment(part.text, style + part.style if part.style else style) for part in spans]


def cut(spans: Sequence[Segment], start: int, end: int) -> Spans:
    """The characters from `start` to `end`."""
    found: Spans = []
    at = 0
    for part in spans:
        stop = at + len(part.text)
        if stop > start and at < end:
            text = part.text[max(0, start - at) : end - at]
            if text:
                found.append(Segment(text, part.style))
        at = stop
        if at >= end:
            break
    return found


def cuts(spans: Sequence[Segment], ranges: Iterable[tuple[int, int]]) -> Iterator[Spans]:
    """The characters of each range; ranges are in order and do not overlap, so one pass does."""
    index = at = 0
    for start, end in ranges:
        found: Spans = []
        while index < len(spans):
            text, style = spans[index].text, spans[index].style
            stop = at + len(text)
            if stop > start and at < end:
                piece = text[max(0, start - at) : end - at]
                if piece:
                    found.append(Segment(piece, style))
            if stop > end:
                break
            index, at = index + 1, stop
        yield found


def flagged(spans: Spans, style: Style) -> Spans:
    """The spans with the marks of what cannot be seen in `style`."""
    text = text_of(spans)
    if "⟨U+" not in text:
        return spans
    result: Spans = []
    at = 0
    for mark in MARK.finditer(text):
        result += cut(spans, at, mark.start())
        result.append(Segment(mark[0], style))
        at = mark.end()
    return [*result, *cut(spans, at, len(text))]


def joined(spans: Iterable[Segment]) -> Spans:
    """Neighbours of one style as one run, empty runs dropped."""
    result: Spans = []
    for part in spans:
        if not part.text:
            continue
        if result and result[-1].style == part.style:
            result[-1] = Segment(result[-1].text + part.text, part.style)
        else:
            result.append(part)
    return result


def shortened(spans: Sequence[Segment], width: int, mark: str = "…") -> Spans:
    """The spans within `width` cells; a cut is marked at its end."""
    if width_of(spans) <= width:
        return list(spans)
    room = max(0, width - cell_len(mark))
    kept = fitting(text_of(spans), room)
    result = cut(spans, 0, kept)
    return [*result, Segment(mark, result[-1].style if result else None)] if width else []


def fitting(text: str, width: int) -> int:
    """How many characters of `text` fit into `width` cells, whole graphemes only."""
    if text.isascii():
        return min(len(text), max(0, width))
    graphemes, total = split_graphemes(text)
    if total <= width:
        return len(text)
    used = 0
    for start, _end, cells in graphemes:
        if used + cells > width:
            return start
        used += cells
    return len(text)
