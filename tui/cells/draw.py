"""Drawing any cell: the one function both faces call.

`draw` gives the lines of a cell without blank lines around it; `gap_before` says how many blank
lines stand between two cells. Lines are `Strip`s of rich segments and never hold control
characters. With `fold` (the default) no line is wider than `width`. Without it, code and URLs that
do not fit stay in one line for the terminal to wrap, so that they can be selected and copied whole:
this is for lines committed to the terminal's own scrollback. Lines are not padded.

For the inline face, `blocks` gives the same lines in blocks and says how many of these will never
change again while the cell grows. The number of settled blocks depends on the text alone, not on
the width: after a resize the rest is drawn from the same block on. See `tui.cells.commit`.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from textual.strip import Strip

from tui.state.cells import AnyCell
from tui.text.palette import Palette

Mode: TypeAlias = Literal["brief", "full"]
"""As in the conversation, or everything, as in the transcript overlay."""


def draw(
    cell: AnyCell,
    width: int,
    palette: Palette,
    mode: Mode = "brief",
    *,
    fold: bool = True,
    now: float | None = None,
) -> list[Strip]:
    """The lines of a cell. `now` (Unix seconds) gives running cells their elapsed time."""
    raise NotImplementedError


def gap_before(previous: AnyCell | None, cell: AnyCell) -> int:
    """Blank lines between two cells that follow each other."""
    raise NotImplementedError


def plain(strips: Sequence[Strip]) -> str:
    """The text of drawn lines, trailing blanks removed; for tests and copying."""
    return "\n".join(strip.text.rstrip() for strip in strips)
