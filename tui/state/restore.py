"""A stored conversation as cells: the same reading as live, over finished items."""

from msgspec.structs import replace

from app_server.protocol.item import (
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    ThreadItem,
)
from app_server.protocol.thread_data import Thread, Turn
from app_server.protocol.wire import known
from tui.state.cells import AnyCell, NoticeCell, SeparatorCell
from tui.state.errors import readable_error
from tui.state.model import Settings
from tui.state.reduce_items import complete_item, start_item
from tui.state.reduce_turns import INTERRUPTED, settle_unfinished
from tui.state.thread import ThreadState, TurnStatus
from tui.state.transcript import grow_command, own_id, say, settle


def restored(thread: ThreadState, stored: Thread, settings: Settings, at: float) -> ThreadState:
    """The thread with the turns of `stored` in place of whatever it had."""
    header = tuple(cell for cell in thread.settled[:1] if not isinstance(cell, NoticeCell))
    thread = replace(
        thread,
        settled=header,
        live=(),
        epoch=thread.epoch + 1,
        turns=len(stored.turns),
        plan=(),
        last_answer="",
        turn_id=None,
        status=None,
        terminals=(),
    )
    # Turn by turn from an empty list: adding to a long one each time would cost its square.
    settled: list[AnyCell] = list(header)
    for turn in stored.turns:
        thread = _restore_turn(replace(thread, settled=()), turn, settings, at)
        settled += thread.settled
    return replace(thread, settled=tuple(settled))


def _restore_turn(thread: ThreadState, turn: Turn, settings: Settings, at: float) -> ThreadState:
    running = turn.status == "inProgress"
    thread = replace(thread, turn_used_tools=False)
    for item in turn.items:
        if getattr(item, "status", None) == "inProgress":
            thread = start_item(thread, item, turn.id, at)
        else:
            stopped = broke_off(item, turn)
            thread = complete_item(thread, item, turn.id, settings, broke_off=stopped)
        if not running:  # what still runs has been left to the background
            thread = grow_command(thread, item.id, lambda cell: replace(cell, visited=True))
    if running:
        return replace(thread, turn_id=turn.id, status=TurnStatus(running_since=at))
    thread = settle_unfinished(thread, interrupted=turn.status == "interrupted")
    if turn.error is not None:
        return say(thread, "error", *readable_error(turn.error))
    if turn.status == "interrupted":
        return say(thread, "error", INTERRUPTED)
    if thread.turn_used_tools:
        thread, cell_id = own_id(thread)
        thread = settle(thread, SeparatorCell(id=cell_id, duration_ms=turn.duration_ms))
    return thread


def broke_off(item: ThreadItem, turn: Turn) -> bool:
    """Whether a command or patch was stopped, which items call failed, too: it has no result."""
    interrupted = turn.status in ("interrupted", "failed")
    match item:
        case CommandExecutionThreadItem(status="failed", exit_code=None):
            return interrupted or item.process_id is not None or item.duration_ms is not None
        case FileChangeThreadItem(status="failed"):
            return interrupted and not known(item.error)
        case _:
            return False
