"""(state, event) → (state, effects): sends each event to the reducer that knows it.

Events about a thread go to that thread's state, whether or not it is on screen. What is not known
is ignored: a newer server may say more than we understand.
"""

from typing import get_args

from msgspec.structs import replace

from app_server.protocol.approvals import ServerRequestResolvedNotification
from app_server.protocol.item import (
    CollabAgentToolCallThreadItem,
    ItemCompletedNotification,
    ItemStartedNotification,
)
from app_server.protocol.model import ModelReroutedNotification
from app_server.protocol.notices import ErrorNotification, WarningNotification
from app_server.protocol.thread import (
    OpenedThread,
    ThreadClosedNotification,
    ThreadNameUpdatedNotification,
    ThreadStartedNotification,
    ThreadTokenUsageUpdatedNotification,
)
from app_server.protocol.thread_history import ThreadRollbackResponse
from app_server.protocol.turn import (
    TurnCompletedNotification,
    TurnDiffUpdatedNotification,
    TurnStartedNotification,
    TurnStartResponse,
)
from tui.state.effects import (
    ClearTranscript,
    Effect,
    Interrupting,
    OpeningThread,
    RefuseQuestion,
    ReturnToComposer,
    RollingBack,
    StartingTurn,
    Steering,
    ThreadCommand,
)
from tui.state.events import (
    Asked,
    Connected,
    Disconnected,
    Event,
    Heard,
    Interrupted,
    Refused,
    Replied,
    Restored,
)
from tui.state.model import AppState, PendingSettings
from tui.state.reduce_account import sign_in_lost
from tui.state.reduce_actions import act
from tui.state.reduce_app import (
    AppEvent,
    connected,
    disconnected,
    heard,
    notice,
    open_refused,
    replied,
    thread_opened,
    thread_state,
    with_thread,
)
from tui.state.reduce_connection import came_back, interrupted
from tui.state.reduce_items import ItemEvent, reduce_item
from tui.state.reduce_questions import QUESTION_TYPES, asked, withdrawn
from tui.state.reduce_reviews import ReviewEvent, reduce_review
from tui.state.reduce_turns import (
    error_met,
    interrupt_accepted,
    interrupt_refused,
    steer_refused,
    turn_accepted,
    turn_ended,
    turn_refused,
    turn_started,
)
from tui.state.restore import restored
from tui.state.thread import ThreadState
from tui.state.transcript import say, warn_once

Step = tuple[AppState, tuple[Effect, ...]]

_APP_EVENTS = get_args(AppEvent)
_ITEM_EVENTS = get_args(ItemEvent)
_REVIEW_EVENTS = get_args(ReviewEvent)


def reduce(state: AppState, event: Event, at: float) -> Step:
    """The next state and what it wants done. `at` is now, in Unix seconds of our own clock."""
    match event:
        case Heard(params):
            return _heard(state, params, at)
        case Asked():
            return _asked(state, event, at)
        case Replied():
            return _replied(state, event, at)
        case Refused():
            return _refused(state, event, at)
        case Connected(remote=remote):
            return connected(state, remote=remote)
        case Disconnected(reason=reason):
            return disconnected(state, reason)
        case Interrupted():
            return interrupted(state, event), ()
        case Restored():
            return came_back(state, event, at)
        case _:
            return act(state, event, at)


def _heard(state: AppState, params: object, at: float) -> Step:
    if isinstance(params, _APP_EVENTS):
        return heard(state, params)
    if isinstance(params, ThreadStartedNotification):
        stored = params.thread
        if stored.id in state.threads:
            return state, ()
        return with_thread(state, thread_state(stored)), ()
    if isinstance(params, WarningNotification):
        thread = state.threads.get(params.thread_id) if params.thread_id else None
        if thread is None:
            return notice(state, "warning", params.message), ()
        return with_thread(state, warn_once(thread, params.message)), ()
    thread = state.threads.get(getattr(params, "thread_id", None) or "")
    if thread is None:
        return state, ()
    thread, effects = _thread_heard(state, thread, params, at)
    state = with_thread(state, thread)
    if isinstance(params, TurnCompletedNotification):
        state, more = sign_in_lost(state, thread, params.turn)
        effects = (*effects, *more)
    return state, effects


def _thread_heard(
    state: AppState, thread: ThreadState, params: object, at: float
) -> tuple[ThreadState, tuple[Effect, ...]]:
    if isinstance(params, _ITEM_EVENTS):
        return reduce_item(thread, _with_names(state, params), state.settings, at), ()
    if isinstance(params, _REVIEW_EVENTS):
        return reduce_review(thread, params), ()
    match params:
        case TurnStartedNotification(turn=turn):
            return turn_started(thread, turn, at)
        case TurnCompletedNotification(turn=turn):
            return turn_ended(thread, turn, state.settings, state.pending_settings, at)
        case ErrorNotification():
            return error_met(thread, params)
        case TurnDiffUpdatedNotification(diff=diff):
            return replace(thread, turn_diff=diff), ()
        case ThreadTokenUsageUpdatedNotification(token_usage=usage):
            return replace(thread, usage=usage), ()
        case ThreadNameUpdatedNotification(thread_name=name):
            return replace(thread, name=name), ()
        case ServerRequestResolvedNotification(request_id=request_id):
            return withdrawn(thread, request_id), ()
        case ModelReroutedNotification(from_model=wanted, to_model=given):
            return say(
                thread, "warning", f"The service answers with {given} instead of {wanted}."
            ), ()
        case ThreadClosedNotification():
            return replace(thread, turn_id=None, starting=False, status=None, questions=()), ()
        case _:
            return thread, ()


def _with_names(state: AppState, event: ItemEvent) -> ItemEvent:
    """Agents by the names of their threads, where we know these."""
    if not isinstance(event, ItemStartedNotification | ItemCompletedNotification):
        return event
    item = event.item
    if not isinstance(item, CollabAgentToolCallThreadItem):
        return event

    def name(thread_id: str) -> str:
        thread = state.threads.get(thread_id)
        return (thread.agent_name if thread else None) or thread_id

    item = replace(
        item,
        receiver_thread_ids=[name(thread_id) for thread_id in item.receiver_thread_ids],
        agents_states={name(key): value for key, value in item.agents_states.items()},
    )
    return replace(event, item=item)


def _asked(state: AppState, event: Asked, at: float) -> Step:
    params = event.params
    if not isinstance(params, QUESTION_TYPES):
        refusal = RefuseQuestion(id=event.id, message="This client cannot answer that.")
        return state, (refusal,)
    thread = state.threads.get(params.thread_id) or ThreadState(id=params.thread_id)
    thread, effects = asked(thread, event.id, params, at)
    return with_thread(state, thread), effects


def _replied(state: AppState, event: Replied, at: float) -> Step:
    match event.purpose:
        case OpeningThread() if isinstance(event.result, OpenedThread):
            return thread_opened(state, event.result, at)
        case StartingTurn(carried=carried):
            state = replace(state, pending_settings=_not_carried(state, carried))
            thread = state.threads.get(event.purpose.thread_id)
            if thread is None or not isinstance(event.result, TurnStartResponse):
                return state, ()
            return with_thread(state, turn_accepted(thread, event.result.turn)), ()
        case Interrupting() as purpose:
            thread = state.threads.get(purpose.thread_id)
            if thread is None:
                return state, ()
            return with_thread(state, interrupt_accepted(thread, purpose)), ()
        case RollingBack() as purpose if isinstance(event.result, ThreadRollbackResponse):
            thread = state.threads.get(purpose.thread_id)
            if thread is None:
                return state, ()
            thread = restored(thread, event.result.thread, state.settings, at)
            back = ReturnToComposer(text=purpose.text, images=purpose.images)
            return with_thread(state, thread), (ClearTranscript(), back)
        case Steering(then=answer) if answer is not None:
            return state, (answer,)
        case ThreadCommand(done=done) if done:
            return notice(state, "info", done), ()
        case _:
            return replied(state, event.result), ()


def _not_carried(state: AppState, carried: PendingSettings) -> PendingSettings:
    """What the user has changed since the turn was sent."""
    pending = state.pending_settings
    kept = {
        field: None
        for field in pending.__struct_fields__
        if getattr(pending, field) == getattr(carried, field)
    }
    return replace(pending, **kept)


def _refused(state: AppState, event: Refused, at: float) -> Step:
    message = event.message
    purpose = event.purpose
    if isinstance(purpose, OpeningThread):
        return open_refused(state, purpose.how, message)
    thread = state.threads.get(getattr(purpose, "thread_id", ""))
    effects: tuple[Effect, ...] = ()
    match purpose:
        case StartingTurn() if thread is not None:
            thread, effects = turn_refused(thread, purpose, message)
            return with_thread(state, thread), effects
        case Steering(message_id=message_id) as purpose if thread is not None:
            thread, effects = steer_refused(
                thread, message_id, state.settings, state.pending_settings, at
            )
            answer = (purpose.then,) if purpose.then is not None else ()
            return with_thread(state, thread), (*effects, *answer)
        case Interrupting() if thread is not None:
            return with_thread(state, interrupt_refused(thread)), ()
        case ThreadCommand(doing=doing):
            return notice(state, "error", f"Could not {doing}: {message}"), ()
        case RollingBack():
            return notice(state, "error", f"Could not go back: {message}"), ()
        case _:
            return notice(state, "warning", message), ()
