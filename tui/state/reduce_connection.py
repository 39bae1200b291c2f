"""A connection that is lost and comes back: the conversation stays on screen and is caught up with.

What a thread looks like by now comes as its stored turns, in which items have other ids and
commands may be missing. So a message counts as shown if its text is, and a command whose end
nobody heard is shown as broken off.
"""

from msgspec.structs import replace

from app_server.protocol.item import AgentMessageThreadItem
from app_server.protocol.thread_data import Thread, Turn
from tui.state.cells import AgentMessageCell, CommandCell
from tui.state.effects import Effect
from tui.state.events import Interrupted, Restored
from tui.state.model import AppState
from tui.state.reduce_app import notice, with_thread
from tui.state.reduce_items import complete_item
from tui.state.reduce_turns import settle_unfinished, turn_ended, turn_started
from tui.state.thread import ThreadState
from tui.state.transcript import drop_live, settle

Step = tuple[AppState, tuple[Effect, ...]]


def interrupted(state: AppState, event: Interrupted) -> AppState:
    """Said once; the status line counts on."""
    connection = replace(
        state.connection, status="again", reason=event.reason, attempt=event.attempt
    )
    state = replace(state, connection=connection)
    if event.attempt > 1:
        return state
    return notice(
        state, "warning", "The connection to the server was lost; trying again.", event.reason
    )


def came_back(state: AppState, event: Restored, at: float) -> Step:
    """Every open thread as it is now."""
    state = replace(state, connection=replace(state.connection, status="ready", reason=""))
    state = notice(state, "info", "Connected again.")
    effects: tuple[Effect, ...] = ()
    for opened in event.resumed:
        thread = state.threads.get(opened.thread.id)
        if thread is not None:
            thread, more = _caught_up(state, thread, opened.thread, at)
            state = with_thread(state, thread)
            effects += more
    for thread_id, reason in event.gone.items():
        thread = state.threads.get(thread_id)
        if thread is not None:
            state = with_thread(state, _ended(thread))
            state = notice(state, "error", "The server no longer has this conversation.", reason)
    return state, effects


def _caught_up(
    state: AppState, thread: ThreadState, stored: Thread, at: float
) -> tuple[ThreadState, tuple[Effect, ...]]:
    thread = replace(thread, questions=())  # those still open are asked again
    effects: tuple[Effect, ...] = ()
    ids = [turn.id for turn in stored.turns]
    if thread.turn_id is not None and thread.turn_id not in ids:
        thread = _ended(thread)
    for turn in _unfinished(thread, stored.turns):
        if turn.id != thread.turn_id:
            thread, more = turn_started(thread, turn, at)
            effects += more
        thread = _with_missed(thread, turn, state)
        if turn.status != "inProgress":
            thread = _without_commands(thread)
            thread, more = turn_ended(thread, turn, state.settings, state.pending_settings, at)
            effects += more
    return thread, effects


def _unfinished(thread: ThreadState, turns: list[Turn]) -> list[Turn]:
    """The turn that was running and those after it; else one that runs by now."""
    for position, turn in enumerate(turns):
        if turn.id == thread.turn_id:
            return turns[position:]
    return [turn for turn in turns[-1:] if turn.status == "inProgress"]


def _with_missed(thread: ThreadState, turn: Turn, state: AppState) -> ThreadState:
    shown = {cell.text for cell in thread.settled if isinstance(cell, AgentMessageCell)}
    is_ours = turn.id == thread.turn_id and any(
        getattr(cell, "turn_id", "") == turn.id for cell in (*thread.settled, *thread.live)
    )
    for item in turn.items:
        if isinstance(item, AgentMessageThreadItem):
            if item.text in shown:
                continue
            for cell in thread.live:  # the beginning of it, as far as it was heard
                if isinstance(cell, AgentMessageCell) and item.text.startswith(cell.text):
                    thread = drop_live(thread, cell.id)
            thread = complete_item(thread, item, turn.id, state.settings)
        elif not is_ours:
            thread = complete_item(thread, item, turn.id, state.settings)
    return thread


def _without_commands(thread: ThreadState) -> ThreadState:
    for cell in thread.live:
        if isinstance(cell, CommandCell):
            thread = settle(thread, replace(cell, status="interrupted"))
    return thread


def _ended(thread: ThreadState) -> ThreadState:
    """What ran has ended as far as we can know."""
    return replace(
        settle_unfinished(thread, interrupted=True),
        turn_id=None,
        starting=False,
        interrupting=False,
        status=None,
        questions=(),
    )
