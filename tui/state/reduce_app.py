"""Connection, account, settings, panels, and which thread is on screen."""

from collections.abc import Sequence

from msgspec.structs import replace

from app_server.protocol.account import (
    ACCOUNT_READ,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    GetAccountParams,
    GetAccountResponse,
)
from app_server.protocol.mcp import McpServerStatusUpdatedNotification
from app_server.protocol.model import MODEL_LIST, ModelListParams, ModelListResponse
from app_server.protocol.notices import (
    ConfigWarningNotification,
    DeprecationNoticeNotification,
)
from app_server.protocol.rate_limits import AccountRateLimitsUpdatedNotification
from app_server.protocol.thread import (
    THREAD_FORK,
    THREAD_RESUME,
    THREAD_START,
    OpenedThread,
)
from app_server.protocol.thread_data import Thread
from app_server.protocol.wire import known
from tui.state.actions import ForkThread, OpenNewThread, OpenStoredThread
from tui.state.cells import NoticeCell, NoticeLevel, SessionHeaderCell
from tui.state.effects import (
    Effect,
    ListingModels,
    OpeningThread,
    ReadingAccount,
    ReturnToComposer,
    SendRequest,
)
from tui.state.model import AppState, Connection, Draft, McpServer, PendingSettings
from tui.state.reduce_account import limits_heard, login_ended
from tui.state.reduce_turns import settle_unfinished, start_turn
from tui.state.restore import restored
from tui.state.select import exit_lines
from tui.state.thread import PendingMessage, ThreadState
from tui.state.transcript import own_id, say, settle

Step = tuple[AppState, tuple[Effect, ...]]


AppEvent = (
    AccountUpdatedNotification
    | AccountLoginCompletedNotification
    | AccountRateLimitsUpdatedNotification
    | McpServerStatusUpdatedNotification
    | ConfigWarningNotification
    | DeprecationNoticeNotification
)

WAYS_TO_A_SESSION = "/new begins one, /resume lists those there are."


def connected(state: AppState, *, remote: bool) -> Step:
    """The handshake is done: ask who is signed in and which models there are."""
    state = replace(state, connection=Connection(status="ready", remote=remote))
    return state, (read_account(), list_models())


def disconnected(state: AppState, reason: str) -> Step:
    """The server is gone; what ran has ended as far as we can know."""
    connection = replace(state.connection, status="lost", reason=reason)
    threads: dict[str, ThreadState] = {}
    waiting: list[PendingMessage] = []
    for thread in state.threads.values():
        waiting += [*thread.steers, *thread.queue]
        ended = settle_unfinished(thread, interrupted=True)
        threads[thread.id] = replace(
            ended,
            turn_id=None,
            starting=False,
            interrupting=False,
            status=None,
            questions=(),
            steers=(),
            queue=(),
        )
    state = replace(state, connection=connection, threads=threads, opening=None)
    state = notice(state, "error", "The connection to the server was lost.", reason)
    drafts = [*(Draft(text=one.text, images=one.images) for one in waiting), *state.waiting]
    return _given_back(replace(state, waiting=()), drafts)


def read_account() -> SendRequest:
    return SendRequest(
        row=ACCOUNT_READ, params=GetAccountParams(refresh_token=False), purpose=ReadingAccount()
    )


def list_models() -> SendRequest:
    return SendRequest(
        row=MODEL_LIST, params=ModelListParams(include_hidden=True), purpose=ListingModels()
    )


def notice(state: AppState, level: NoticeLevel, text: str, details: str = "") -> AppState:
    """Into the transcript on screen; kept until there is one. Said once while it is the last."""
    thread = state.thread
    if thread is not None:
        recent = thread.settled[-5:]
        if level != "info" and any(
            isinstance(cell, NoticeCell) and (cell.text, cell.details) == (text, details)
            for cell in recent
        ):
            return state
        return with_thread(state, say(thread, level, text, details))
    if any((one.text, one.details) == (text, details) for one in state.notices):
        return state
    cell = NoticeCell(id=f"notice-{state.next_id}", level=level, text=text, details=details)
    return replace(state, notices=(*state.notices, cell), next_id=state.next_id + 1)


def with_thread(state: AppState, thread: ThreadState) -> AppState:
    if state.threads.get(thread.id) is thread:
        return state
    return replace(state, threads={**state.threads, thread.id: thread})


def open_thread(state: AppState, action: OpenNewThread | OpenStoredThread | ForkThread) -> Step:
    match action:
        case OpenNewThread(params=start):
            request = SendRequest(
                row=THREAD_START, params=start, purpose=OpeningThread(how="start")
            )
        case OpenStoredThread(params=resume):
            request = SendRequest(
                row=THREAD_RESUME, params=resume, purpose=OpeningThread(how="resume")
            )
        case ForkThread(params=fork):
            request = SendRequest(row=THREAD_FORK, params=fork, purpose=OpeningThread(how="fork"))
    opening = request.purpose
    assert isinstance(opening, OpeningThread)
    return replace(state, opening=opening.how), (request,)


def thread_opened(state: AppState, opened: OpenedThread, at: float) -> Step:
    """A thread is open: it goes on screen, with its history, and what waited is sent."""
    stored = opened.thread
    leaving = exit_lines(state) if state.focused != stored.id else ()
    settings = replace(
        state.settings,
        model=opened.model,
        provider=opened.model_provider,
        effort=opened.reasoning_effort,
        approval_policy=opened.approval_policy,
        sandbox=opened.sandbox,
        cwd=opened.cwd,
        service_tier=opened.service_tier,
        instruction_sources=tuple(opened.instruction_sources),
    )
    header = SessionHeaderCell(
        id=f"header-{stored.id}",
        version=state.version,
        model=opened.model,
        effort=opened.reasoning_effort,
        directory=opened.cwd,
        home=state.home,
        demo=state.demo,
    )
    thread = state.threads.get(stored.id) or thread_state(stored)
    thread = replace(thread, cwd=opened.cwd, settled=(header,))
    if stored.turns:
        thread = restored(thread, stored, settings, at)
    for line in leaving:
        thread = say(thread, "info", line)
    for cell in state.notices:
        thread, cell_id = own_id(thread)
        thread = settle(thread, replace(cell, id=cell_id))
    waiting = state.waiting
    state = replace(
        with_thread(state, thread),
        settings=settings,
        pending_settings=PendingSettings(),
        focused=thread.id,
        opening=None,
        notices=(),
        waiting=(),
    )
    return _send_waiting(state, thread, waiting, at)


def _send_waiting(
    state: AppState, thread: ThreadState, waiting: tuple[Draft, ...], at: float
) -> Step:
    if not waiting:
        return state, ()
    if thread.running:
        later = waiting
        effects: tuple[Effect, ...] = ()
    else:
        first, *rest = waiting
        later = tuple(rest)
        thread, effects = start_turn(thread, first, state.settings, state.pending_settings, at)
    for draft in later:
        thread, message_id = own_id(thread)
        message = PendingMessage(id=message_id, text=draft.text, images=draft.images)
        thread = replace(thread, queue=(*thread.queue, message))
    return with_thread(state, thread), effects


def open_refused(state: AppState, how: str, message: str) -> Step:
    doing = {"start": "start a session", "resume": "resume the session", "fork": "fork the session"}
    way_out = WAYS_TO_A_SESSION if state.thread is None else ""
    state = notice(state, "error", f"Could not {doing[how]}: {message}", way_out)
    return _given_back(replace(state, opening=None, waiting=()), state.waiting)


def _given_back(state: AppState, drafts: Sequence[Draft]) -> Step:
    """What could not be sent, back into the composer."""
    if not drafts:
        return state, ()
    text = "\n".join(draft.text for draft in drafts if draft.text)
    images = tuple(image for draft in drafts for image in draft.images)
    return state, (ReturnToComposer(text=text, images=images),)


def thread_state(stored: Thread) -> ThreadState:
    """A thread as first heard of, without its history."""
    return ThreadState(
        id=stored.id,
        name=stored.name,
        cwd=stored.cwd,
        forked_from=stored.forked_from_id,
        created_at=stored.created_at,
        ephemeral=stored.ephemeral,
        path=stored.path,
        agent_name=stored.agent_nickname,
    )


def heard(state: AppState, event: AppEvent) -> Step:
    match event:
        case AccountUpdatedNotification():
            account = replace(state.account, rate_limits=None)  # of whoever was signed in before
            return replace(state, account=account), (read_account(),)
        case AccountLoginCompletedNotification():
            return login_ended(state, event), ()
        case AccountRateLimitsUpdatedNotification(rate_limits=limits):
            return limits_heard(state, limits), ()
        case McpServerStatusUpdatedNotification(name=name, status=status, error=error):
            server = McpServer(status=status, error=error or "")
            state = replace(state, mcp_servers={**state.mcp_servers, name: server})
            if status == "failed":
                text = f"The MCP server {name} did not start."
                return notice(state, "warning", text, error or ""), ()
            return state, ()
        case ConfigWarningNotification():
            return notice(state, "warning", *_config_warning(event)), ()
        case DeprecationNoticeNotification(summary=summary, details=details):
            return notice(state, "warning", summary, details or ""), ()


def replied(state: AppState, result: object) -> AppState:
    """Answers to the questions the interface asks at start-up."""
    match result:
        case GetAccountResponse():
            return replace(state, account=replace(state.account, details=result))
        case ModelListResponse(data=models):
            return replace(state, models=tuple(models))
        case _:
            return state


def _config_warning(event: ConfigWarningNotification) -> tuple[str, str]:
    where = known(event.path) or ""
    span = known(event.range)
    if where and span is not None:
        where = f"{where}:{span.start.line}:{span.start.column}"
    details = "\n".join(part for part in (where, event.details or "") if part)
    return event.summary, details
