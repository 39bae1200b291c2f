"""What the user said, with attachments: literally, not as markdown."""

from rich.segment import Segment

from tui.cells.canvas import HANG, Canvas, tinted
from tui.state.cells import UserMessageCell
from tui.text.spans import Spans, lines_of
from tui.text.wrap import wrap

PROMPT = "› "
MOST_ROWS = 200


def draw_user_message(cell: UserMessageCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    lines: list[Spans] = []
    for row in lines_of(cell.text.strip("\n"), palette.text or None) if cell.text else []:
        lines += wrap(
            row,
            canvas.width,
            first=[Segment(HANG)] if lines else [Segment(PROMPT, palette.prompt)],
            rest=[Segment(HANG)],
            fold_long=canvas.fold_long,
        )
    lines = canvas.capped(lines, MOST_ROWS, head=MOST_ROWS // 2, tail=MOST_ROWS // 2 - 1)
    for number, path in enumerate(cell.images, 1):
        label = f"[Image #{number}] {path}"
        first = HANG if lines else PROMPT
        lines += canvas.paragraph(label, palette.accent, first=first)
    if not lines:
        lines = [[Segment(PROMPT, palette.prompt)]]
    return tinted(lines, canvas.width, palette.prompt_row)
