"""The line after a turn that used tools, with the time it took."""

from rich.segment import Segment

from tui.cells.canvas import Canvas, duration
from tui.state.cells import SeparatorCell
from tui.text.spans import Spans, shortened


def draw_separator(cell: SeparatorCell, canvas: Canvas) -> list[Spans]:
    text = "───"
    if cell.duration_ms is not None:
        text = f"─── Worked for {duration(cell.duration_ms)}"
    return [shortened([Segment(text, canvas.palette.dim)], canvas.width)]
