"""/ps: the commands that run in the background, with their age and what they wrote last.

Shown anew with every state, so that it grows while one looks. Stopping is asked for by messages;
that a command has ended is seen by its absence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.cells.output import last_rows
from tui.state.cells import CommandCell
from tui.state.select import elapsed
from tui.text.palette import TERMINAL, Palette
from tui.text.sanitize import marked
from tui.text.spans import flagged, shortened, styled, width_of
from tui.widgets.drawn import BLANK, Drawn, cut
from tui.widgets.drawn import styled as line_of

LAST_ROWS = 3
ROWS_AROUND = 4
"""Kept for a row of the conversation, a blank one above the panel, and the footer."""
HINT = "x stops it · a stops all · enter shows its output · esc to close"
SHORT_HINT = "x stops · a all · enter output · esc"


class Terminals(Drawn, can_focus=True):
    """One row a command, the selected one marked."""

    KEY_CONTEXTS = ("terminals", "list")

    @dataclass
    class StopWanted(Message):
        """This command, or all of them."""

        command: CommandCell | None

    @dataclass
    class OutputWanted(Message):
        command: CommandCell

    @dataclass
    class Closed(Message):
        pass

    def __init__(
        self, commands: Sequence[CommandCell], at: float, *, palette: Palette = TERMINAL
    ) -> None:
        super().__init__()
        self._commands = tuple(commands)
        self._at = at
        self._palette = palette
        self.selected = 0

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def show_commands(self, commands: Sequence[CommandCell], at: float) -> None:
        """Those that run now; `at` is now, in Unix seconds. The selection stays where it was."""
        chosen = self._commands[self.selected].id if self._commands else ""
        self._commands, self._at = tuple(commands), at
        ids = [command.id for command in self._commands]
        self.selected = ids.index(chosen) if chosen in ids else min(self.selected, len(ids) - 1)
        self.selected = max(0, self.selected)
        if self.is_mounted:
            self.redraw()

    def redraw(self) -> None:
        width, height = self.app.size
        palette = self._palette
        count = len(self._commands)
        title = "Nothing runs in the background" if not count else f"In the background ({count})"
        hint = "esc to close" if not count else HINT if width > len(HINT) + 3 else SHORT_HINT
        head = [line_of((f"  {title}", palette.strong)), BLANK]
        tail = [BLANK, cut(line_of((f"  {hint}", palette.dim)), width)]
        room = max(1, height - len(head) - len(tail) - ROWS_AROUND)
        if room < 2 * (LAST_ROWS + 1):
            head, tail = head[:1], tail[1:]
            room = max(1, height - 2 - ROWS_AROUND)
        rows = [self._rows(number, command, width) for number, command in enumerate(self._commands)]
        top = sum(map(len, rows[: self.selected]))
        end = top + (len(rows[self.selected]) if rows else 0)
        flat = [line for block in rows for line in block]
        first = max(0, min(top, end - room))
        self.show_lines([*head, *flat[first : first + room], *tail])

    def _rows(self, number: int, command: CommandCell, width: int) -> list[Strip]:
        palette = self._palette
        is_selected = number == self.selected
        style = palette.accent if is_selected else palette.text
        started = command.started_at
        age = "" if started is None else elapsed(self._at - started)
        mark = f"{'› ' if is_selected else '  '}{number + 1}. "
        room = max(4, width - len(mark) - len(age) - 3)
        line = " ".join(marked(command.command).split())
        name = shortened(flagged([Segment(line, style)], palette.warning), room)
        gap = " " * (room - width_of(name) + 2)
        title = Strip(
            [Segment(mark, style), *name, Segment(gap, palette.text), Segment(age, palette.dim)]
        )
        written = last_rows(command.output, LAST_ROWS)
        lead = line_of((" " * len(mark), palette.text))
        shown = [
            Strip([*lead, *styled(shortened(row, max(4, width - len(mark) - 1)), palette.output)])
            for row in written
        ]
        if not shown:
            shown = [line_of((" " * len(mark) + "(nothing written yet)", palette.dim))]
        return [title, *shown]

    def take_key(self, event: events.Key) -> bool:
        character = event.character or ""
        if character.isdecimal() and 1 <= int(character) <= len(self._commands):
            self.selected = int(character) - 1
            self.redraw()
            return True
        if character and character in "jk":
            self.action_move(1 if character == "j" else -1)
            return True
        return False

    def action_move(self, step: int) -> None:
        if self._commands:
            self.selected = (self.selected + step) % len(self._commands)
            self.redraw()

    def action_accept(self) -> None:
        if self._commands:
            self.post_message(self.OutputWanted(self._commands[self.selected]))

    def action_stop(self) -> None:
        if self._commands:
            self.post_message(self.StopWanted(self._commands[self.selected]))

    def action_stop_all(self) -> None:
        if self._commands:
            self.post_message(self.StopWanted(None))

    def action_cancel(self) -> None:
        self.post_message(self.Closed())
