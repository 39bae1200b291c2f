"""The commands that match what is being typed, under the composer. Rows wrap round."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.strip import Strip

from tui.text.palette import Palette
from tui.widgets.drawn import Drawn, cut, styled

MAX_ROWS = 8
ROWS_AROUND = 5
"""Kept for the composer and the footer."""


class Suggestion(NamedTuple):
    """A name and what it does."""

    name: str
    help: str
    matched: tuple[int, ...] = ()
    """Positions in the name that matched."""


class Popup(Drawn):
    """Suggestions, one selected; the composer keeps the focus and sends the keys."""

    def __init__(self, palette: Palette, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._suggestions: tuple[Suggestion, ...] = ()
        self._empty_text = ""
        self.selected = 0
        self._was_moved = False
        self.display = False

    @property
    def is_open(self) -> bool:
        return bool(self._suggestions) or bool(self._empty_text)

    @property
    def choice(self) -> Suggestion | None:
        return self._suggestions[self.selected] if self._suggestions else None

    def offer(self, suggestions: Sequence[Suggestion], empty_text: str = "") -> None:
        """Show these, best first; a selection the person moved stays while it is among them."""
        kept = self.choice if self._was_moved else None
        self._suggestions = tuple(suggestions)
        self._empty_text = "" if suggestions else empty_text
        names = [suggestion.name for suggestion in suggestions]
        self._was_moved = kept is not None and kept.name in names
        self.selected = names.index(kept.name) if kept and self._was_moved else 0
        self._draw()

    def close_popup(self) -> None:
        self.offer(())

    def move(self, step: int) -> None:
        if self._suggestions:
            self.selected = (self.selected + step) % len(self._suggestions)
            self._was_moved = True
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        palette = self._palette
        if not self._suggestions:
            self.show_lines(
                [styled(("  " + self._empty_text, palette.dim))] if self._empty_text else []
            )
            return
        width = self.size.width or self.app.size.width
        rows = max(2, min(MAX_ROWS, self.app.size.height - ROWS_AROUND))
        first = min(max(0, self.selected - rows + 1), max(0, len(self._suggestions) - rows))
        shown = self._suggestions[first : first + rows]
        column = min(max(len(one.name) for one in self._suggestions) + 2, max(12, width // 2))
        self.show_lines(
            [
                cut(self._row(one, first + number == self.selected, column), width)
                for number, one in enumerate(shown)
            ]
        )

    def _row(self, suggestion: Suggestion, is_selected: bool, column: int) -> Strip:
        palette = self._palette
        base = palette.accent if is_selected else palette.text
        strong = base + palette.strong
        parts = [("  ", palette.text)]
        parts += [
            (character, strong if position in suggestion.matched else base)
            for position, character in enumerate(suggestion.name)
        ]
        parts.append((" " * max(2, column - len(suggestion.name)), palette.text))
        parts.append((suggestion.help, palette.accent if is_selected else palette.dim))
        return styled(*parts)
