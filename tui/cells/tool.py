"""Calls of MCP tools and of tools the client provides."""

from rich.segment import Segment

from tui.cells.canvas import BULLET, Canvas, duration, words
from tui.state.cells import ToolCell
from tui.text.sanitize import clean
from tui.text.spans import Spans

HEAD_ROWS, TAIL_ROWS = 2, 2


def draw_tool(cell: ToolCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    verb, style = {
        "running": ("Calling", palette.running),
        "waiting": ("Wants to call", palette.warning),
        "ok": ("Called", palette.success),
        "declined": ("Did not call", palette.failure),
        "interrupted": ("Stopped", palette.failure),
    }.get(cell.status, ("Called", palette.failure))
    name = f"{cell.server}.{cell.tool}" if cell.server else cell.tool
    title: Spans = [
        Segment(f"{verb} ", palette.strong),
        words(name, palette.accent),
        words(f"({cell.arguments})", palette.dim),
    ]
    if cell.duration_ms is not None and cell.duration_ms >= 1000:
        title.append(Segment(f" ({duration(cell.duration_ms)})", palette.dim))
    lines = canvas.titled(title, bullet=BULLET, style=style)
    if canvas.mode == "title":
        return lines[:1]
    text = cell.error or cell.result or (cell.progress if cell.status == "running" else "")
    if not text.strip():
        return lines
    text_style = palette.failure if cell.error else palette.output
    below = canvas.under([Segment(row, text_style)] for row in clean(text).strip("\n").split("\n"))
    below = canvas.capped(below, HEAD_ROWS + TAIL_ROWS + 1, head=HEAD_ROWS, tail=TAIL_ROWS)
    return [*lines, *below]
