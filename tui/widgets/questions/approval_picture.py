"""How an approval looks: what is asked, with what room, and the answers. Pure.

A command that is too long shows its beginning and its end, so that nothing hides behind either.
Where the screen is too low for all of it, the answers become their keys in one row, and what is
asked about, a diff too, gets the rows they leave. While a choice is written out, its line is there
whatever else has to go.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.cells.draw import draw
from tui.state.cells import PatchCell
from tui.text.command_line import command_lines
from tui.text.palette import Palette
from tui.text.sanitize import marked, marked_line
from tui.text.spans import Spans, flagged
from tui.text.wrap import wrap
from tui.widgets.drawn import BLANK, cut, cut_text, neutral, styled
from tui.widgets.line_field import LineField
from tui.widgets.questions.choices import Ask, Option

SUBJECT_ROWS = 12
"""Rows of a long command shown here; the full view has the rest."""
TAIL_ROWS = 2
"""Of these, how many show its end."""
LEAST_ROWS = 3
DIFF_ROWS = 4
"""Rows of a diff the conversation must be able to show above, else they stand in the panel."""
SHORT_LABELS = {
    "y": "yes", "a": "session", "p": "always", "d": "no", "t": "tell", "n": "stop",
}  # fmt: skip

_INDENT = "    "
_UNDER_OPTION = "     "


class View(NamedTuple):
    """What is to be seen. `room` is how many rows there are."""

    ask: Ask
    width: int
    room: int
    palette: Palette
    selected: int = 0
    waiting: int = 0
    """How many more questions stand behind this one."""
    whose: str = ""
    """The conversation it comes from, where that is not the one on screen."""
    change: PatchCell | None = None
    written: LineField | None = None
    """What is being written out for the selected choice."""
    problem: str = ""


class Picture(NamedTuple):
    """Lines, and the cell one types at."""

    lines: list[Strip]
    cursor: tuple[int, int] | None = None


def picture(view: View) -> Picture:
    """The whole panel within its rows."""
    options, cursor = _options(view)
    if view.written is None:
        hint = "enter to choose · ctrl + a for everything · esc to stop"
    else:
        hint = "enter to answer with this · esc to go back"
    tail = [BLANK, *_block(hint, view, view.palette.dim, "  ")]
    head = _head(view)
    command, change = _command(view), _change(view)
    facts: Sequence[Strip] = _facts(view)
    around = len(head) + len(options) + len(tail) + 1
    needed = min(LEAST_ROWS, len(command)) + min(LEAST_ROWS, len(facts))
    if around + needed + min(DIFF_ROWS, len(change)) > view.room:
        return _in_short(view, change)
    left = view.room - around
    shown = _folded(command, min(SUBJECT_ROWS, left - len(facts)), view) if command else ()
    facts = _folded(facts, min(SUBJECT_ROWS, left - len(shown)), view, tail=0)
    lines = [*head, *shown, *facts, BLANK]
    if cursor is not None:
        cursor = (cursor[0], cursor[1] + len(lines))
    return Picture([*lines, *options, *tail], cursor)


def _in_short(view: View, change: Sequence[Strip]) -> Picture:
    """The answers as keys, a hint, and in the rows between as much of the subject as fits."""
    if view.written is not None:
        return _field_in_short(view)
    keys = _keys(view)
    subject = [*_command(view), *_facts(view)]
    left = view.room - len(keys) - 2
    if change and len(subject) + len(change) + 1 > left:
        files = len(view.change.files) if view.change is not None else 0
        subject = [*change, *_facts(view, view.ask.facts[files:])]
    shown = subject[: max(1, left)]
    hidden = len(subject) - len(shown)
    what = f"{hidden} more" if hidden else "everything"
    hint = cut_text(f"  ctrl + a for {what} · esc to stop", view.width)
    lines = [*_head(view)[:1], *shown, *keys, styled((hint, view.palette.dim))]
    if len(lines) > view.room:
        lines = lines[1:]
    return Picture(lines if len(lines) <= view.room else [*shown[:1], *keys])


def _field_in_short(view: View) -> Picture:
    option = view.ask.options[view.selected]
    rows, cursor = _field(view, _INDENT)
    heading = _block(option.heading, view, view.palette.accent, "  ")
    hint = cut(styled(("  enter to answer · esc to go back", view.palette.dim)), view.width)
    above = [*_head(view)[:1], *_command(view)]
    above = above[: max(0, view.room - len(heading) - len(rows) - 1)]
    lines = [*above, *heading]
    return Picture([*lines, *rows, hint], (cursor[0], cursor[1] + len(lines)))


def _head(view: View) -> list[Strip]:
    palette = view.palette
    title = ("  " + neutral(view.ask.title), palette.strong)
    notes = []
    if view.whose:
        notes.append(f"in {neutral(view.whose)}")
    if view.waiting:
        notes.append(f"{view.waiting} more to answer")
    more = f"  ({', '.join(notes)})" if notes else ""
    lines = [cut(styled(title, (more, palette.dim)), view.width)]
    if view.ask.reason:
        # The agent's own words about a command: as lines they could look like another question.
        reason = marked(view.ask.reason)
        reason = " ".join(reason.split()) if view.ask.command else reason
        lines += _block(f"Reason: {reason}", view, palette.emphasis, "  ")
    return lines


def _command(view: View) -> Sequence[Strip]:
    """The whole command in colours."""
    return _command_rows(view.ask.command, view.width, view.palette) if view.ask.command else ()


@lru_cache(maxsize=2)
def _command_rows(command: str, width: int, palette: Palette) -> tuple[Strip, ...]:
    """Kept for the next picture: a long command takes a second, and every key draws anew."""
    lines: list[Strip] = []
    for row in command_lines(command, palette):
        lead = Segment(_INDENT) if lines else Segment("  $ ", palette.accent)
        lines += map(Strip, wrap(row, width, first=[lead], rest=[Segment(_INDENT)]))
    return tuple(lines)


def _facts(view: View, facts: Sequence[str] | None = None) -> list[Strip]:
    """What else is to be known; `facts` instead of all of it."""
    lines: list[Strip] = []
    for fact in view.ask.facts if facts is None else facts:
        lines += _block(fact, view, view.palette.dim, _INDENT)
    return lines


def _change(view: View) -> list[Strip]:
    return [] if view.change is None else draw(view.change, view.width, view.palette)


def _folded(
    lines: Sequence[Strip], room: int, view: View, *, tail: int = TAIL_ROWS
) -> Sequence[Strip]:
    """Within `room` rows: the beginning and the last `tail`, what is between counted."""
    if len(lines) <= room:
        return lines
    head = max(0, room - tail - 1)
    mark = f"{_INDENT}… +{len(lines) - head - tail} lines (ctrl + a for everything)"
    folded = cut(styled((mark, view.palette.dim)), view.width)
    return [*lines[:head], folded, *lines[len(lines) - tail :]]


def _options(view: View) -> tuple[list[Strip], tuple[int, int] | None]:
    """Numbered answers with their keys, one of them as a line to write in where that is wanted."""
    lines: list[Strip] = []
    cursor = None
    for number, option in enumerate(view.ask.options):
        is_selected = number == view.selected
        style = view.palette.accent if is_selected else view.palette.text
        is_written = is_selected and view.written is not None
        label = [Segment(f"{number + 1}. ", style)]
        label += [Segment(option.heading, style)] if is_written else _label(option, style, view)
        mark = [Segment("› " if is_selected else "  ", style)]
        width = max(view.width - 1, 1)
        lines += map(Strip, wrap(label, width, first=mark, rest=[Segment(_UNDER_OPTION)]))
        if is_written:
            rows, at = _field(view, _UNDER_OPTION)
            cursor = (at[0], at[1] + len(lines))
            lines += rows
    return lines, cursor


def _label(option: Option, style: Style, view: View) -> Spans:
    keys = "n, esc" if option.keys == "n" else option.keys
    if option.field is not None and option.field.text:
        prefix = Segment(marked_line(option.field.text), view.palette.accent)
        hint = Segment(f" ({keys}, e to edit)", view.palette.dim)
        label = [Segment(f"{option.heading} ", style), prefix, hint]
    else:
        hint = Segment(f" ({keys})", view.palette.dim)
        label = [Segment(marked_line(option.label), style), hint]
    return flagged(label, view.palette.warning)


def _field(view: View, indent: str) -> tuple[list[Strip], tuple[int, int]]:
    """The line being written, what is wrong with it below, and where its cursor stands."""
    assert view.written is not None
    palette = view.palette
    bar = f"{indent}│ "
    text, column = view.written.visible(max(4, view.width - len(bar) - 1))
    rows = [styled((bar, palette.accent), (text, palette.text))]
    if view.problem:
        rows += _block(view.problem, view, palette.error, f"{indent}  ")
    return rows, (len(bar) + column, 0)


def _keys(view: View) -> list[Strip]:
    """Every answer's key and a word, the selected one marked."""
    palette = view.palette
    rows: list[list[tuple[str, Style]]] = [[]]
    used = 0
    for number, option in enumerate(view.ask.options):
        is_selected = number == view.selected
        label = f"{option.keys} {SHORT_LABELS.get(option.keys, '')}".rstrip()
        text = ("› " if is_selected else "  ") + label
        if rows[-1] and used + len(text) > view.width:
            rows.append([])
            used = 0
        rows[-1].append((text, palette.accent if is_selected else palette.text))
        used += len(text)
    return [styled(*row) for row in rows]


def _block(
    text: str, view: View, style: Style, indent: str, first: str | None = None
) -> list[Strip]:
    """`text` wrapped, what cannot be seen in it marked."""
    lines: list[Strip] = []
    for row in marked(text).split("\n"):
        lead = indent if lines or first is None else first
        wrapped = wrap(
            flagged([Segment(row, style)], view.palette.warning),
            max(view.width - 1, 1),
            first=[Segment(lead, style)],
            rest=[Segment(indent, style)],
        )
        lines += map(Strip, wrapped)
    return lines
