"""Diffs as lines: right-aligned numbers, a sign, the text; `⋮` between hunks.

Reads unified diffs as the server sends them, with or without file headers, and whole contents of
added and deleted files. Counts are of lines actually added and removed.
"""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec
from rich.segment import Segment
from rich.style import Style

from tui.text.highlight import LineHighlighter
from tui.text.palette import Palette
from tui.text.sanitize import clean_line, expand_tabs
from tui.text.spans import Spans, styled, width_of
from tui.text.wrap import fold

Sign: TypeAlias = Literal["+", "-", " "]

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class DiffLine(msgspec.Struct, frozen=True):
    sign: Sign
    number: int
    """In the new file; in the old one for a removed line."""
    text: str


Hunk: TypeAlias = list[DiffLine]


def parse_unified(diff: str) -> list[Hunk]:
    """The hunks of one file's unified diff; what stands before the first `@@` is skipped."""
    hunks: list[Hunk] = []
    old = new = old_left = new_left = 0
    for row in _rows(diff):
        start = _HUNK.match(row)
        if start and old_left <= 0 and new_left <= 0:
            old, new = int(start[1]), int(start[3])
            old_left, new_left = int(start[2] or 1), int(start[4] or 1)
            hunks.append([])
            continue
        if not hunks:
            continue
        sign, text = row[:1], row[1:]
        if sign == "+" and new_left > 0:
            hunks[-1].append(DiffLine("+", new, text))
            new, new_left = new + 1, new_left - 1
        elif sign == "-" and old_left > 0:
            hunks[-1].append(DiffLine("-", old, text))
            old, old_left = old + 1, old_left - 1
        elif sign in (" ", "") and old_left > 0 and new_left > 0:
            hunks[-1].append(DiffLine(" ", new, text))
            old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1
    return [hunk for hunk in hunks if hunk]


def whole_file(content: str, sign: Sign) -> list[Hunk]:
    """A file that was added or deleted, as one hunk."""
    rows = list(_rows(content))
    return [[DiffLine(sign, number, row) for number, row in enumerate(rows, 1)]] if rows else []


def counts(hunks: list[Hunk]) -> tuple[int, int]:
    """(added, removed)."""
    signs = [row.sign for hunk in hunks for row in hunk]
    return signs.count("+"), signs.count("-")


def beginning(hunks: list[Hunk], most: int) -> tuple[list[Hunk], int]:
    """The first `most` lines, and how many are left out."""
    kept: list[Hunk] = []
    total = sum(map(len, hunks))
    if total <= most:
        return hunks, 0
    room = most
    for hunk in hunks:
        if room <= 0:
            break
        kept.append(hunk[:room])
        room -= len(hunk)
    return kept, total - most


def draw_hunks(
    hunks: list[Hunk],
    width: int,
    palette: Palette,
    *,
    language: str = "",
    indent: str = "",
    fold_long: bool = True,
) -> list[Spans]:
    """The lines of a diff below an indentation."""
    last = max((row.number for hunk in hunks for row in hunk), default=0)
    digits = len(str(last))
    lines: list[Spans] = []
    for index, hunk in enumerate(hunks):
        if index:
            lines.append([Segment(indent + " " * (digits - 1) + "⋮", palette.line_number)])
        lines += _draw_hunk(hunk, digits, width, palette, language, indent, fold_long=fold_long)
    return lines


def _draw_hunk(
    hunk: Hunk,
    digits: int,
    width: int,
    palette: Palette,
    language: str,
    indent: str,
    *,
    fold_long: bool,
) -> Iterator[Spans]:
    before, after = LineHighlighter(language, palette), LineHighlighter(language, palette)
    tinted = palette.added_row != Style.null() or palette.removed_row != Style.null()
    for row in hunk:
        text = clean_line(expand_tabs(row.text))
        if row.sign == "+":
            base, row_style = palette.added, palette.added_row
        elif row.sign == "-":
            base, row_style = palette.removed, palette.removed_row
        else:
            base, row_style = palette.text, Style.null()
        if tinted and language:
            body = (before if row.sign == "-" else after).line(text)
            if row.sign == " ":
                before.line(text)
        else:
            body = [Segment(text, base or None)]
        number = Segment(f"{indent}{row.number:>{digits}} ", palette.line_number)
        first = [number, Segment(row.sign, base or None)]
        rest = [Segment(" " * width_of(first))]
        for line in fold(body, width, first=first, rest=rest, fold_long=fold_long):
            if row_style == Style.null():
                yield line
                continue
            blank = " " * max(0, width - width_of(line))
            yield [*line[:0], *styled([*line, Segment(blank)], row_style)]


def _rows(text: str) -> list[str]:
    rows = text.replace("\r\n", "\n").split("\n")
    if rows and not rows[-1]:
        rows.pop()
    return rows
