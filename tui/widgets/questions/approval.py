"""An approval: what is asked, numbered choices with their keys, and room for all of it.

Keys act at once, but not those typed before the question could be read: until nothing has been
typed for `GUARD_SECONDS`, letters are kept for the draft and Enter does nothing.

Where the screen is too low for all of it, the answers become their keys in one row, and what is
asked about, a diff too, gets the rows they leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.cells.draw import draw
from tui.clock import Clock
from tui.state.actions import Action
from tui.state.cells import PatchCell
from tui.text.palette import TERMINAL, Palette
from tui.widgets.composer.layout import lay_out
from tui.widgets.drawn import BLANK, Drawn, cut_text, neutral, styled
from tui.widgets.questions.choices import Ask, Option

GUARD_SECONDS = 0.3
ROWS_AROUND = 4
"""Kept for a row of the conversation, a blank one above the panel, and the footer."""
SUBJECT_ROWS = 8
"""Rows of a long command shown here; the full view has the rest."""
DIFF_ROWS = 4
"""Rows of a diff the conversation must be able to show above, else they stand in the panel."""
SHORT_LABELS = {"y": "yes", "a": "session", "p": "always", "d": "no", "n": "stop"}


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
        change: PatchCell | None = None,
        waiting: int = 0,
        palette: Palette = TERMINAL,
    ) -> None:
        super().__init__(id="approval")
        self.ask = ask
        self._change = change
        """What a patch would do, in the conversation above as well."""
        self._clock = clock
        self._waiting = waiting
        self._palette = palette
        self._guard_until = clock.monotonic() + GUARD_SECONDS
        self.selected = 0
        self.typed_ahead = ""
        """Letters that came too early to be an answer; they were meant for the draft."""

    @property
    def is_early_answer(self) -> bool:
        """All that was typed ahead is one answer's key: a finger that was too fast."""
        keys = {option.keys for option in self.ask.options}
        return len(set(self.typed_ahead)) == 1 and self.typed_ahead[0] in keys

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def show_waiting(self, waiting: int) -> None:
        """How many more questions stand behind this one."""
        self._waiting = waiting
        self.redraw()

    def redraw(self) -> None:
        width, height = self.app.size
        room = height - ROWS_AROUND
        change = draw(self._change, width, self._palette) if self._change is not None else []
        options = [line for n, option in enumerate(self.ask.options)
                   for line in self._option(n, option, width)]  # fmt: skip
        footer = "enter to choose · ctrl + a for everything · esc to stop"
        tail = [BLANK, *self._block(footer, width, self._palette.dim, "  ")]
        head = self._head(width)
        around = len(head) + len(options) + len(tail) + 1
        if around + 1 + min(DIFF_ROWS, len(change)) > room:
            self.show_lines(self._in_short(width, room, change))
            return
        subject = self._subject(width, min(room - around, SUBJECT_ROWS))
        self.show_lines([*head, *subject, BLANK, *options, *tail])

    def _in_short(self, width: int, room: int, change: Sequence[Strip]) -> list[Strip]:
        """The answers as keys, a hint, and in the rows between as much of the subject as fits."""
        keys = self._keys(width)
        facts = self._facts(width)
        left = room - len(keys) - 2
        if change and len(facts) + len(change) + 1 > left:
            facts = [*change, *self._facts(width, self.ask.facts[len(self._changed_files) :])]
        shown = facts[: max(1, left)]
        hidden = len(facts) - len(shown)
        what = f"{hidden} more" if hidden else "everything"
        hint = cut_text(f"  ctrl + a for {what} · esc to stop", width)
        lines = [*self._head(width)[:1], *shown, *keys, styled((hint, self._palette.dim))]
        if len(lines) > room:
            lines = lines[1:]
        return lines if len(lines) <= room else [*shown[:1], *keys]

    @property
    def _changed_files(self) -> Sequence[object]:
        return self._change.files if self._change is not None else ()

    def _keys(self, width: int) -> list[Strip]:
        """Every answer's key and a word, the selected one marked."""
        palette = self._palette
        rows: list[list[tuple[str, Style]]] = [[]]
        used = 0
        for number, option in enumerate(self.ask.options):
            is_selected = number == self.selected
            label = f"{option.keys} {SHORT_LABELS.get(option.keys, '')}".rstrip()
            text = ("› " if is_selected else "  ") + label
            if rows[-1] and used + len(text) > width:
                rows.append([])
                used = 0
            rows[-1].append((text, palette.accent if is_selected else palette.text))
            used += len(text)
        return [styled(*row) for row in rows]

    def _head(self, width: int) -> list[Strip]:
        palette = self._palette
        more = f"  ({self._waiting} more to answer)" if self._waiting else ""
        title = ("  " + neutral(self.ask.title), palette.strong)
        lines = [styled(title, (more, palette.dim))]
        if self.ask.reason:
            lines += self._block(f"Reason: {self.ask.reason}", width, palette.emphasis, "  ")
        return lines

    def _subject(self, width: int, room: int) -> list[Strip]:
        lines = self._facts(width)
        if len(lines) > room:
            hidden = len(lines) - room + 1
            mark = f"    … +{hidden} lines (ctrl + a for everything)"
            lines = [*lines[: room - 1], styled((mark, self._palette.dim))]
        return lines

    def _facts(self, width: int, facts: Sequence[str] | None = None) -> list[Strip]:
        """The whole command, then what else is to be known; `facts` instead of all of these."""
        palette = self._palette
        lines: list[Strip] = []
        if self.ask.command:
            lines += self._block(self.ask.command, width, palette.command, "    ", "  $ ")
        for fact in self.ask.facts if facts is None else facts:
            lines += self._block(fact, width, palette.dim, "    ")
        return lines

    def _option(self, number: int, option: Option, width: int) -> Sequence[Strip]:
        palette = self._palette
        is_selected = number == self.selected
        style = palette.accent if is_selected else palette.text
        keys = "n, esc" if option.keys == "n" else option.keys
        mark = "› " if is_selected else "  "
        label = f"{number + 1}. {option.label} ({keys})"
        return self._block(label, width, style, "     ", mark)

    def _block(
        self, text: str, width: int, style: Style, indent: str, first: str | None = None
    ) -> list[Strip]:
        """`text` wrapped, control characters made harmless."""
        room = max(8, width - len(indent) - 1)
        lines: list[Strip] = []
        for paragraph in text.split("\n"):
            clean = neutral(paragraph)
            for line in lay_out(clean, room):
                lead = indent if lines or first is None else first
                lines.append(styled((lead, style), (clean[line.start : line.end].rstrip(), style)))
        return lines

    def take_key(self, event: events.Key) -> bool:
        character = event.character
        if self._is_guarded:
            self._guard_until = self._clock.monotonic() + GUARD_SECONDS
            if event.is_printable and character is not None:
                self.typed_ahead += character
            return True
        if character is not None and character.isdecimal():
            number = int(character) - 1
            if 0 <= number < len(self.ask.options):
                self._answer(self.ask.options[number])
            return True
        return False

    def take_paste(self, text: str) -> None:
        """A paste was meant for the draft."""
        self.typed_ahead += text

    @property
    def _is_guarded(self) -> bool:
        return self._clock.monotonic() < self._guard_until

    def action_move(self, step: int) -> None:
        self.selected = (self.selected + step) % len(self.ask.options)
        self.redraw()

    def action_confirm(self) -> None:
        self._answer(self.ask.options[self.selected])

    def action_pick(self, key: str) -> None:
        for option in self.ask.options:
            if option.keys == key:
                self._answer(option)
                return

    def action_full_view(self) -> None:
        self.post_message(self.FullViewWanted())

    def _answer(self, option: Option) -> None:
        self.post_message(self.Answered(option.actions))
