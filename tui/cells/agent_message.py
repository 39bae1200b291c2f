"""What the agent says, as markdown, streamed or settled.

A growing message keeps its parsed and drawn blocks between frames; only the open block is drawn
anew. The blocks are those of `tui.text.markdown_stream`, so a settled one is the same at any time.
"""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.cells.canvas import BULLET, HANG
from tui.state.cells import AgentMessageCell, ProposedPlanCell
from tui.text.markdown_stream import MarkdownStream
from tui.text.palette import Palette
from tui.text.spans import Spans, joined, styled, width_of
from tui.text.wrap import wrap

MessageCell = AgentMessageCell | ProposedPlanCell

_KEPT_WIDTHS = 3


class MessageDrawing:
    """One message's blocks as strips, kept from frame to frame."""

    def __init__(self) -> None:
        self._stream = MarkdownStream()
        self._kept: dict[tuple[int, int, bool], tuple[Palette, list[list[Strip]]]] = {}

    def update(self, cell: MessageCell) -> bool:
        """Take the cell as it is now; False if its text does not go on from before."""
        return self._stream.update(cell.text, complete=cell.complete)

    @property
    def settled(self) -> int:
        return len(self._stream.settled)

    def blocks(
        self,
        cell: MessageCell,
        width: int,
        palette: Palette,
        *,
        fold_long: bool,
        start: int = 0,
        settled_only: bool = False,
    ) -> list[list[Strip]]:
        """The lines of the blocks from `start` on; a blank line before a block belongs to it."""
        frame = _frame_of(cell, palette)
        inner = max(1, width - len(HANG))
        shown: list[list[Strip]] = []
        if start < self.settled:
            drawn = self._stream.settled_lines(inner, palette, fold_long=fold_long)
            kept = self._kept_strips(width, palette, fold_long=fold_long)
            for index in range(len(kept), self.settled):
                kept.append(frame.strips(drawn[index], width, is_first=index == 0))
            shown = kept[start:]
        if settled_only:
            return shown
        fresh = self._stream.open_lines(inner, palette, fold_long=fold_long)
        for index, lines in enumerate(fresh, self.settled):
            if index >= start:
                shown.append(frame.strips(lines, width, is_first=index == 0))
        return shown

    def _kept_strips(self, width: int, palette: Palette, *, fold_long: bool) -> list[list[Strip]]:
        key = (width, id(palette), fold_long)
        kept_palette, kept = self._kept.get(key, (palette, []))
        if kept_palette is not palette:
            kept = []
        self._kept[key] = (palette, kept)
        while len(self._kept) > _KEPT_WIDTHS:
            del self._kept[next(iter(self._kept))]
        return kept


class _Frame:
    """What stands around the markdown: the bullet, or a plan's heading and tint."""

    def __init__(self, first: Spans, row: Style, heading: list[Spans]) -> None:
        self._first = first
        self._row = row
        self._heading = heading

    def strips(self, lines: Iterable[Spans], width: int, *, is_first: bool) -> list[Strip]:
        drawn: list[Spans] = list(self._heading) if is_first else []
        lead = self._first if is_first else [Segment(HANG)]
        for line in lines:
            drawn.append(joined([*lead, *line]) if line or lead is self._first else [])
            lead = [Segment(HANG)]
        if self._row != Style.null():
            drawn = [
                styled([*line, Segment(" " * max(0, width - width_of(line)))], self._row)
                for line in drawn
            ]
        return [Strip(line) for line in drawn]


def _frame_of(cell: MessageCell, palette: Palette) -> _Frame:
    if isinstance(cell, ProposedPlanCell):
        heading: list[Spans] = [
            [Segment(BULLET, palette.mode), Segment("Proposed Plan", palette.strong)],
            [],
        ]
        return _Frame([Segment(HANG)], palette.proposed_row, heading)
    return _Frame([Segment(BULLET)], Style.null(), [])


def ending(cell: MessageCell, width: int, palette: Palette) -> list[Strip]:
    """A line after a message that was cut off."""
    if not isinstance(cell, AgentMessageCell) or not cell.cut_off:
        return []
    lines = wrap([Segment("… cut off here", palette.dim)], width, first=[Segment(HANG)])
    return [Strip(line) for line in lines]


class DrawingCache:
    """The drawings of the messages that are growing or were drawn last, by cell id."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._drawings: dict[str, MessageDrawing] = {}

    def drawing(self, cell: MessageCell) -> MessageDrawing:
        drawing = self._drawings.pop(cell.id, None)
        if drawing is None or not drawing.update(cell):
            drawing = MessageDrawing()
            drawing.update(cell)
        self._drawings[cell.id] = drawing
        if len(self._drawings) > self._size:
            del self._drawings[next(iter(self._drawings))]
        return drawing

    def clear(self) -> None:
        self._drawings.clear()
