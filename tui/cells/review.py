"""Reviews: what is reviewed, and what was found."""

from rich.segment import Segment

from tui.cells.canvas import HANG, Canvas, words
from tui.state.cells import ReviewCell
from tui.text.markdown_stream import draw_markdown
from tui.text.spans import Spans


def draw_review(cell: ReviewCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    if cell.stage == "started":
        title = [Segment("Code review started: ", palette.strong), words(cell.text.strip())]
        return canvas.titled(title, bullet=">> ", style=palette.accent)
    body: list[Spans] = []
    if cell.text.strip():
        drawn = draw_markdown(
            cell.text,
            max(1, canvas.width - len(HANG)),
            palette,
            fold_long=canvas.fold_long,
        )
        body = [[], *canvas.indented(drawn)]
    title = [Segment("Code review finished", palette.strong)]
    return [*canvas.titled(title, bullet="<< ", style=palette.accent), *body]
