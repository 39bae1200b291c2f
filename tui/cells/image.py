"""Pictures looked at and pictures made."""

from rich.segment import Segment

from tui.cells.canvas import Canvas
from tui.state.cells import ImageCell
from tui.text.spans import Spans


def draw_image(cell: ImageCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    if not cell.made:
        verb = "Viewed Image"
    elif cell.status == "running":
        verb = "Making an image"
    elif cell.status == "ok":
        verb = "Made an image"
    else:
        verb = "Could not make an image"
    style = palette.failure if cell.status in ("failed", "interrupted") else None
    lines = canvas.titled([Segment(verb, palette.strong)], style=style)
    for text in (cell.prompt, cell.path):
        if text:
            lines += canvas.text_under(text, palette.dim)
    return lines
