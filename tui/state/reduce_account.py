"""Who is signed in: sign-ins that ended, limits, and messages that failed for want of one."""

from msgspec.structs import replace

from app_server.protocol.account import AccountLoginCompletedNotification
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.thread_data import Turn
from tui.state.cells import UserMessageCell
from tui.state.effects import AskToSignIn, Effect, ReturnToComposer
from tui.state.model import AppState, Draft, Unsent
from tui.state.reduce_turns import start_turn
from tui.state.thread import ThreadState

Step = tuple[AppState, tuple[Effect, ...]]

ENDINGS_KEPT = 4
MAIN_LIMIT = "codex"


def login_ended(state: AppState, ended: AccountLoginCompletedNotification) -> AppState:
    endings = (*state.account.ended_logins, ended)[-ENDINGS_KEPT:]
    return replace(state, account=replace(state.account, ended_logins=endings))


def limits_heard(state: AppState, heard: RateLimitSnapshot) -> AppState:
    """What is not said this time stays as it was; limits of other kinds are not shown."""
    before = state.account.rate_limits
    if before is not None:
        if (heard.limit_id or MAIN_LIMIT) != (before.limit_id or MAIN_LIMIT):
            return state
        said = {
            name: value
            for name in heard.__struct_fields__
            if (value := getattr(heard, name)) is not None
        }
        heard = replace(before, **said)
    return replace(state, account=replace(state.account, rate_limits=heard))


def sign_in_lost(state: AppState, thread: ThreadState, turn: Turn) -> Step:
    """A turn failed because the sign-in no longer works: its message is kept for later."""
    details = state.account.details
    error = turn.error
    if error is None or error.codex_error_info != "unauthorized":
        return state, ()
    if details is None or not details.requires_openai_auth or thread.id != state.focused:
        return state, ()
    message = next(
        (
            cell
            for cell in thread.settled
            if isinstance(cell, UserMessageCell) and cell.turn_id == turn.id
        ),
        None,
    )
    if message is None or thread.running:
        return state, ()
    unsent = Unsent(thread_id=thread.id, draft=Draft(text=message.text, images=message.images))
    return replace(state, unsent=unsent), (AskToSignIn(reason=error.message),)


def send_unsent(state: AppState, at: float) -> Step:
    """The kept message as a new turn; back into the composer where none can begin."""
    unsent = state.unsent
    thread = None if unsent is None else state.threads.get(unsent.thread_id)
    if unsent is None or thread is None or thread.running:
        return take_unsent_back(state)
    thread, effects = start_turn(thread, unsent.draft, state.settings, state.pending_settings, at)
    threads = {**state.threads, thread.id: thread}
    return replace(state, unsent=None, threads=threads), effects


def take_unsent_back(state: AppState) -> Step:
    if state.unsent is None:
        return state, ()
    draft = state.unsent.draft
    back = ReturnToComposer(text=draft.text, images=draft.images)
    return replace(state, unsent=None), (back,)
