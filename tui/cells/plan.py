"""Plans with their steps. A later state of the same plan shows only what has changed."""

from rich.segment import Segment
from rich.style import Style

from tui.cells.canvas import CORNER, UNDER, Canvas
from tui.state.cells import PlanCell, PlanStep
from tui.text.palette import Palette
from tui.text.spans import Spans, lines_of
from tui.text.wrap import wrap


def draw_plan(cell: PlanCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    steps = cell.steps
    title: Spans = [Segment("Updated Plan", palette.strong)]
    if cell.before and canvas.mode != "full":
        done = sum(step.status == "completed" for step in steps)
        title.append(Segment(f" ({done} of {len(steps)} done)", palette.dim))
        steps = tuple(step for step, old in zip(steps, cell.before, strict=True) if step != old)
    lines = canvas.titled(title)
    if canvas.mode == "title":
        return lines[:1]
    below: list[Spans] = []
    for row in lines_of(cell.explanation.strip(), palette.faint_italic) if cell.explanation else []:
        below += _hung(row, Segment(""), canvas, is_first=not below)
    for step in steps:
        mark, style = _look(step, palette)
        for index, row in enumerate(lines_of(step.text.strip(), style)):
            lead = Segment("  ") if index else Segment(f"{mark} ", _mark_style(step, palette))
            below += _hung(row, lead, canvas, is_first=not below)
    if not below:
        below = canvas.under([[Segment("(no steps)", palette.dim)]])
    return [*lines, *below]


def _hung(row: Spans, mark: Segment, canvas: Canvas, *, is_first: bool) -> list[Spans]:
    corner = Segment(CORNER if is_first else UNDER, canvas.palette.dim)
    hang = [Segment(UNDER + " " * len(mark.text))]
    return wrap(row, canvas.width, first=[corner, mark], rest=hang, fold_long=canvas.fold_long)


def _look(step: PlanStep, palette: Palette) -> tuple[str, Style]:
    match step.status:
        case "completed":
            return "✔", palette.plan_done
        case "inProgress":
            return "□", palette.plan_now
        case "pending":
            return "□", palette.plan_todo


def _mark_style(step: PlanStep, palette: Palette) -> Style:
    return palette.dim if step.status == "completed" else _look(step, palette)[1]
