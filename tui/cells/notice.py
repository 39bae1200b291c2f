"""Warnings, errors, hints; compaction and hooks, which are notices of a kind."""

from rich.segment import Segment

from tui.cells.canvas import BULLET, HANG, Canvas
from tui.state.cells import CompactionCell, HookCell, NoticeCell
from tui.text.spans import Spans


def draw_notice(cell: NoticeCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    match cell.level:
        case "error":
            lines = canvas.paragraph(cell.text, palette.error, first="■ ")
        case "warning":
            lines = canvas.paragraph(cell.text, palette.warning, first="⚠ ")
        case "tip":
            lines = canvas.paragraph(cell.text, first="Tip: ", rest=HANG)
            if lines and lines[0]:
                first, *rest = lines[0]
                lines[0] = [
                    Segment("Tip:", palette.strong),
                    Segment(first.text.removeprefix("Tip:"), first.style),
                    *rest,
                ]
        case "info":
            lines = canvas.paragraph(cell.text, first=BULLET)
    if cell.details.strip():
        lines += canvas.text_under(cell.details, palette.dim)
    return lines


def draw_compaction(cell: CompactionCell, canvas: Canvas) -> list[Spans]:
    text = "Context compacted" if cell.complete else "Compacting the context"
    return canvas.titled([Segment(text, canvas.palette.strong)])


def draw_hook(cell: HookCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    lines = canvas.titled([Segment("A hook added to the conversation", palette.strong)])
    below = canvas.text_under("\n".join(cell.texts), palette.dim)
    return [*lines, *canvas.capped(below, 5, head=2, tail=2)]
