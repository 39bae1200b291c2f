"""Other agents' doings: started, spoken to, waited for, ended."""

from rich.segment import Segment

from tui.cells.canvas import Canvas, first_lines, words
from tui.state.cells import SubAgentCell
from tui.text.spans import Spans

_VERBS = {
    "spawnAgent": ("Spawning", "Spawned"),
    "sendInput": ("Writing to", "Wrote to"),
    "resumeAgent": ("Resuming", "Resumed"),
    "wait": ("Waiting for", "Finished waiting for"),
    "closeAgent": ("Closing", "Closed"),
}
_STATES = {
    "pendingInit": "starting",
    "running": "running",
    "interrupted": "interrupted",
    "completed": "completed",
    "errored": "failed",
    "shutdown": "closed",
    "notFound": "not found",
}
PROMPT_LINES = 3


def draw_subagent(cell: SubAgentCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    doing, done = _VERBS[cell.tool]
    verb = doing if cell.status == "running" else done
    names = ", ".join(cell.names) or ("an agent" if cell.tool != "wait" else "agents")
    title: Spans = [Segment(f"{verb} ", palette.strong), words(names, palette.accent)]
    traits = " ".join(trait for trait in (cell.model, cell.effort) if trait)
    if traits and cell.tool == "spawnAgent":
        title.append(words(f" ({traits})", palette.dim))
    style = palette.failure if cell.status in ("failed", "interrupted") else None
    lines = canvas.titled(title, style=style)
    if canvas.mode == "title":
        return lines[:1]
    count = 1000 if canvas.mode == "full" else PROMPT_LINES
    if cell.prompt:
        lines += canvas.text_under(first_lines(cell.prompt, count), palette.dim)
    elif cell.tool == "wait" and cell.status != "running":
        for name, state in cell.states:
            said = f" - {first_lines(state.message, count)}" if state.message else ""
            lines += canvas.text_under(f"{name}: {_STATES[state.status]}{said}", palette.dim)
    return lines
