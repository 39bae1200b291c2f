"""A connection that is lost and comes back: the conversation stays on screen and is caught up with.

What a thread looks like by now comes as its stored turns. Commands and patches have the ids they
were heard under, where the server keeps them; messages have others, so a message counts as shown if
its text is. A command whose end nobody heard is shown as broken off.
"""

from msgspec.structs import replace

from app_server.protocol.item import (
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    FileChangeThreadItem,
)
from app_server.protocol.thread_data import Thread, Turn
from tui.state.cells import AgentMessageCell, CommandCell, ExploringCell, PatchCell
from tui.state.effects import Effect
from tui.state.events import Interrupted, Restored
from tui.state.model import AppState
from tui.state.reduce_app import notice, with_thread
from tui.state.reduce_items import complete_item, start_item
from tui.state.reduce_turns import settle_unfinished, turn_ended, turn_started
from tui.state.restore import broke_off
from tui.state.thread import ThreadState
from tui.state.transcript import drop_live, find_command, live_cell, settle

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
    thread = _with_ended_terminals(thread, stored.turns, state)
    effects: tuple[Effect, ...] = ()
    ids = [turn.id for turn in stored.turns]
    if thread.turn_id is not None and thread.turn_id not in ids:
        thread = _ended(thread)
    for turn in _unfinished(thread, stored.turns):
        if turn.id != thread.turn_id:
            thread, more = turn_started(thread, turn, at)
            effects += more
        thread = _with_missed(thread, turn, state, at)
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


def _with_missed(thread: ThreadState, turn: Turn, state: AppState, at: float) -> ThreadState:
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
        elif isinstance(item, CommandExecutionThreadItem | FileChangeThreadItem):
            thread = _with_action(thread, item, turn, state, at)
        elif not is_ours:
            thread = complete_item(thread, item, turn.id, state.settings)
    return thread


def _with_action(
    thread: ThreadState,
    item: CommandExecutionThreadItem | FileChangeThreadItem,
    turn: Turn,
    state: AppState,
    at: float,
) -> ThreadState:
    """A command or patch as it is now, if that is not what is shown."""
    if item.id in _shown_actions(thread):
        return thread
    is_known = find_command(thread, item.id) or live_cell(thread, item.id)
    if item.status != "inProgress":
        stopped = broke_off(item, turn)
        return complete_item(thread, item, turn.id, state.settings, broke_off=stopped)
    return thread if is_known else start_item(thread, item, turn.id, at)


def _shown_actions(thread: ThreadState) -> set[str]:
    """What has ended or went to the background before our eyes."""
    shown = {cell.id for cell in thread.settled if isinstance(cell, CommandCell | PatchCell)}
    groups = [cell for cell in thread.settled if isinstance(cell, ExploringCell)]
    return shown | {call.id for group in groups for call in group.calls}


def _with_ended_terminals(thread: ThreadState, turns: list[Turn], state: AppState) -> ThreadState:
    """Commands in the background that came to their end meanwhile."""
    running = {cell.id for cell in thread.terminals}
    for turn in turns:
        for item in turn.items:
            if item.id in running and getattr(item, "status", "") != "inProgress":
                stopped = broke_off(item, turn)
                thread = complete_item(thread, item, turn.id, state.settings, broke_off=stopped)
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
