"""What the inline face may push into the terminal's scrollback, and what is still open.

`Committer` remembers what has been committed and is asked once per frame. Committed lines are never
repeated, and taken back only by `take_back`, to be laid out anew. Settled cells come in order; of a
growing message the blocks that cannot change any more come early, and whatever settles meanwhile
waits until that message is done. If a message that was partly committed is discarded (its stream
broke and is tried again), a line says so. Knows no terminal: it returns lines.
"""

from collections.abc import Sequence

import msgspec
from rich.segment import Segment
from textual.strip import Strip

from tui.cells.draw import Mode, draw, draw_blocks, gap_before
from tui.cells.laid_out import LaidOut
from tui.state.cells import AgentMessageCell, AnyCell, ProposedPlanCell
from tui.state.select import left_behind, live_cells
from tui.state.thread import ThreadState
from tui.text.palette import Palette

STARTED_AGAIN = "  ↻ The connection broke here; the answer starts again below."
SHOWN_AGAIN = "  ↻ Part of this was missing above; here is the whole of it."


class Frame(msgspec.Struct, frozen=True):
    """Lines to commit now (above the region), and the lines of the region itself."""

    commit: list[Strip]
    region: list[Strip]


class _Open(msgspec.Struct):
    """A message of which some blocks are committed."""

    cell: AgentMessageCell | ProposedPlanCell
    blocks: int


class Committer:
    """One per transcript on screen; `reset` when the transcript was replaced."""

    def __init__(self) -> None:
        self._laid_out = LaidOut()
        self._noted = 0
        """How many lines of the frame being made are in there."""
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame commits from the first cell on."""
        self._cells = 0
        self._epoch: int | None = None
        self._last: AnyCell | None = None
        self._open: _Open | None = None
        self._laid_out.forget()

    def take_back(self, columns: int, most_rows: int) -> int:
        """Give up the latest commits, at most so many rows of a terminal that has become this
        wide; the next frame commits them again. Returns how many rows these were."""
        self._laid_out.fits_in(columns)
        found = self._laid_out.take_back(most_rows)
        if found is None:
            return 0
        mark, rows = found
        self._cells, self._last, self._open = mark.cells, mark.last, None
        return rows

    def narrowed(self, columns: int) -> None:
        """The terminal is, or was for a while, this wide."""
        self._laid_out.fits_in(columns)

    def keep_all(self) -> None:
        """Other lines follow what is committed: it stays as it is."""
        self._laid_out.forget()

    def frame(self, thread: ThreadState, width: int, palette: Palette, now: float) -> Frame:
        """What to add to the scrollback, and what to show below it."""
        if self._epoch is not None and self._epoch != thread.epoch:
            self.reset()
        self._epoch = thread.epoch
        frame = self._frame(thread, width, palette, now)
        self._laid_out.add(frame.commit[self._noted :])
        self._noted = 0
        return frame

    def _frame(self, thread: ThreadState, width: int, palette: Palette, now: float) -> Frame:
        commit: list[Strip] = []
        waiting = thread.settled[self._cells :]
        live = live_cells(thread)
        opened = self._open
        if opened is not None:
            finished = next((cell for cell in waiting if cell.id == opened.cell.id), None)
            growing = next((cell for cell in live if cell.id == opened.cell.id), None)
            if isinstance(finished, AgentMessageCell | ProposedPlanCell):
                self._finish_message(finished, commit, width, palette)
            elif not isinstance(growing, AgentMessageCell | ProposedPlanCell):
                commit.append(Strip([Segment(STARTED_AGAIN, palette.dim)]))
                self._open = None
            else:
                commit += self._grow_message(growing, width, palette)
                return Frame(
                    commit, self._region(thread, waiting, live, growing, width, palette, now)
                )
            waiting = tuple(cell for cell in waiting if cell.id != opened.cell.id)
        for place, cell in enumerate(waiting, self._cells):
            if opened is None:
                self._begin(place, commit)
            commit += self._whole(cell, width, palette)
        self._cells = len(thread.settled)
        first = live[0] if live else None
        if isinstance(first, AgentMessageCell | ProposedPlanCell):
            self._begin(self._cells, commit)
            commit += self._begin_message(first, width, palette)
        else:
            first = None
        return Frame(commit, self._region(thread, (), live, first, width, palette, now))

    def _begin(self, cells: int, commit: list[Strip]) -> None:
        """What is committed from here on can be taken back without what is before it."""
        self._laid_out.add(commit[self._noted :])
        self._noted = len(commit)
        self._laid_out.begin(cells, self._last)

    def _whole(self, cell: AnyCell, width: int, palette: Palette) -> list[Strip]:
        lines = draw(cell, width, palette, fold=False)
        if not lines:
            return []
        gap = gap_before(self._last, cell)
        self._last = cell
        return [*_blank(gap), *lines]

    def _begin_message(
        self, cell: AgentMessageCell | ProposedPlanCell, width: int, palette: Palette
    ) -> list[Strip]:
        """The settled blocks of a message of which nothing is committed yet."""
        drawn = draw_blocks(cell, width, palette, fold=False, settled_only=True)
        if not drawn.settled:
            return []
        gap = gap_before(self._last, cell)
        self._last = cell
        self._open = _Open(cell, drawn.settled)
        return [*_blank(gap), *_flat(drawn.blocks)]

    def _grow_message(
        self, cell: AgentMessageCell | ProposedPlanCell, width: int, palette: Palette
    ) -> list[Strip]:
        assert self._open is not None
        if not cell.text.startswith(self._open.cell.text):
            return [*self._again(palette), *self._begin_message(cell, width, palette)]
        start = self._open.blocks
        drawn = draw_blocks(cell, width, palette, fold=False, start=start, settled_only=True)
        self._open = _Open(cell, max(start, drawn.settled))
        return _flat(drawn.blocks)

    def _finish_message(
        self,
        cell: AgentMessageCell | ProposedPlanCell,
        commit: list[Strip],
        width: int,
        palette: Palette,
    ) -> None:
        """The rest of a message; all of it, where it is not what had been committed."""
        assert self._open is not None
        start = self._open.blocks
        if not cell.text.startswith(self._open.cell.text):
            commit += self._again(palette)
            start = 0
        commit += _flat(draw_blocks(cell, width, palette, fold=False, start=start).blocks)
        self._last = cell
        self._open = None

    def _again(self, palette: Palette) -> list[Strip]:
        self._open = None
        return [Strip([Segment(SHOWN_AGAIN, palette.dim)])]

    def _region(
        self,
        thread: ThreadState,
        held: Sequence[AnyCell],
        live: Sequence[AnyCell],
        message: AgentMessageCell | ProposedPlanCell | None,
        width: int,
        palette: Palette,
        now: float,
    ) -> list[Strip]:
        """What is not committed: the rest of a message, what waits behind it, what else runs."""
        lines: list[Strip] = []
        last = self._last
        behind = {cell.id for cell in left_behind(thread)}
        if message is not None:
            skip = self._open.blocks if self._open is not None else 0
            rest = _flat(draw_blocks(message, width, palette, start=skip).blocks)
            if rest:
                lines += [*_blank(0 if skip else gap_before(last, message)), *rest]
                last = message
        for cell in (*held, *(cell for cell in live if cell is not message)):
            mode: Mode = "title" if cell.id in behind else "brief"
            drawn = draw(cell, width, palette, mode, now=now)
            if drawn:
                lines += [*_blank(gap_before(last, cell)), *drawn]
                last = cell
        return lines


def lines_of(
    cells: Sequence[AnyCell], width: int, palette: Palette, *, fold: bool = True
) -> list[Strip]:
    """Finished cells with the blank lines between them."""
    lines: list[Strip] = []
    last: AnyCell | None = None
    for cell in cells:
        drawn = draw(cell, width, palette, fold=fold)
        if drawn:
            lines += [*_blank(gap_before(last, cell)), *drawn]
            last = cell
    return lines


def _blank(count: int) -> list[Strip]:
    return [Strip([]) for _ in range(count)]


def _flat(blocks: Sequence[Sequence[Strip]]) -> list[Strip]:
    return [strip for block in blocks for strip in block]
