"""Moves cells about in a thread: into the live part, grown, settled, dropped.

The one invariant: a settled cell never changes and settled cells are only added at the end.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from tui.state.cells import AnyCell, Cell, CommandCell, ExploringCell, NoticeCell, NoticeLevel
from tui.state.thread import ThreadState

C = TypeVar("C", bound=Cell)


def live_cell(thread: ThreadState, cell_id: str) -> AnyCell | None:
    return next((cell for cell in thread.live if cell.id == cell_id), None)


def put_live(thread: ThreadState, cell: AnyCell) -> ThreadState:
    """The cell in the live part: in place of the one with its id, or at the end."""
    if any(other.id == cell.id for other in thread.live):
        live = tuple(cell if other.id == cell.id else other for other in thread.live)
    else:
        live = (*thread.live, cell)
    return replace(thread, live=live)


def drop_live(thread: ThreadState, cell_id: str) -> ThreadState:
    return replace(thread, live=tuple(cell for cell in thread.live if cell.id != cell_id))


def settle(thread: ThreadState, cell: AnyCell) -> ThreadState:
    """The finished cell at the end of the transcript, no longer live."""
    thread = drop_live(thread, cell.id)
    return replace(thread, settled=(*thread.settled, cell))


def grow(thread: ThreadState, cell_id: str, kind: type[C], change: Callable[[C], C]) -> ThreadState:
    """Change a live cell of that kind; nothing happens when there is none."""
    cell = live_cell(thread, cell_id)
    if not isinstance(cell, kind):
        return thread
    return put_live(thread, change(cell))  # type: ignore[arg-type]  # C is one of AnyCell


def find_command(thread: ThreadState, item_id: str) -> CommandCell | None:
    """A live command by its item, also inside an exploring group."""
    for cell in thread.live:
        if isinstance(cell, CommandCell) and cell.id == item_id:
            return cell
        if isinstance(cell, ExploringCell):
            for call in cell.calls:
                if call.id == item_id:
                    return call
    return None


def grow_command(
    thread: ThreadState, item_id: str, change: Callable[[CommandCell], CommandCell]
) -> ThreadState:
    """Change a live command, on its own or inside an exploring group."""
    for cell in thread.live:
        if isinstance(cell, CommandCell) and cell.id == item_id:
            return put_live(thread, change(cell))
        if isinstance(cell, ExploringCell) and any(call.id == item_id for call in cell.calls):
            calls = tuple(change(call) if call.id == item_id else call for call in cell.calls)
            return put_live(thread, replace(cell, calls=calls))
    return thread


def own_id(thread: ThreadState) -> tuple[ThreadState, str]:
    """An id for a cell that has no item on the server."""
    number = thread.own_cells + 1
    return replace(thread, own_cells=number), f"own-{number}"


def say(thread: ThreadState, level: NoticeLevel, text: str, details: str = "") -> ThreadState:
    """A notice at the end of the transcript."""
    thread, cell_id = own_id(thread)
    return settle(thread, NoticeCell(id=cell_id, level=level, text=text, details=details))


def warn_once(thread: ThreadState, text: str) -> ThreadState:
    """A warning, unless the same one is in the recent transcript: some come with every turn."""
    said = any(
        isinstance(cell, NoticeCell) and cell.level == "warning" and cell.text == text
        for cell in thread.settled[-200:]
    )
    return thread if said else say(thread, "warning", text)


def close_exploring(thread: ThreadState) -> ThreadState:
    """Let no more calls join the open group; settle it when all of its calls are done."""
    for cell in thread.live:
        if isinstance(cell, ExploringCell) and not cell.closed:
            thread = settle_exploring(thread, replace(cell, closed=True))
    return thread


def settle_exploring(thread: ThreadState, cell: ExploringCell) -> ThreadState:
    if not cell.calls:
        return drop_live(thread, cell.id)
    if cell.closed and all(call.status not in ("running", "waiting") for call in cell.calls):
        return settle(thread, cell)
    return put_live(thread, cell)
