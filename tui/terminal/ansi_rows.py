"""Strips of styled text as rows for the terminal: escape codes in, trailing blanks out.

Blanks with a background, an underline or reversed colours are visible and stay.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


class Row(NamedTuple):
    """One row as it is written, and how many cells it takes."""

    text: str
    cells: int


EMPTY = Row("", 0)


def row_of(strip: Strip, colors: ColorSystem | None) -> Row:
    """`strip` as one row."""
    segments = [segment for segment in strip if not segment.control]
    cells = strip.cell_length
    kept = len(segments)
    last = ""
    while kept:
        text, style, _ = segments[kept - 1]
        last = text.rstrip(" ") if _blank_is_invisible(style) else text
        cells -= len(text) - len(last)
        if last:
            break
        kept -= 1
    if not kept:
        return EMPTY
    pieces = [_rendered(segment, colors) for segment in segments[: kept - 1]]
    pieces.append(_rendered(Segment(last, segments[kept - 1].style), colors))
    return Row("".join(pieces), cells)


def rows_of(strips: Iterable[Strip], colors: ColorSystem | None) -> list[Row]:
    return [row_of(strip, colors) for strip in strips]


def _rendered(segment: Segment, colors: ColorSystem | None) -> str:
    text, style, _ = segment
    if style is None:
        return text
    return style.render(text, color_system=colors)


def _blank_is_invisible(style: Style | None) -> bool:
    if style is None:
        return True
    background = style.bgcolor
    return (background is None or background.is_default) and not (
        style.reverse or style.underline or style.strike or style.underline2 or style.overline
    )
