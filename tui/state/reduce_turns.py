"""Turns: sending, steering, queueing, interrupting, retrying, ending.

Nothing typed is ever lost. A message is on screen as pending from the key press until the server
takes it up; when it cannot be sent, or its turn is interrupted before it was used, it goes to the
next turn or back to the composer.
"""

from msgspec.structs import replace

from app_server.protocol.notices import ErrorNotification
from app_server.protocol.thread_data import Turn
from app_server.protocol.turn import (
    TURN_INTERRUPT,
    TURN_START,
    TURN_STEER,
    TurnInterruptParams,
    TurnStartParams,
    TurnSteerParams,
)
from app_server.protocol.user_input import LocalImageUserInput, TextUserInput, UserInput
from tui.state.cells import (
    AgentMessageCell,
    AnyCell,
    CommandCell,
    ExploringCell,
    PatchCell,
    ProposedPlanCell,
    ReasoningCell,
    SeparatorCell,
    UserMessageCell,
    WebSearchCell,
)
from tui.state.collaboration import collaboration_mode
from tui.state.effects import (
    Effect,
    Interrupting,
    Notify,
    ReturnToComposer,
    SendRequest,
    StartingTurn,
    Steering,
)
from tui.state.errors import readable_error
from tui.state.model import Draft, PendingSettings, Settings
from tui.state.select import left_behind
from tui.state.thread import PendingMessage, ThreadState, TurnStatus
from tui.state.transcript import close_exploring, drop_live, own_id, put_live, say, settle

Step = tuple[ThreadState, tuple[Effect, ...]]

_FROM_THE_STREAM = (AgentMessageCell, ReasoningCell, ProposedPlanCell, WebSearchCell)

INTERRUPTED = "Interrupted. Tell Codex what to do differently."


def submit(
    thread: ThreadState, draft: Draft, settings: Settings, pending: PendingSettings, at: float
) -> Step:
    """Enter: a new turn when idle, a steer while one runs."""
    if not draft.text.strip() and not draft.images:
        return thread, ()
    if not thread.running:
        return start_turn(thread, draft, settings, pending, at)
    thread, message_id = own_id(thread)
    message = PendingMessage(id=message_id, text=draft.text, images=draft.images)
    if thread.turn_id is None:
        return replace(thread, steers=(*thread.steers, message)), ()
    message = replace(message, sent=True)
    return replace(thread, steers=(*thread.steers, message)), (_steer(thread, message),)


def queue(
    thread: ThreadState, draft: Draft, settings: Settings, pending: PendingSettings, at: float
) -> Step:
    """Tab: a new turn when idle, otherwise to the end of the queue."""
    if not draft.text.strip() and not draft.images:
        return thread, ()
    if not thread.running:
        return start_turn(thread, draft, settings, pending, at)
    thread, message_id = own_id(thread)
    message = PendingMessage(id=message_id, text=draft.text, images=draft.images)
    return replace(thread, queue=(*thread.queue, message)), ()


def pull_queued(thread: ThreadState) -> Step:
    """The last message that waits, back into the composer."""
    if thread.queue:
        *rest, last = thread.queue
        thread = replace(thread, queue=tuple(rest))
    else:
        unsent = [message for message in thread.steers if not message.sent]
        if not unsent:
            return thread, ()
        last = unsent[-1]
        thread = replace(thread, steers=tuple(one for one in thread.steers if one is not last))
    return thread, (ReturnToComposer(text=last.text, images=last.images),)


def start_turn(
    thread: ThreadState, draft: Draft, settings: Settings, pending: PendingSettings, at: float
) -> Step:
    thread, message_id = own_id(thread)
    cell = UserMessageCell(id=message_id, text=draft.text, images=draft.images, pending=True)
    thread = replace(
        put_live(thread, cell),
        starting=True,
        starting_turn_id=None,
        interrupting=False,
        status=TurnStatus(running_since=at),
    )
    params = TurnStartParams(
        thread_id=thread.id,
        input=user_input(draft),
        approval_policy=pending.approval_policy,
        sandbox_policy=pending.sandbox,
        model=pending.model,
        effort=pending.effort,
        collaboration_mode=collaboration_mode(settings, pending),
        client_user_message_id=message_id,
    )
    purpose = StartingTurn(
        thread_id=thread.id,
        message_id=message_id,
        text=draft.text,
        images=draft.images,
        carried=pending,
    )
    return thread, (SendRequest(row=TURN_START, params=params, purpose=purpose),)


def turn_refused(thread: ThreadState, purpose: StartingTurn, message: str) -> Step:
    """The turn could not start: the message goes back to where it can be changed and sent again."""
    thread = drop_live(thread, purpose.message_id)
    thread = replace(
        thread, starting=False, status=None if thread.turn_id is None else thread.status
    )
    thread = say(thread, "error", message)
    texts = [purpose.text]
    images = list(purpose.images)
    for waiting in (*thread.steers, *thread.queue):
        texts.append(waiting.text)
        images += waiting.images
    thread = replace(thread, steers=(), queue=())
    back = ReturnToComposer(text="\n".join(text for text in texts if text), images=tuple(images))
    return thread, (back,)


def steer_refused(
    thread: ThreadState,
    message_id: str,
    settings: Settings,
    pending: PendingSettings,
    at: float,
) -> Step:
    """A steer came too late, or the turn takes none: it becomes the next message."""
    message = next((one for one in thread.steers if one.id == message_id), None)
    if message is None:
        return thread, ()
    rest = tuple(one for one in thread.steers if one is not message)
    waiting = replace(message, sent=False)
    thread = replace(thread, steers=rest, queue=(waiting, *thread.queue))
    return start_queued(thread, settings, pending, at)


def interrupt(thread: ThreadState) -> Step:
    """Esc: with steers pending they go out at once, after the interruption."""
    if not thread.running or thread.interrupting:
        return thread, ()
    turn_id = thread.turn_id or thread.starting_turn_id or ""
    params = TurnInterruptParams(thread_id=thread.id, turn_id=turn_id)
    purpose = Interrupting(thread_id=thread.id, turn_id=turn_id)
    thread = replace(thread, interrupting=True, resend_steers=bool(thread.steers))
    return thread, (SendRequest(row=TURN_INTERRUPT, params=params, purpose=purpose),)


def interrupt_refused(thread: ThreadState) -> ThreadState:
    return replace(thread, interrupting=False, resend_steers=False)


def turn_accepted(thread: ThreadState, turn: Turn) -> ThreadState:
    """The server has answered: from now on the turn can be interrupted by name."""
    return replace(thread, starting_turn_id=turn.id) if thread.starting else thread


def interrupt_accepted(thread: ThreadState, purpose: Interrupting) -> ThreadState:
    """An interruption of nothing in particular may have come too early: allow another."""
    return thread if purpose.turn_id else replace(thread, interrupting=False)


def turn_started(thread: ThreadState, turn: Turn, at: float) -> Step:
    thread = replace(
        thread,
        turn_id=turn.id,
        starting=False,
        status=thread.status or TurnStatus(running_since=at),
        turn_used_tools=False,
        reported_error="",
        turn_diff="",
        turns=thread.turns + 1,
    )
    effects: list[Effect] = []
    steers: list[PendingMessage] = []
    for message in thread.steers:
        if not message.sent:
            message = replace(message, sent=True)
            effects.append(_steer(thread, message))
        steers.append(message)
    return replace(thread, steers=tuple(steers)), tuple(effects)


def error_met(thread: ThreadState, event: ErrorNotification) -> Step:
    """A retry discards what the broken stream had brought; a final error keeps it."""
    text, details = readable_error(event.error)
    if event.will_retry:
        for cell in thread.live:
            if isinstance(cell, _FROM_THE_STREAM) or getattr(cell, "writing", False):
                thread = drop_live(thread, cell.id)
        if thread.status is None:
            return thread, ()
        header = text.replace("...", "…")
        status = replace(thread.status, header=header, details=details, retrying=True)
        return replace(thread, status=status), ()
    thread = settle_unfinished(thread, interrupted=False)
    thread = say(thread, "error", text, details)
    return replace(thread, reported_error=event.error.message), ()


def turn_ended(
    thread: ThreadState, turn: Turn, settings: Settings, pending: PendingSettings, at: float
) -> Step:
    interrupted = turn.status == "interrupted"
    thread = settle_unfinished(thread, interrupted=interrupted)
    if turn.error is not None and turn.error.message != thread.reported_error:
        thread = say(thread, "error", *readable_error(turn.error))
    resend = thread.resend_steers
    if interrupted and not resend:
        thread = say(thread, "error", INTERRUPTED)
    elif interrupted:
        thread = say(thread, "info", "Interrupted to send what you wrote.")
    if thread.turn_used_tools and not interrupted:
        thread, cell_id = own_id(thread)
        thread = settle(thread, SeparatorCell(id=cell_id, duration_ms=turn.duration_ms))
    thread = replace(
        thread,
        turn_id=None,
        starting=False,
        interrupting=False,
        resend_steers=False,
        reviewing=False,
        status=None,
        questions=(),
        last_turn="completed" if turn.status == "inProgress" else turn.status,
    )
    thread, effects = _go_on(thread, settings, pending, at, interrupted=interrupted, resend=resend)
    if not thread.running:
        said = thread.last_answer.strip().partition("\n")[0]
        effects = (*effects, Notify(kind="turn-ended", text=said))
    return thread, effects


def _go_on(
    thread: ThreadState,
    settings: Settings,
    pending: PendingSettings,
    at: float,
    *,
    interrupted: bool,
    resend: bool,
) -> Step:
    """What waits after a turn: steers first, then the queue; a broken turn gives them back."""
    stays_queued = thread.last_turn == "completed" or resend
    if thread.steers and (not interrupted or resend) and thread.last_turn != "failed":
        draft = _joined(thread.steers)
        return start_turn(replace(thread, steers=()), draft, settings, pending, at)
    if not stays_queued:
        waiting = (*thread.steers, *thread.queue)
        if not waiting:
            return thread, ()
        draft = _joined(waiting)
        thread = replace(thread, steers=(), queue=())
        return thread, (ReturnToComposer(text=draft.text, images=draft.images),)
    return start_queued(thread, settings, pending, at)


def start_queued(
    thread: ThreadState, settings: Settings, pending: PendingSettings, at: float
) -> Step:
    """Send the first queued message, if nothing runs."""
    if thread.running or not thread.queue:
        return thread, ()
    first, *rest = thread.queue
    draft = Draft(text=first.text, images=first.images)
    return start_turn(replace(thread, queue=tuple(rest)), draft, settings, pending, at)


def settle_unfinished(thread: ThreadState, *, interrupted: bool) -> ThreadState:
    """End what the turn left open; commands that run on become background terminals.

    An interruption stops the command the agent was waiting for. It spares those the agent had
    already gone on from.
    """
    spared = {cell.id for cell in left_behind(thread)}
    thread = close_exploring(thread)
    for cell in thread.live:
        match cell:
            case UserMessageCell(pending=True) if thread.starting:
                pass
            case UserMessageCell():
                thread = settle(thread, replace(cell, pending=False))
            case AgentMessageCell() | ProposedPlanCell() if not cell.text.strip():
                thread = drop_live(thread, cell.id)
            case AgentMessageCell():
                answer = cell.text
                thread = settle(thread, replace(cell, complete=True, cut_off=True))
                thread = replace(thread, last_answer=answer)
            case ReasoningCell():
                thread = drop_live(thread, cell.id)
            case CommandCell():
                runs_on = not interrupted or cell.visited or cell.id in spared
                thread = _leave_command(thread, cell, runs_on=runs_on)
            case ExploringCell():
                calls = tuple(
                    replace(call, status="interrupted")
                    if call.status in ("running", "waiting")
                    else call
                    for call in cell.calls
                )
                thread = settle(thread, replace(cell, calls=calls, closed=True))
            case PatchCell(writing=True) if not interrupted:
                thread = drop_live(thread, cell.id)  # nothing came of it
            case PatchCell(status="running" | "waiting"):
                thread = settle(thread, replace(cell, status="interrupted"))
            case _:
                thread = settle(thread, _ended(cell))
    return thread


def _leave_command(thread: ThreadState, cell: CommandCell, *, runs_on: bool) -> ThreadState:
    if runs_on and cell.status == "running":
        thread = replace(thread, terminals=(*thread.terminals, cell))
        return settle(thread, replace(cell, status="background"))
    return settle(thread, replace(cell, status="interrupted", ran=cell.status == "running"))


def ended_with_the_program(thread: ThreadState) -> ThreadState:
    """On leaving: what runs ends with us, in the background, too."""
    for cell in thread.live:
        if isinstance(cell, CommandCell):
            thread = _leave_command(thread, cell, runs_on=False)
    thread = settle_unfinished(thread, interrupted=True)
    for cell in thread.terminals:
        thread = settle(thread, replace(cell, id=f"{cell.id}:end", status="interrupted"))
    return replace(thread, terminals=(), turn_id=None, starting=False, status=None)


def _ended(cell: AnyCell) -> AnyCell:
    """A cell whose end was never told, as interrupted where it knows that state."""
    if "status" in cell.__struct_fields__ and getattr(cell, "status", "") == "running":
        return replace(cell, status="interrupted")
    if "complete" in cell.__struct_fields__:
        return replace(cell, complete=True)
    return cell


def user_input(draft: Draft) -> list[UserInput]:
    parts: list[UserInput] = [TextUserInput(text=draft.text)] if draft.text else []
    parts += [LocalImageUserInput(path=path) for path in draft.images]
    return parts


def _steer(thread: ThreadState, message: PendingMessage) -> SendRequest:
    params = TurnSteerParams(
        thread_id=thread.id,
        expected_turn_id=thread.turn_id or "",
        input=user_input(Draft(text=message.text, images=message.images)),
        client_user_message_id=message.id,
    )
    return SendRequest(
        row=TURN_STEER,
        params=params,
        purpose=Steering(thread_id=thread.id, message_id=message.id),
    )


def _joined(messages: tuple[PendingMessage, ...]) -> Draft:
    images = tuple(image for message in messages for image in message.images)
    return Draft(
        text="\n".join(message.text for message in messages if message.text), images=images
    )
