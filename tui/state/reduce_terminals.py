"""Commands that outlived their turn, as the server counts them."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from app_server.protocol.thread_shell import ThreadBackgroundTerminal
from tui.state.cells import CommandCell
from tui.state.from_items import shown_command
from tui.state.thread import ThreadState
from tui.state.transcript import find_command, grow_command


def listed(thread: ThreadState, running: Sequence[ThreadBackgroundTerminal]) -> ThreadState:
    """The server's word counts: what it names runs, what it does not name has ended.

    Commands of the running turn stay where they are and only learn their process.
    """
    known = {cell.id: cell for cell in thread.terminals}
    terminals: list[CommandCell] = []
    for one in running:
        if find_command(thread, one.item_id) is not None:
            thread = grow_command(thread, one.item_id, _with_process(one.process_id))
            continue
        cell = known.get(one.item_id) or CommandCell(
            id=one.item_id, command=shown_command(one.command), cwd=one.cwd
        )
        terminals.append(replace(cell, process_id=one.process_id))
    return replace(thread, terminals=tuple(terminals))


def _with_process(process_id: str) -> Callable[[CommandCell], CommandCell]:
    return lambda cell: replace(cell, process_id=process_id)
