"""What the user said, with attachments: literally, not as markdown."""

from rich.segment import Segment

from tui.cells.canvas import HANG, MORE, Canvas, tinted
from tui.state.cells import UserMessageCell
from tui.text.spans import Spans, lines_of
from tui.text.wrap import wrap

PROMPT = "› "
MOST_ROWS = 200
"""Lines of a very long message in the conversation; the full view has them all."""


def draw_user_message(cell: UserMessageCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    rows = lines_of(cell.text.strip("\n"), palette.text or None) if cell.text else []
    left_out = len(rows) - MOST_ROWS if canvas.mode != "full" else 0
    if left_out > 0:
        mark = [Segment(f"… +{left_out} lines {MORE}", palette.dim)]
        rows = [*rows[: MOST_ROWS // 2], mark, *rows[-MOST_ROWS // 2 :]]
    lines: list[Spans] = []
    for row in rows:
        lines += wrap(
            row,
            canvas.width,
            first=[Segment(HANG)] if lines else [Segment(PROMPT, palette.prompt)],
            rest=[Segment(HANG)],
            fold_long=canvas.fold_long,
        )
    for number, path in enumerate(cell.images, 1):
        label = f"[Image #{number}] {path}"
        first = HANG if lines else PROMPT
        lines += canvas.paragraph(label, palette.accent, first=first)
    if not lines:
        lines = [[Segment(PROMPT, palette.prompt)]]
    return tinted(lines, canvas.width, palette.prompt_row)
