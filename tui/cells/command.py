"""Commands that ran, run, or were not allowed to; and looking around, gathered into one cell."""

from rich.segment import Segment
from rich.style import Style

from app_server.protocol.item import (
    ListFilesCommandAction,
    ReadCommandAction,
    SearchCommandAction,
)
from tui.cells.canvas import BULLET, HANG, Canvas, duration, words
from tui.cells.output import draw_output
from tui.state.cells import CommandCell, ExploringCell, TerminalInputCell
from tui.state.output import is_empty
from tui.text.command_line import command_lines
from tui.text.palette import Palette
from tui.text.spans import Spans, shortened
from tui.text.wrap import wrap

TITLE_ROWS = 2
"""Rows of a long command in the conversation."""
OWN_HEAD, OWN_TAIL = 24, 25
"""Rows of output for a command the user ran."""
ENDED_BY_SIGNAL = (130, 137, 143)
"""Exit codes of a command somebody ended: by interrupt, kill, or the polite way."""

_BAR = "  │ "


def draw_command(cell: CommandCell, canvas: Canvas) -> list[Spans]:
    if canvas.mode == "full":
        return _draw_full(cell, canvas)
    bullet, verb, bullet_style = _title(cell, canvas.palette)
    lines = _draw_title(cell, canvas, bullet, verb, bullet_style)
    if canvas.mode == "title" or cell.status in ("declined", "waiting"):
        return lines
    own = cell.source == "userShell"
    head, tail = (OWN_HEAD, OWN_TAIL) if own else (2, 2)
    output = draw_output(cell.output, canvas, head=head, tail=tail)
    if not output and cell.status in ("ok", "failed"):
        output = canvas.under([[Segment("(no output)", canvas.palette.dim)]])
    return [*lines, *output]


def _title(cell: CommandCell, palette: Palette) -> tuple[str, str, Style]:
    own = "You ran" if cell.source == "userShell" else "Ran"
    match cell.status:
        case "running":
            return BULLET, "Running", palette.running
        case "waiting":
            return BULLET, "Wants to run", palette.warning
        case "background":
            return BULLET, "Started", palette.running
        case "declined":
            return "✗ ", "Did not run", palette.failure
        case "interrupted" if not (cell.ran or cell.process_id) and is_empty(cell.output):
            return "✗ ", "Did not run", palette.failure
        case "interrupted":
            return BULLET, "Stopped", palette.failure
        case "ok":
            return BULLET, "Finished" if cell.was_background else own, palette.success
        case "failed" if cell.was_background:
            ended_from_outside = cell.exit_code in ENDED_BY_SIGNAL
            return BULLET, "Stopped" if ended_from_outside else "Finished", palette.failure
        case "failed":
            return BULLET, own, palette.failure


def _draw_title(
    cell: CommandCell, canvas: Canvas, bullet: str, verb: str, bullet_style: Style
) -> list[Spans]:
    palette = canvas.palette
    rows = command_lines(cell.command, palette)
    first = [Segment(bullet, bullet_style), Segment(f"{verb} ", palette.strong)]
    bar = [Segment(_BAR, palette.dim)]
    tail = _facts(cell, canvas)
    if canvas.mode == "title":
        return [shortened([*first, *rows[0], *tail], canvas.width)]
    lines: list[Spans] = []
    for index, row in enumerate(rows):
        whole = [*row, *tail] if index == 0 and len(rows) == 1 else row
        lines += wrap(whole, canvas.width, first=bar if lines else first, rest=bar)
    if len(rows) == 1 and len(lines) <= TITLE_ROWS + 1:
        return lines
    left_out = len(lines) - TITLE_ROWS
    if left_out > 1:
        lines = lines[:TITLE_ROWS]
        lines.append([Segment(f"{_BAR}… +{left_out} lines", palette.dim)])
    elif len(rows) == 1:
        return lines
    if (tail and len(rows) > 1) or (left_out > 1 and tail):
        lines[-1] = shortened([*lines[-1], *tail], canvas.width)
    return lines


def _facts(cell: CommandCell, canvas: Canvas) -> Spans:
    """Exit code and time, in place."""
    palette = canvas.palette
    facts: list[str] = []
    if cell.status == "failed":
        facts.append("failed" if cell.exit_code is None else f"exit {cell.exit_code}")
    elif cell.status == "declined":
        facts.append("declined")
    elif cell.status == "interrupted":
        facts.append("interrupted")
    elif cell.status == "background":
        facts.append("goes on in the background")
    if cell.status in ("ok", "failed") and cell.duration_ms is not None:
        facts.append(duration(cell.duration_ms))
    if cell.status == "running" and canvas.now is not None and cell.started_at is not None:
        seconds = int(canvas.now - cell.started_at)
        if seconds >= 1:
            facts.append(duration(seconds * 1000))
    if not facts:
        return []
    style = palette.failure if cell.status == "failed" else palette.dim
    return [Segment(f" ({', '.join(facts)})", style)]


def _draw_full(cell: CommandCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    lines: list[Spans] = []
    for row in command_lines(cell.command, palette):
        lead = [Segment(HANG)] if lines else [Segment("$ ", palette.accent)]
        lines += wrap(
            row, canvas.width, first=lead, rest=[Segment(HANG)], fold_long=canvas.fold_long
        )
    lines += draw_output(cell.output, canvas)
    if cell.status in ("ok", "failed") and is_empty(cell.output):
        lines.append([Segment("(no output)", palette.dim)])
    return [*lines, *wrap(_outcome(cell, canvas), canvas.width, rest=[Segment(HANG)])]


def _outcome(cell: CommandCell, canvas: Canvas) -> Spans:
    palette = canvas.palette
    took = "" if cell.duration_ms is None else f" • {duration(cell.duration_ms)}"
    match cell.status:
        case "ok":
            return [Segment("✓", palette.success), Segment(took, palette.dim)]
        case "failed":
            code = "" if cell.exit_code is None else f" ({cell.exit_code})"
            return [Segment(f"✗{code}", palette.failure), Segment(took, palette.dim)]
        case "declined":
            return [Segment("✗ declined, not run", palette.failure)]
        case "interrupted":
            return [Segment("✗ interrupted", palette.failure)]
        case "background":
            return [Segment("• still running in the background", palette.dim)]
        case _:
            return [Segment(f"• {cell.status}", palette.dim)]


def draw_exploring(cell: ExploringCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    running = any(call.status in ("running", "waiting") for call in cell.calls)
    busy = running or not cell.closed
    title = [Segment("Exploring" if busy else "Explored", palette.strong)]
    lines = canvas.titled(title, style=palette.running if busy else palette.success)
    if canvas.mode == "title":
        return lines[:1]
    if canvas.mode == "full":
        for call in cell.calls:
            lines += [[], *_draw_full(call, canvas)]
        return lines
    return [*lines, *canvas.under(_actions(cell, palette))]


def _actions(cell: ExploringCell, palette: Palette) -> list[Spans]:
    """One line per thing looked at; reads that follow each other share one."""
    lines: list[Spans] = []
    reads: list[str] = []
    reading: Spans | None = None
    for call in cell.calls:
        failed = call.status in ("failed", "interrupted")
        mark = [Segment(f" ({_how_it_failed(call)})", palette.failure)] if failed else []
        for action in call.actions:
            match action:
                case ReadCommandAction(name=name):
                    if reading is not None and name in reads and not mark:
                        continue
                    if reading is None:
                        reads = []
                        reading = [Segment("Read ", palette.accent)]
                        lines.append(reading)
                    elif reads:
                        reading.append(Segment(", "))
                    reads.append(name)
                    reading += [words(name), *mark]
                    continue
                case ListFilesCommandAction(command=command, path=path):
                    lines.append([Segment("List ", palette.accent), words(path or command), *mark])
                case SearchCommandAction(command=command, query=query, path=path):
                    what = words(query or command)
                    where = [Segment(" in ", palette.dim), words(path)] if path else []
                    lines.append([Segment("Search ", palette.accent), what, *where, *mark])
                case _:
                    lines.append([Segment("Run ", palette.accent), words(action.command), *mark])
            reading = None
    return lines


def _how_it_failed(call: CommandCell) -> str:
    if call.status == "interrupted":
        return "interrupted"
    return "failed" if call.exit_code is None else f"exit {call.exit_code}"


def draw_terminal_input(cell: TerminalInputCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    title = [Segment("Typed into ", palette.strong), words(cell.command or "a terminal")]
    lines = canvas.titled(title)
    return [*lines, *canvas.text_under(_visible_keys(cell.stdin), palette.dim)]


def _visible_keys(stdin: str) -> str:
    """Control keys by name, so that ^C is seen as such."""
    shown: list[str] = []
    for char in stdin:
        code = ord(char)
        if char in "\n\r":
            shown.append("⏎")
        elif code < 0x20:
            shown.append(f"^{chr(code + 0x40)}")
        else:
            shown.append(char)
    return "".join(shown)
