"""One from a list: a title, numbered rows with descriptions, an optional search line.

A digit picks at once where nothing is searched for. Descriptions wrap under their own column, or
under their label where the terminal is narrow; nothing is cut. Where not all rows fit, the title
says which of how many is selected. A list that comes up by itself takes no key that was on its way
to the draft (`typed_ahead`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.text.palette import TERMINAL, Palette
from tui.widgets.composer.layout import lay_out
from tui.widgets.drawn import BLANK, Drawn, cut, styled
from tui.widgets.typed_ahead import TypedAhead

ROWS_AROUND = 4
"""Kept for a row of the conversation, a blank one above the panel, and the footer."""
SMALL_HEIGHT = 14
"""Below this only the title and the choices are shown, with the help of the selected one."""


class Choice(NamedTuple):
    """One row. `value` is what a choice of it means."""

    label: str
    value: Any
    help: str = ""
    is_current: bool = False


class ListPicker(Drawn, can_focus=True):
    """Choose one, or go back."""

    KEY_CONTEXTS = ("list",)

    @dataclass
    class Chosen(Message):
        picker: "ListPicker"
        choice: Choice

        @property
        def control(self) -> "ListPicker":
            return self.picker

    @dataclass
    class Cancelled(Message):
        picker: "ListPicker"

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        intro: Sequence[str] = (),
        footer: str = "enter to choose · esc to go back",
        searchable: bool = False,
        palette: Palette = TERMINAL,
        typed_ahead: TypedAhead | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._typed_ahead = typed_ahead
        self._title = title
        self._intro = intro
        self._all = list(choices)
        self._footer = footer
        self._searchable = searchable
        self._palette = palette
        self._query = ""
        self._max_rows = 0
        current = next((n for n, choice in enumerate(choices) if choice.is_current), 0)
        self.selected = current

    @property
    def choices(self) -> list[Choice]:
        """What matches the search."""
        words = self._query.casefold().split()
        if not words:
            return self._all
        return [
            choice
            for choice in self._all
            if all(word in f"{choice.label} {choice.help}".casefold() for word in words)
        ]

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        width = self.app.size.width
        rows = self._rows(width)
        height = self.app.size.height
        tail = [BLANK, styled(("  " + self._footer, self._palette.dim))]
        head = self._head(width)
        if height < SMALL_HEIGHT:
            head, tail = head[:1], []
        room = max(2, height - len(head) - len(tail) - ROWS_AROUND)
        flat: list[Strip] = []
        first_of: list[int] = []
        for row in rows:
            first_of.append(len(flat))
            flat += row
        top = 0
        if len(flat) > room and rows:
            end = first_of[self.selected] + len(rows[self.selected])
            top = max(0, end - room)
            place = styled((f"  {self.selected + 1} of {len(rows)}", self._palette.dim))
            head = [cut(Strip([*line, *place]), width) for line in head[:1]] + head[1:]
        lines = [*head, *flat[top : top + room]]
        if not rows:
            lines.append(styled(("  nothing matches", self._palette.dim)))
        self.show_lines([*lines, *tail])

    def _head(self, width: int) -> list[Strip]:
        palette = self._palette
        lines = []
        if self._title:
            lines += [
                styled(("  " + part, palette.strong)) for part in _wrapped(self._title, width - 3)
            ]
        for paragraph in self._intro:
            lines += [styled(("  " + part, palette.dim)) for part in _wrapped(paragraph, width - 3)]
        if self._searchable:
            query = self._query or "type to search"
            style = palette.text if self._query else palette.dim
            lines.append(styled(("  ", palette.text), (query, style)))
        if lines:
            lines.append(BLANK)
        return lines

    def _rows(self, width: int) -> list[list[Strip]]:
        choices = self.choices
        if not choices:
            return []
        labels = [self._label(number, choice) for number, choice in enumerate(choices)]
        column = max(map(cell_len, labels)) + 2
        side_by_side = column <= width * 6 // 10
        return [
            self._row(number, choice, labels[number], column if side_by_side else 0, width)
            for number, choice in enumerate(choices)
        ]

    def _label(self, number: int, choice: Choice) -> str:
        numbered = "" if self._searchable else f"{number + 1}. "
        return numbered + choice.label + (" (current)" if choice.is_current else "")

    def _row(self, number: int, choice: Choice, label: str, column: int, width: int) -> list[Strip]:
        palette = self._palette
        is_selected = number == self.selected
        if not is_selected and self.app.size.height < SMALL_HEIGHT:
            choice = choice._replace(help="")
        style = palette.accent if is_selected else palette.text
        help_style = palette.accent if is_selected else palette.dim
        mark = "› " if is_selected else "  "
        indent = 2 + (0 if self._searchable else len(f"{number + 1}. "))
        if not column:
            labels = _wrapped(label, width - 3, hang=indent - 2)
            lines = [
                styled((mark if n == 0 else "  ", style), (part, style))
                for n, part in enumerate(labels)
            ]
            return lines + [
                styled((" " * indent + part, help_style))
                for part in _wrapped(choice.help, width - indent - 1)
                if choice.help
            ]
        helps = _wrapped(choice.help, width - column - 3) if choice.help else [""]
        first = styled(
            (mark, style), (label, style), (" " * (column - cell_len(label)), Style.null()),
            (helps[0], help_style),
        )  # fmt: skip
        return [first, *(styled((" " * (column + 2) + part, help_style)) for part in helps[1:])]

    def for_draft(self, *, is_empty: bool) -> str:
        """What was typed before the list could be read, and belongs into the draft."""
        if self._typed_ahead is None:
            return ""
        digits = [str(number) for number in range(1, len(self._all) + 1)]
        return self._typed_ahead.for_draft(digits, is_empty=is_empty)

    def take_paste(self, text: str) -> None:
        if self._typed_ahead is not None:
            self._typed_ahead.text += text

    def take_key(self, event: events.Key) -> bool:
        character = event.character
        if self._typed_ahead is not None and self._typed_ahead.takes(event):
            return True
        if self._searchable and event.key == "backspace":
            self._search(self._query[:-1])
        elif event.is_printable and character is not None:
            if self._searchable:
                self._search(self._query + character)
            elif character.isdecimal() and 1 <= int(character) <= len(self.choices):
                self.selected = int(character) - 1
                self.action_accept()
            elif character in "jk":
                self.action_move(1 if character == "j" else -1)
        else:
            return False
        return True

    def _search(self, query: str) -> None:
        self._query = query
        self.selected = 0
        self.redraw()

    def action_move(self, step: int) -> None:
        count = len(self.choices)
        if not count:
            return
        if abs(step) == 1:
            self.selected = (self.selected + step) % count
        else:
            self.selected = max(0, min(count - 1, self.selected + step))
        self.redraw()

    def action_accept(self) -> None:
        choices = self.choices
        if choices:
            self.post_message(self.Chosen(self, choices[self.selected]))

    def action_cancel(self) -> None:
        if self._query:
            self._search("")
            return
        self.post_message(self.Cancelled(self))


def _wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    """`text` in lines no wider than `width`; those after the first are indented by `hang`."""
    width = max(8, width)
    first, *rest = [text[line.start : line.end].rstrip() for line in lay_out(text, width - hang)]
    return [first, *(" " * hang + part for part in rest)]
