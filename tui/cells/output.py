"""What a command printed: some lines of it in the conversation, all of it in the full view."""

from rich.segment import Segment
from rich.style import Style

from tui.cells.canvas import CORNER, MORE, UNDER, Canvas
from tui.state.cells import CommandOutput
from tui.text.ansi import ansi_lines
from tui.text.spans import Spans, styled
from tui.text.wrap import fold, wrap

LONGEST_ROW = 8_192
"""Characters of one row that are looked at in the conversation."""


def draw_output(
    output: CommandOutput, canvas: Canvas, *, head: int = 2, tail: int = 2
) -> list[Spans]:
    """Screen rows behind `└`; empty when nothing was printed."""
    if canvas.mode == "full":
        return _everything(output, canvas)
    rows = _raw_rows(output)
    if not rows and not output.omitted_chars:
        return []
    most = head + tail + 1
    small = len(rows) <= most and all(len(row) <= LONGEST_ROW for row in rows)
    if small and not output.omitted_chars:
        drawn = [line for row in _decoded(rows) for line in _folded(row, canvas)]
        if len(drawn) <= most:
            return _cornered(drawn, canvas)
    first = [line for row in _decoded(rows[:head]) for line in _folded(row, canvas)][:head]
    last_rows = rows[max(head, len(rows) - tail) :] or rows[-tail:]
    last = [line for row in _decoded(last_rows, keep_end=True) for line in _folded(row, canvas)][
        -tail:
    ]
    left_out = max(0, len(rows) - head - tail) + output.omitted_lines
    if left_out:
        text = f"… +{left_out} line{'s' * (left_out > 1)} {MORE}"
    else:
        text = f"… long lines {MORE}"
    mark = [Segment(text, canvas.palette.dim)]
    middle = wrap(mark, max(1, canvas.width - len(UNDER)))
    return _cornered([*first, *middle, *last], canvas)


def last_rows(output: CommandOutput, count: int) -> list[Spans]:
    """The last lines that hold anything, in their own colours."""
    rows = [row for row in _raw_rows(output) if row.strip()]
    return _decoded(rows[-count:], keep_end=True) if count else []


def _everything(output: CommandOutput, canvas: Canvas) -> list[Spans]:
    style = canvas.palette.output
    lines = [styled(row, style) for row in ansi_lines(output.head + _seam(output) + output.tail)]
    if not _raw_rows(output):
        return []
    return [line for row in lines for line in fold(row, canvas.width, fold_long=canvas.fold_long)]


def _seam(output: CommandOutput) -> str:
    """Where the middle was left out."""
    if not output.omitted_chars:
        return ""
    return f"\n\x1b[0m… {output.omitted_chars:,} characters left out …\n"


def _raw_rows(output: CommandOutput) -> list[str]:
    text = (output.head + ("\n" if output.omitted_chars else "") + output.tail).rstrip()
    return text.replace("\r\n", "\n").split("\n") if text else []


def _decoded(rows: list[str], *, keep_end: bool = False) -> list[Spans]:
    """Rows with their colours; of an endless one only as much as could be seen."""
    shown = [row[-LONGEST_ROW:] if keep_end else row[:LONGEST_ROW] for row in rows]
    return ansi_lines("\n".join(shown)) if rows else []


def _folded(row: Spans, canvas: Canvas) -> list[Spans]:
    shown = styled(row, canvas.palette.output)
    return fold(shown, max(1, canvas.width - len(UNDER)))


def _cornered(lines: list[Spans], canvas: Canvas) -> list[Spans]:
    dim: Style = canvas.palette.dim
    return [
        [Segment(UNDER) if index else Segment(CORNER, dim), *line]
        for index, line in enumerate(lines)
    ]
