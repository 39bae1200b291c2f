"""Inline: the rows between the terminal's scrollback and the composer, still changing.

When they are more than fit, the latest are shown; the rest follows when it is settled, or in the
transcript overlay.
"""

from collections.abc import Sequence

from textual.strip import Strip

from tui.text.palette import Palette
from tui.widgets.drawn import Drawn, styled

MAX_ROWS = 14
"""Rows the terminal has pushed into its history can never be redrawn: the region stays low."""


LEAST_ROWS = 3
"""Less than that says nothing, and what is below needs the room."""


class LiveTail(Drawn):
    """Given strips by the chat screen."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="live-tail")
        self._palette = palette
        self.display = False

    def show_tail(self, strips: Sequence[Strip], room: int) -> bool:
        """Returns whether the height has changed."""
        if room < LEAST_ROWS and len(strips) > room:
            return self.show_lines(())
        room = min(MAX_ROWS, room)
        if len(strips) > room:
            hidden = len(strips) - room + 1
            above = styled((f"  … {hidden} more lines", self._palette.dim))
            strips = [above, *strips[hidden:]]
        return self.show_lines(strips)
