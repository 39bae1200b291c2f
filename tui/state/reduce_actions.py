"""What the user did: the threads' reducers do the work, this page only addresses them."""

from msgspec.structs import replace

from app_server.protocol.review import REVIEW_START, ReviewStartParams
from app_server.protocol.thread import THREAD_NAME_SET, ThreadSetNameParams
from app_server.protocol.thread_history import (
    THREAD_COMPACT_START,
    THREAD_ROLLBACK,
    ThreadCompactStartParams,
    ThreadRollbackParams,
)
from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_CLEAN,
    THREAD_SHELL_COMMAND,
    ThreadBackgroundTerminalsCleanParams,
    ThreadShellCommandParams,
)
from tui.state.actions import (
    Action,
    AnswerCommand,
    AnswerElicitation,
    AnswerPatch,
    AnswerPermissions,
    AnswerUserInput,
    CloseDialog,
    CompactThread,
    CopyLastAnswer,
    EditExternally,
    FocusThread,
    ForkThread,
    Interrupt,
    LookingForSignIn,
    OpenDialog,
    OpenNewThread,
    OpenStoredThread,
    PullQueued,
    Queued,
    QuitRequested,
    RefreshModels,
    RefuseWithWords,
    RenameThread,
    RollBack,
    Say,
    SendUnsent,
    SetDisplay,
    SetModel,
    SetPermissions,
    SetPlanMode,
    ShellSubmitted,
    Show,
    StartReview,
    StopTerminals,
    TakeUnsentBack,
    TerminalsListed,
    UserSubmitted,
)
from tui.state.cells import UserMessageCell
from tui.state.effects import (
    AnswerQuestion,
    CopyText,
    Effect,
    OpenEditor,
    Quit,
    ReturnToComposer,
    RollingBack,
    SendRequest,
    Steering,
    ThreadCommand,
)
from tui.state.model import AppState, Draft, Settings
from tui.state.reduce_account import send_unsent, take_unsent_back
from tui.state.reduce_app import (
    WAYS_TO_A_SESSION,
    list_models,
    notice,
    open_thread,
    with_thread,
)
from tui.state.reduce_questions import answered
from tui.state.reduce_terminals import listed
from tui.state.reduce_turns import interrupt, pull_queued, queue, submit
from tui.state.thread import ThreadState
from tui.state.transcript import own_id, settle

Step = tuple[AppState, tuple[Effect, ...]]


def act(state: AppState, action: Action, at: float) -> Step:
    """The state after something the user did."""
    match action:
        case UserSubmitted(text=text, images=images):
            return _send(state, Draft(text=text, images=images), at, later=False)
        case Queued(text=text, images=images):
            return _send(state, Draft(text=text, images=images), at, later=True)
        case OpenNewThread() | OpenStoredThread() | ForkThread():
            return open_thread(state, action)
        case FocusThread(thread_id=thread_id):
            return (
                (replace(state, focused=thread_id), ())
                if thread_id in state.threads
                else (state, ())
            )
        case SetModel() | SetPermissions() | SetPlanMode():
            return _set(state, action), ()
        case SetDisplay():
            return replace(state, settings=_shown_as(state.settings, action)), ()
        case OpenDialog(name=name):
            return replace(state, dialog=name), ()
        case CloseDialog():
            return replace(state, dialog=None), ()
        case TerminalsListed(thread_id=thread_id, running=running):
            thread = state.threads.get(thread_id)
            return (state if thread is None else with_thread(state, listed(thread, running))), ()
        case EditExternally(text=text):
            return state, (OpenEditor(text=text),)
        case Say(level=level, text=text, details=details):
            return notice(state, level, text, details), ()
        case LookingForSignIn(place=place):
            return replace(state, account=replace(state.account, looked_for_in=place)), ()
        case SendUnsent():
            return send_unsent(state, at)
        case TakeUnsentBack():
            return take_unsent_back(state)
        case RefreshModels():
            return state, (list_models(),)
        case QuitRequested():
            return state, (Quit(),)
        case _:
            return _act_on_thread(state, action, at)


def _act_on_thread(state: AppState, action: Action, at: float) -> Step:
    thread = state.thread
    if thread is None:
        return state, ()
    effects: tuple[Effect, ...] = ()
    match action:
        case Interrupt():
            thread, effects = interrupt(thread)
        case PullQueued():
            thread, effects = pull_queued(thread)
        case (
            AnswerCommand()
            | AnswerPatch()
            | AnswerPermissions()
            | AnswerUserInput()
            | AnswerElicitation()
        ):
            return _answer(state, action)
        case RefuseWithWords(answer=answer, words=words):
            return _refuse_with_words(state, thread, answer, words, at)
        case Show(cell):
            thread, cell_id = own_id(thread)
            thread = settle(thread, replace(cell, id=cell_id))
        case CopyLastAnswer():
            if not thread.last_answer:
                return notice(state, "info", "There is no answer to copy yet."), ()
            state = notice(state, "info", "Copied the last answer to the clipboard.")
            return state, (CopyText(text=thread.last_answer),)
        case RollBack(cell_id=cell_id):
            effects = _roll_back(thread, cell_id)
        case _:
            effects = _request(thread, action)
    return with_thread(state, thread), effects


def _request(thread: ThreadState, action: Action) -> tuple[Effect, ...]:
    """Actions that are one request and nothing else."""
    thread_id = thread.id
    match action:
        case ShellSubmitted(command=command):
            return (
                SendRequest(
                    row=THREAD_SHELL_COMMAND,
                    params=ThreadShellCommandParams(thread_id=thread_id, command=command),
                    purpose=ThreadCommand(thread_id=thread_id, doing="run the command"),
                ),
            )
        case RenameThread(name=name):
            return (
                SendRequest(
                    row=THREAD_NAME_SET,
                    params=ThreadSetNameParams(thread_id=thread_id, name=name),
                    purpose=ThreadCommand(
                        thread_id=thread_id,
                        doing="rename the session",
                        done=f"This session is now called {name.strip()}.",
                    ),
                ),
            )
        case CompactThread():
            return (
                SendRequest(
                    row=THREAD_COMPACT_START,
                    params=ThreadCompactStartParams(thread_id=thread_id),
                    purpose=ThreadCommand(thread_id=thread_id, doing="compact the conversation"),
                ),
            )
        case StartReview(target=target):
            return (
                SendRequest(
                    row=REVIEW_START,
                    params=ReviewStartParams(thread_id=thread_id, target=target),
                    purpose=ThreadCommand(thread_id=thread_id, doing="start the review"),
                ),
            )
        case StopTerminals():
            return (
                SendRequest(
                    row=THREAD_BACKGROUND_TERMINALS_CLEAN,
                    params=ThreadBackgroundTerminalsCleanParams(thread_id=thread_id),
                    purpose=ThreadCommand(
                        thread_id=thread_id,
                        doing="stop the background terminals",
                        done="Stopped all background terminals.",
                    ),
                ),
            )
        case _:
            return ()


def _send(state: AppState, draft: Draft, at: float, *, later: bool) -> Step:
    thread = state.thread
    if thread is None or state.opening is not None:
        if not draft.text.strip() and not draft.images:
            return state, ()
        if state.opening is None:
            back = ReturnToComposer(text=draft.text, images=draft.images)
            said = "There is no session to send this to."
            return notice(state, "error", said, WAYS_TO_A_SESSION), (back,)
        return replace(state, waiting=(*state.waiting, draft)), ()
    if state.connection.status == "lost":
        back = ReturnToComposer(text=draft.text, images=draft.images)
        return notice(state, "error", "The connection to the server was lost."), (back,)
    send = queue if later else submit
    thread, effects = send(thread, draft, state.settings, state.pending_settings, at)
    return with_thread(state, thread), effects


def _answer(
    state: AppState,
    action: AnswerCommand | AnswerPatch | AnswerPermissions | AnswerUserInput | AnswerElicitation,
) -> Step:
    """The question may come from a thread that is not on screen."""
    for thread in state.threads.values():
        if any(question.id == action.question_id for question in thread.questions):
            thread, effects = answered(thread, action)
            return with_thread(state, thread), effects
    return state, ()


def _refuse_with_words(
    state: AppState,
    thread: ThreadState,
    answer: AnswerCommand | AnswerPatch | AnswerPermissions,
    words: str,
    at: float,
) -> Step:
    """The words first, as a steer; the no follows once these have arrived."""
    draft = Draft(text=words)
    thread, steering = submit(thread, draft, state.settings, state.pending_settings, at)
    state, answering = _answer(with_thread(state, thread), answer)
    match steering, answering:
        case (SendRequest(purpose=Steering() as purpose) as steer,), (AnswerQuestion() as no,):
            return state, (replace(steer, purpose=replace(purpose, then=no)),)
    return state, (*steering, *answering)


def _shown_as(settings: Settings, wanted: SetDisplay) -> Settings:
    return replace(
        settings,
        hide_reasoning=wanted.hide_reasoning,
        show_raw_reasoning=wanted.show_raw_reasoning,
        status_items=settings.status_items if wanted.status_items is None else wanted.status_items,
        title_items=settings.title_items if wanted.title_items is None else wanted.title_items,
    )


def _set(state: AppState, action: SetModel | SetPermissions | SetPlanMode) -> AppState:
    match action:
        case SetModel(model=model, effort=effort):
            effort = effort or state.settings.effort
            state = replace(
                state,
                settings=replace(state.settings, model=model, effort=effort),
                pending_settings=replace(state.pending_settings, model=model, effort=effort),
            )
            said = f"{model} {effort}" if effort else model
            return notice(state, "info", f"The model is now {said}.")
        case SetPermissions(approval_policy=policy, sandbox=sandbox, label=label):
            state = replace(
                state,
                settings=replace(state.settings, approval_policy=policy, sandbox=sandbox),
                pending_settings=replace(
                    state.pending_settings, approval_policy=policy, sandbox=sandbox
                ),
            )
            return notice(state, "info", f"Permissions are now {label}.") if label else state
        case SetPlanMode(on=on):
            return replace(
                state,
                settings=replace(state.settings, plan_mode=on),
                pending_settings=replace(state.pending_settings, plan_mode=on),
            )


def _roll_back(thread: ThreadState, cell_id: str) -> tuple[Effect, ...]:
    """Forget the turns from the chosen message on."""
    chosen: UserMessageCell | None = None
    turns: list[str] = []
    for cell in thread.settled:
        if isinstance(cell, UserMessageCell):
            chosen = cell if cell.id == cell_id else chosen
            if chosen is not None and cell.turn_id not in turns:
                turns.append(cell.turn_id)
    if chosen is None or thread.running:
        return ()
    return (
        SendRequest(
            row=THREAD_ROLLBACK,
            params=ThreadRollbackParams(thread_id=thread.id, num_turns=len(turns)),
            purpose=RollingBack(thread_id=thread.id, text=chosen.text, images=chosen.images),
        ),
    )
