"""What the inline face may push into the terminal's scrollback, and what is still open.

`Committer` remembers what has been committed and is asked once per frame. Committed lines are
never taken back and never repeated; the settled cells come in order, and of a growing message the
blocks that cannot change any more come early. Knows no terminal: it returns lines.
"""

from collections.abc import Sequence

import msgspec
from textual.strip import Strip

from tui.state.cells import AnyCell
from tui.state.thread import ThreadState
from tui.text.palette import Palette


class Frame(msgspec.Struct, frozen=True):
    """Lines to commit now (above the region), and the lines of the region itself."""

    commit: list[Strip]
    region: list[Strip]


class Committer:
    """One per transcript on screen; `reset` when the transcript was replaced."""

    def reset(self) -> None:
        """Forget everything: the next frame commits from the first cell on."""
        raise NotImplementedError

    def frame(self, thread: ThreadState, width: int, palette: Palette, now: float) -> Frame:
        """What to add to the scrollback, and what to show below it."""
        raise NotImplementedError


def lines_of(
    cells: Sequence[AnyCell], width: int, palette: Palette, *, fold: bool = True
) -> list[Strip]:
    """Finished cells with the blank lines between them."""
    raise NotImplementedError
