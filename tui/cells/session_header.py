"""The opening card, and other cards of labelled lines such as /status.

A card is as wide as its content and never wider than the screen: long values wrap in their column.
"""

from rich.segment import Segment

from tui.cells.canvas import Canvas, words
from tui.state.cells import CardCell, SessionHeaderCell
from tui.state.select import short_directory
from tui.text.sanitize import clean, clean_line
from tui.text.spans import Spans, shortened, width_of
from tui.text.wrap import wrap

NARROWEST_BOX = 24
"""Below this a card is drawn without a frame."""
NARROWEST_VALUE = 12


def draw_session_header(cell: SessionHeaderCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    name: Spans = [
        Segment(">_ ", palette.dim),
        Segment("Codex in Python", palette.strong),
        words(f" (v{cell.version})", palette.dim),
    ]
    model = f"{cell.model} {cell.effort}" if cell.effort else cell.model
    inner = canvas.width - 4 if canvas.width >= NARROWEST_BOX else canvas.width
    directory = short_directory(cell.directory, cell.home)
    rows: list[Spans] = [shortened(name, inner), []]
    model_row = [Segment("model:     ", palette.dim), words(model)]
    hint = [Segment("   /model", palette.accent), Segment(" to change", palette.dim)]
    roomy = width_of([*model_row, *hint]) <= inner
    rows.append(shortened([*model_row, *hint] if roomy else model_row, inner))
    label = Segment("directory: ", palette.dim)
    rows.append([label, words(middle_cut(directory, max(4, inner - width_of([label]))))])
    if cell.demo:
        text = [Segment("demo:      ", palette.dim), Segment("scripted, no model", palette.warning)]
        rows.append(shortened(text, inner))
    return _boxed(rows, canvas)


def draw_card(cell: CardCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    inner = canvas.width - 4 if canvas.width >= NARROWEST_BOX else canvas.width
    labels = [f"{clean_line(label)}:" if label else "" for label, _ in cell.rows]
    column = max((width_of([Segment(label)]) for label in labels), default=0) + 2
    rows: list[Spans] = [shortened([words(cell.title, palette.strong)], inner)]
    if cell.rows:
        rows.append([])
    for label, (_, value) in zip(labels, cell.rows, strict=True):
        stacked = inner - column < NARROWEST_VALUE
        if stacked and label:
            rows += wrap([Segment(label, palette.dim)], inner)
        for index, line in enumerate(clean(value).split("\n")):
            if stacked:
                first = rest = [Segment("  ")]
            else:
                lead = label if index == 0 else ""
                first = [Segment(f"{lead:<{column}}", palette.dim)]
                rest = [Segment(" " * column)]
            rows += wrap([Segment(line)], inner, first=first, rest=rest)
    return _boxed(rows, canvas)


def middle_cut(path: str, width: int) -> str:
    """A path within `width` cells, its middle left out rather than its ends."""
    path = clean_line(path)
    if width_of([Segment(path)]) <= width:
        return path
    parts = path.split("/")
    for kept in range(len(parts) - 1, 0, -1):
        short = "/".join([parts[0], "…", *parts[-kept:]])
        if kept < len(parts) - 1 and width_of([Segment(short)]) <= width:
            return short
    return "".join(part.text for part in shortened([Segment(path)], width))


def _boxed(rows: list[Spans], canvas: Canvas) -> list[Spans]:
    if canvas.width < NARROWEST_BOX:
        return rows
    dim = canvas.palette.dim
    inner = max(width_of(row) for row in rows)
    edge = "─" * (inner + 2)
    lines: list[Spans] = [[Segment(f"╭{edge}╮", dim)]]
    for row in rows:
        blank = " " * (inner - width_of(row))
        lines.append([Segment("│ ", dim), *row, Segment(f"{blank} │", dim)])
    return [*lines, [Segment(f"╰{edge}╯", dim)]]
