"""Where each character of a text stands when it is wrapped at a width. Pure.

Rows break at blanks where possible; a blank that ends a row stays on it, even past the edge.
"""

from typing import NamedTuple

from rich.cells import cell_len


class Line(NamedTuple):
    """One screen row: text[start:end]; a newline behind it belongs to no row."""

    start: int
    end: int


def lay_out(text: str, width: int) -> list[Line]:
    """The rows of `text`, at least one."""
    width = max(1, width)
    lines: list[Line] = []
    start = 0
    for paragraph in text.split("\n"):
        lines += _wrap(text, start, start + len(paragraph), width)
        start += len(paragraph) + 1
    return lines


def row_of(lines: list[Line], position: int) -> int:
    """The row a cursor at `position` is on; at a soft break that is the later one."""
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].start <= position:
            return number
    return 0


def column_of(text: str, line: Line, position: int) -> int:
    return cell_len(text[line.start : min(position, line.end)])


def position_at(text: str, lines: list[Line], row: int, column: int) -> int:
    """The position in `row` nearest to `column`."""
    line = lines[row]
    last_of_paragraph = row + 1 == len(lines) or lines[row + 1].start > line.end
    end = line.end if last_of_paragraph else max(line.start, line.end - 1)
    used = 0
    for position in range(line.start, end):
        used += cell_len(text[position])
        if used > column:
            return position
    return end


def _wrap(text: str, start: int, end: int, width: int) -> list[Line]:
    if text[start:end].isascii() and end - start <= width:
        return [Line(start, end)]
    lines: list[Line] = []
    used = 0
    line_start = start
    break_after = -1
    position = start
    while position < end:
        character = text[position]
        cells = 1 if character.isascii() else cell_len(character)
        if used + cells > width and not (character == " " and used == width):
            cut = break_after if break_after > line_start else position
            lines.append(Line(line_start, cut))
            line_start = cut
            used = cell_len(text[cut:position])
            break_after = -1
            continue
        used += cells
        position += 1
        if character == " ":
            break_after = position
    lines.append(Line(line_start, end))
    return lines
