"""What was allowed or refused, and what was answered to the agent's questions."""

from rich.segment import Segment

from tui.cells.canvas import HANG, Canvas
from tui.state.cells import ApprovalCell, QuestionsCell
from tui.text.sanitize import marked
from tui.text.spans import Spans, flagged

_DOING = {
    "command": "run",
    "network": "reach",
    "patch": "change",
    "permissions": "have",
    "tool": "use",
}
_LASTS = {"once": " this time", "session": " for this session", "always": " from now on"}
LONGEST_SUBJECT = 200


def draw_approval(cell: ApprovalCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    doing = _DOING[cell.what]
    subject = marked(cell.subject).strip().replace("\n", " ⏎ ")
    if len(subject) > LONGEST_SUBJECT and canvas.mode != "full":
        subject = subject[:LONGEST_SUBJECT] + "…"
    what = flagged([Segment(subject, palette.accent)], palette.warning)
    if cell.by == "reviewer":
        return _draw_review(cell, [Segment(f"{doing} "), *what], canvas)
    if not cell.granted:
        said = "canceled the request to" if cell.cancelled else "did not allow Codex to"
        title = [Segment(f"You {said} {doing} "), *what]
        return canvas.titled(title, bullet="✗ ", style=palette.failure)
    if cell.what == "command" and cell.lasts == "always":
        title = [Segment("You approved Codex to always run commands that start with "), *what]
    else:
        title = [Segment(f"You approved Codex to {doing} "), *what, Segment(_LASTS[cell.lasts])]
    return canvas.titled(title, bullet="✔ ", style=palette.success)


def _draw_review(cell: ApprovalCell, doing: Spans, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    said = "allowed Codex to" if cell.granted else "did not allow Codex to"
    bullet, style = ("✔ ", palette.success) if cell.granted else ("✗ ", palette.failure)
    risk = [Segment(f" ({cell.risk} risk)", palette.dim)] if cell.risk else []
    title = [Segment(f"The automatic reviewer {said} "), *doing, *risk]
    lines = canvas.titled(title, bullet=bullet, style=style)
    if not cell.why or canvas.mode == "title":
        return lines
    return [*lines, *canvas.text_under(cell.why, palette.dim)]


def draw_questions(cell: QuestionsCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    answered = sum(bool(question.answers) for question in cell.questions)
    title = [
        Segment("Questions ", palette.strong),
        Segment(f"{answered}/{len(cell.questions)} answered", palette.dim),
    ]
    lines = canvas.titled(title)
    for question in cell.questions:
        lines += canvas.paragraph(question.question, first=f"{HANG}• ", rest=UNDER_ANSWER)
        if question.secret and question.answers:
            answer = "••••••"
        else:
            answer = ", ".join(question.answers) or "(unanswered)"
        style = palette.accent if question.answers else palette.dim
        lines += canvas.paragraph(f"answer: {answer}", style, first=UNDER_ANSWER, rest=UNDER_ANSWER)
        if question.note:
            note = f"note: {question.note}"
            lines += canvas.paragraph(note, palette.dim, first=UNDER_ANSWER, rest=UNDER_ANSWER)
    return lines


UNDER_ANSWER = "    "
