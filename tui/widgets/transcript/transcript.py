"""Full screen: the whole conversation in one virtual list.

Cells are drawn when they come into view and their strips kept by cell and width; the heights of
those not drawn yet are estimated, and corrected while scrolling without moving what is on screen.
The end stays in view unless the reader has scrolled away from it.
"""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from itertools import accumulate

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.cells.draw import draw, gap_before
from tui.state.cells import AnyCell
from tui.text.palette import Palette
from tui.widgets.drawn import BLANK


class Transcript(ScrollView, can_focus=False):
    """Cells in, lines out."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="transcript")
        self._palette = palette
        self._cells: list[AnyCell] = []
        self._lines: list[list[Strip] | None] = []
        self._heights: list[int] = []
        self._ends: list[int] = []
        self._epoch: Hashable = None
        self._width = 0
        self._at = 0.0
        self._follows_end = True

    def show_cells(self, cells: Sequence[AnyCell], epoch: Hashable, at: float) -> None:
        """Show these; settled ones are the same objects as before and stay drawn."""
        self._at = at
        width = self.scrollable_content_region.width
        if epoch != self._epoch or width != self._width:
            self._epoch, self._width = epoch, width
            self._cells, self._lines, self._heights = [], [], []
            self._follows_end = True
        same = 0
        for old, new in zip(self._cells, cells, strict=False):
            if old is not new:
                break
            same += 1
        if same == len(cells) == len(self._cells) and not _has_running(cells):
            return
        del self._cells[same:], self._lines[same:], self._heights[same:]
        for cell in cells[same:]:
            self._cells.append(cell)
            self._lines.append(None)
            self._heights.append(self._estimate(cell))
        self._settle()
        self.refresh()

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        """Keep the end in view in the same step in which the room for it changes.

        Not in `on_resize`: no `Resize` is sent where somebody has looked at the layout between a
        change of style and the layout it leads to.
        """
        is_new = super()._size_updated(size, virtual_size, container_size, layout)
        if is_new and self.scrollable_content_region.width != self._width:
            cells, self._cells = tuple(self._cells), []
            self.show_cells(cells, self._epoch, self._at)
        elif is_new:
            self._settle()
            self.refresh()
        return is_new

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        self._follows_end = round(new) >= self.max_scroll_y
        self._settle()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        row = y + round(self.scroll_offset.y)
        index = bisect_right(self._ends, row)
        if index >= len(self._cells):
            return Strip.blank(width)
        lines = self._drawn(index)
        inside = row - (self._ends[index] - self._heights[index])
        if not 0 <= inside < len(lines):
            return Strip.blank(width)
        return lines[inside].adjust_cell_length(width)

    def _settle(self) -> None:
        """Draw what is in view, correct the heights, and keep the reader's place."""
        view = self.scrollable_content_region.height
        if not view or not self._width:
            return
        for _ in range(3):
            self._add_up()
            total = self._ends[-1] if self._ends else 0
            top = max(0, total - view) if self._follows_end else round(self.scroll_offset.y)
            shift = self._measure(top, top + view)
            if not shift:
                break
        self._add_up()
        total = self._ends[-1] if self._ends else 0
        self.virtual_size = Size(self._width, total)
        if self._follows_end:
            target = max(0, total - view)
            if round(self.scroll_offset.y) != target:
                self.set_reactive(Transcript.scroll_y, float(target))
                self.set_reactive(Transcript.scroll_target_y, float(target))
                self.refresh(layout=False)

    def _measure(self, top: int, bottom: int) -> bool:
        """Draw the cells between two rows; whether a height was wrong."""
        changed = False
        index = bisect_right(self._ends, top)
        while index < len(self._cells) and self._ends[index] - self._heights[index] < bottom:
            before = self._heights[index]
            self._heights[index] = len(self._drawn(index))
            changed = changed or self._heights[index] != before
            index += 1
        return changed

    def _add_up(self) -> None:
        self._ends = list(accumulate(self._heights))

    def _drawn(self, index: int) -> list[Strip]:
        lines = self._lines[index]
        if lines is None:
            cell = self._cells[index]
            gap = gap_before(self._cells[index - 1] if index else None, cell)
            body = draw(cell, self._width, self._palette, now=self._at)
            lines = [*[BLANK] * gap, *body]
            self._lines[index] = lines
        return lines

    def _estimate(self, cell: AnyCell) -> int:
        text = getattr(cell, "text", "")
        if not isinstance(text, str) or not text:
            return 3
        return 2 + text.count("\n") + len(text) // max(20, self._width)


def _has_running(cells: Sequence[AnyCell]) -> bool:
    return any(getattr(cell, "status", "") == "running" for cell in cells[-8:])
