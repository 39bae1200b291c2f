"""An approval: what is asked, numbered choices with their keys, and room for all of it.

Keys act at once, but not those typed before the question could be read (`typed_ahead`). Some
choices are written out first, such as the beginning of the commands to allow, or what to do
instead; keys then belong to that line. How it looks: `approval_picture`.
"""

from dataclasses import dataclass

from textual import events
from textual.geometry import Offset, Size
from textual.message import Message

from tui.clock import Clock
from tui.keymap import Keymap
from tui.state.actions import Action
from tui.state.cells import PatchCell
from tui.text.palette import TERMINAL, Palette
from tui.widgets.drawn import Drawn
from tui.widgets.line_field import LineField
from tui.widgets.questions.approval_picture import View, picture
from tui.widgets.questions.choices import Ask, Option
from tui.widgets.typed_ahead import TypedAhead

ROWS_AROUND = 4
"""Kept for a row of the conversation, a blank one above the panel, and the footer."""


class Approval(Drawn, can_focus=True):
    """One question; it stays until it is answered or withdrawn."""

    KEY_CONTEXTS = ("approval",)

    @dataclass
    class Answered(Message):
        actions: tuple[Action, ...]

    @dataclass
    class FullViewWanted(Message):
        pass

    def __init__(
        self,
        ask: Ask,
        clock: Clock,
        *,
        keymap: Keymap,
        change: PatchCell | None = None,
        whose: str = "",
        waiting: int = 0,
        palette: Palette = TERMINAL,
    ) -> None:
        super().__init__()
        self.ask = ask
        self._change = change
        """What a patch would do, in the conversation above as well."""
        self._keymap = keymap
        self._whose = whose
        self._waiting = waiting
        self._palette = palette
        self.selected = 0
        self._typed_ahead = TypedAhead(clock)
        self._written: LineField | None = None
        self._problem = ""
        self._cursor: tuple[int, int] | None = None
        self._drawn_at: Size | None = None

    def for_draft(self, *, is_empty: bool) -> str:
        """What was typed too early to be an answer, and belongs into the draft."""
        keys = [option.keys for option in self.ask.options]
        return self._typed_ahead.for_draft(keys, is_empty=is_empty)

    @property
    def cursor_screen_offset(self) -> Offset | None:
        """Where the terminal's cursor belongs; None while nothing is written."""
        if self._cursor is None:
            return None
        region = self.content_region
        return Offset(region.x + self._cursor[0], region.y + self._cursor[1])

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def show_waiting(self, waiting: int) -> None:
        """How many more questions stand behind this one; drawn anew where anything differs."""
        if (waiting, self.app.size) != (self._waiting, self._drawn_at):
            self._waiting = waiting
            self.redraw()

    def redraw(self) -> None:
        self._drawn_at = self.app.size
        width, height = self._drawn_at
        drawn = picture(
            View(
                ask=self.ask,
                width=width,
                room=height - ROWS_AROUND,
                palette=self._palette,
                selected=self.selected,
                waiting=self._waiting,
                whose=self._whose,
                change=self._change,
                written=self._written,
                problem=self._problem,
            )
        )
        self._cursor = drawn.cursor
        self.show_lines(drawn.lines)

    def take_key(self, event: events.Key) -> bool:
        character = event.character
        if self._typed_ahead.takes(event):
            return True
        if self._written is not None:
            self._write(self._written, event)
            return True
        if character is not None and character.isdecimal():
            number = int(character) - 1
            if 0 <= number < len(self.ask.options):
                self._choose(number)
            return True
        return False

    def _write(self, field: LineField, event: events.Key) -> None:
        match self._keymap.action(("list",), event.key):
            case "accept":
                self.action_confirm()
            case "cancel":
                self._written, self._problem = None, ""
                self.redraw()
            case _ if field.take_key(event, self._keymap):
                self._problem = ""
                self.redraw()
            case _:
                pass

    def take_paste(self, text: str) -> None:
        """Into the line being written; otherwise it was meant for the draft."""
        if self._written is None:
            self._typed_ahead.text += text
            return
        self._written.insert(text)
        self._problem = ""
        self.redraw()

    def action_move(self, step: int) -> None:
        self.selected = (self.selected + step) % len(self.ask.options)
        self.redraw()

    def action_confirm(self) -> None:
        if self._written is None:
            self._choose(self.selected)
            return
        field = self.ask.options[self.selected].field
        assert field is not None
        taken = field.take(self._written.text)
        if isinstance(taken, str):
            self._problem = taken
            self.redraw()
        else:
            self.post_message(self.Answered(taken))

    def action_pick(self, key: str) -> None:
        for number, option in enumerate(self.ask.options):
            if option.keys == key:
                self._choose(number)
                return

    def action_edit(self) -> None:
        """Write out the selected choice, or the first one that has words to change."""
        chosen = self.ask.options[self.selected]
        if chosen.field is None:
            fields = [option.field is not None for option in self.ask.options]
            if True not in fields:
                return
            self.selected = fields.index(True)
        self._open_field(self.ask.options[self.selected])

    def action_full_view(self) -> None:
        self.post_message(self.FullViewWanted())

    def _choose(self, number: int) -> None:
        option = self.ask.options[number]
        if option.actions:
            self.post_message(self.Answered(option.actions))
            return
        self.selected = number
        self._open_field(option)

    def _open_field(self, option: Option) -> None:
        assert option.field is not None
        self._written = LineField(option.field.text)
        self.redraw()
