"""Tables: columns aligned under a ruled head, always within the width.

Columns take what they need; when that is too much, the widest give way and their cells wrap; when
even narrow columns do not fit, each row becomes a record of `heading: value` lines.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
from rich.cells import cell_len
from rich.segment import Segment

from tui.text.palette import Palette
from tui.text.spans import Spans, joined, styled, text_of, width_of
from tui.text.wrap import wrap

Align: TypeAlias = Literal["left", "center", "right"]

GAP = "  "
NARROWEST_COLUMN = 8
"""A column is not squeezed below this (or its longest word, if that is shorter)."""


class Table(msgspec.Struct, frozen=True):
    """Cells are logical lines, not wrapped; every row has as many as there are headings."""

    head: Sequence[Spans]
    rows: Sequence[Sequence[Spans]]
    aligns: Sequence[Align]


def draw_table(table: Table, width: int, palette: Palette, *, fold_long: bool) -> list[Spans]:
    columns = len(table.head)
    if not columns:
        return []
    natural = [_column(table, index, _widest) for index in range(columns)]
    least = [
        min(natural[index], max(3, min(NARROWEST_COLUMN, _column(table, index, _longest_word))))
        for index in range(columns)
    ]
    room = width - len(GAP) * (columns - 1)
    if sum(least) > room:
        return _records(table, width, palette, fold_long=fold_long)
    widths = _shares(natural, least, room)
    lines = _row(styled_cells(table.head, palette), widths, table.aligns)
    lines.append([Segment(GAP.join("─" * cells for cells in widths), palette.rule)])
    wrapped = widths != natural
    for index, row in enumerate(table.rows):
        if wrapped and index:
            lines.append([Segment(GAP.join("┄" * cells for cells in widths), palette.rule)])
        lines += _row(row, widths, table.aligns)
    return lines


def styled_cells(cells: Sequence[Spans], palette: Palette) -> list[Spans]:
    return [styled(cell, palette.table_head) for cell in cells]


def _column(table: Table, index: int, measure: Callable[[Spans], int]) -> int:
    return max(1, *(measure(row[index]) for row in (table.head, *table.rows)))


def _widest(cell: Spans) -> int:
    return width_of(cell)


def _longest_word(cell: Spans) -> int:
    return max((cell_len(word) for word in text_of(cell).split()), default=1)


def _shares(natural: list[int], least: list[int], room: int) -> list[int]:
    """Natural widths, the widest columns cut down evenly until all fit."""
    widths = list(natural)
    while sum(widths) > room:
        over = sum(widths) - room
        tallest = max(
            (index for index in range(len(widths)) if widths[index] > least[index]),
            key=lambda index: widths[index],
        )
        others = [w for i, w in enumerate(widths) if i != tallest and w < widths[tallest]]
        step = widths[tallest] - max([least[tallest], *others])
        widths[tallest] -= max(1, min(over, step, widths[tallest] - least[tallest]))
    return widths


def _row(cells: Sequence[Spans], widths: list[int], aligns: Sequence[Align]) -> list[Spans]:
    columns = [wrap(cell, cells_wide) for cell, cells_wide in zip(cells, widths, strict=True)]
    height = max(len(column) for column in columns)
    lines: list[Spans] = []
    for at in range(height):
        line: Spans = []
        for index, column in enumerate(columns):
            part = column[at] if at < len(column) else []
            if index:
                line.append(Segment(GAP))
            line += _aligned(part, widths[index], aligns[index])
        lines.append(joined(line))
    return lines


def _aligned(part: Spans, width: int, align: Align) -> Spans:
    free = max(0, width - width_of(part))
    before = {"left": 0, "right": free, "center": free // 2}[align]
    return [Segment(" " * before), *part, Segment(" " * (free - before))]


def _records(table: Table, width: int, palette: Palette, *, fold_long: bool) -> list[Spans]:
    """Too narrow for columns: one block of lines per row."""
    lines: list[Spans] = []
    for index, row in enumerate(table.rows):
        if index:
            lines.append([Segment("─" * min(width, NARROWEST_COLUMN), palette.rule)])
        for head, cell in zip(table.head, row, strict=True):
            label = [*styled(head, palette.table_head), Segment(": ")]
            lines += wrap([*label, *cell], width, rest=[Segment("  ")], fold_long=fold_long)
    if not table.rows:
        for head in table.head:
            lines += wrap(styled(head, palette.table_head), width, fold_long=fold_long)
    return lines
