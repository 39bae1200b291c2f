"""A stored conversation as cells: the same reading as live, over finished items."""

from msgspec.structs import replace

from app_server.protocol.thread_data import Thread, Turn
from tui.state.cells import AnyCell, NoticeCell, SeparatorCell
from tui.state.errors import readable_error
from tui.state.model import Settings
from tui.state.reduce_items import complete_item, start_item
from tui.state.reduce_turns import INTERRUPTED, settle_unfinished
from tui.state.thread import ThreadState, TurnStatus
from tui.state.transcript import own_id, say, settle


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
        if running and getattr(item, "status", None) == "inProgress":
            thread = start_item(thread, item, turn.id, at)
        else:
            thread = complete_item(thread, item, turn.id, settings)
    if running:
        return replace(thread, turn_id=turn.id, status=TurnStatus(running_since=at))
    thread = settle_unfinished(thread, interrupted=turn.status == "interrupted")
    thread = replace(thread, terminals=())
    if turn.error is not None:
        return say(thread, "error", *readable_error(turn.error))
    if turn.status == "interrupted":
        return say(thread, "error", INTERRUPTED)
    if thread.turn_used_tools:
        thread, cell_id = own_id(thread)
        thread = settle(thread, SeparatorCell(id=cell_id, duration_ms=turn.duration_ms))
    return thread
