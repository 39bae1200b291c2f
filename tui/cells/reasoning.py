"""Summaries of the agent's thinking: dim, without the heading that stood in the status line."""

import re

from rich.segment import Segment

from tui.cells.canvas import BULLET, HANG, Canvas
from tui.state.cells import ReasoningCell
from tui.text.markdown_stream import draw_markdown
from tui.text.spans import Spans, joined

_FIRST_HEADING = re.compile(r"\A\s*\*\*.+?\*\*[ \t]*\n*", re.DOTALL)


def draw_reasoning(cell: ReasoningCell, canvas: Canvas) -> list[Spans]:
    """Nothing while it runs: its heading is the status line then."""
    if not cell.complete:
        return []
    palette = canvas.palette
    if cell.raw:
        text = "\n\n".join(cell.raw)
    elif canvas.mode == "full":
        text = "\n\n".join(cell.summary)
    else:
        parts = (_FIRST_HEADING.sub("", part, count=1).strip() for part in cell.summary)
        text = "\n\n".join(part for part in parts if part)
    if not text.strip():
        return []
    drawn = draw_markdown(
        text,
        max(1, canvas.width - len(HANG)),
        palette,
        fold_long=canvas.fold_long,
        base=palette.faint_italic,
    )
    lines: list[Spans] = []
    for line in drawn:
        lead = Segment(HANG) if lines else Segment(BULLET, palette.dim)
        lines.append(joined([lead, *line]) if line else [])
    return lines
