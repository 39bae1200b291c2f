"""Questions from the server: asked, answered, withdrawn.

Questions wait in a queue; the first one is on screen. An answer leaves a record in the transcript
and an `AnswerQuestion` effect. A question answered elsewhere or withdrawn just disappears.
"""

import shlex

import msgspec
from msgspec.structs import replace

from app_server.protocol.approvals import (
    AmendingCommandExecutionApprovalDecision,
    CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse,
    FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse,
    PermissionsRequestApprovalParams,
    ToolRequestUserInputParams,
)
from app_server.protocol.elicitation import (
    FormMcpServerElicitationRequestParams,
    UrlMcpServerElicitationRequestParams,
)
from app_server.protocol.shared import RequestId
from tui.state.actions import (
    AnswerCommand,
    AnswerElicitation,
    AnswerPatch,
    AnswerPermissions,
    AnswerUserInput,
)
from tui.state.cells import (
    AnsweredQuestion,
    AnyCell,
    ApprovalCell,
    CommandCell,
    PatchCell,
    QuestionsCell,
    RunStatus,
)
from tui.state.effects import AnswerQuestion, Effect, Notify
from tui.state.from_items import shown_command
from tui.state.thread import PendingQuestion, QuestionParams, ThreadState
from tui.state.transcript import close_exploring, grow, grow_command, live_cell, own_id, settle

Step = tuple[ThreadState, tuple[Effect, ...]]

Answer = AnswerCommand | AnswerPatch | AnswerPermissions | AnswerUserInput | AnswerElicitation

QUESTION_TYPES = (
    CommandExecutionRequestApprovalParams,
    FileChangeRequestApprovalParams,
    PermissionsRequestApprovalParams,
    ToolRequestUserInputParams,
    FormMcpServerElicitationRequestParams,
    UrlMcpServerElicitationRequestParams,
)


def asked(thread: ThreadState, question_id: RequestId, params: QuestionParams, at: float) -> Step:
    if any(question.id == question_id for question in thread.questions):
        return thread, ()
    question = PendingQuestion(id=question_id, params=params, asked_at=at)
    thread = _mark(thread, params, "waiting")
    thread = replace(thread, questions=(*thread.questions, question))
    return thread, (Notify(kind="approval", text=question_text(thread, params)),)


def withdrawn(thread: ThreadState, question_id: RequestId) -> ThreadState:
    """`serverRequest/resolved`: answered, here or elsewhere, or no longer needed."""
    question = _find(thread, question_id)
    if question is None:
        return thread
    return _mark(_without(thread, question_id), question.params, "running")


def answered(thread: ThreadState, answer: Answer) -> Step:
    question = _find(thread, answer.question_id)
    if question is None:
        return thread, ()
    thread = _without(thread, question.id)
    response: msgspec.Struct
    match answer, question.params:
        case AnswerCommand(decision=decision), CommandExecutionRequestApprovalParams() as params:
            response = CommandExecutionRequestApprovalResponse(decision=decision)
            thread = _record(thread, _command_record(answer, params))
            if decision not in ("decline", "cancel"):
                thread = _mark(thread, params, "running")
        case AnswerPatch(decision=decision), FileChangeRequestApprovalParams() as params:
            response = FileChangeRequestApprovalResponse(decision=decision)
            # A refused patch stays in the transcript as such, so it needs no record.
            if decision not in ("decline", "cancel"):
                thread = _record(thread, _patch_record(thread, answer, params))
                thread = _mark(thread, params, "running")
        case AnswerPermissions(response=granted), PermissionsRequestApprovalParams() as params:
            response = granted
            some = granted.permissions.file_system or granted.permissions.network
            record = ApprovalCell(
                id="",
                granted=some is not None,
                what="permissions",
                subject=params.reason or "more room",
                lasts="session" if granted.scope == "session" else "once",
            )
            thread = _record(thread, record)
        case AnswerUserInput(response=given), ToolRequestUserInputParams() as params:
            response = given
            thread = _record(thread, _questions_record(params, answer))
        case (
            AnswerElicitation(response=elicited),
            (
                FormMcpServerElicitationRequestParams() | UrlMcpServerElicitationRequestParams()
            ) as params,
        ):
            response = elicited
            thread = _record(
                thread,
                ApprovalCell(
                    id="",
                    granted=elicited.action == "accept",
                    what="tool",
                    subject=params.server_name,
                    cancelled=elicited.action == "cancel",
                ),
            )
        case _:
            return thread, ()
    return thread, (AnswerQuestion(id=question.id, result=response),)


def question_text(thread: ThreadState, params: QuestionParams) -> str:
    """One line for a notification outside the window."""
    match params:
        case CommandExecutionRequestApprovalParams(network_approval_context=network) if network:
            return f"Codex wants to reach {network.host}"
        case CommandExecutionRequestApprovalParams(command=command):
            return f"Codex wants to run: {shown_command(command or '')}"
        case FileChangeRequestApprovalParams():
            return f"Codex wants to change {_files(thread, params.item_id)}"
        case PermissionsRequestApprovalParams():
            return "Codex asks for more permissions"
        case ToolRequestUserInputParams():
            return "Codex has a question"
        case _:
            return f"{params.server_name} asks: {params.message}"


def _find(thread: ThreadState, question_id: RequestId) -> PendingQuestion | None:
    return next((one for one in thread.questions if one.id == question_id), None)


def _without(thread: ThreadState, question_id: RequestId) -> ThreadState:
    return replace(
        thread, questions=tuple(one for one in thread.questions if one.id != question_id)
    )


def _mark(thread: ThreadState, params: QuestionParams, status: RunStatus) -> ThreadState:
    """Show that a command or patch waits for the user, or no longer does."""
    if isinstance(params, CommandExecutionRequestApprovalParams):
        return grow_command(thread, params.item_id, lambda cell: replace(cell, status=status))
    if isinstance(params, FileChangeRequestApprovalParams):
        return grow(thread, params.item_id, PatchCell, lambda cell: replace(cell, status=status))
    return thread


def _record(thread: ThreadState, cell: AnyCell) -> ThreadState:
    thread, cell_id = own_id(close_exploring(thread))
    return settle(thread, replace(cell, id=cell_id))


def _command_record(
    answer: AnswerCommand, params: CommandExecutionRequestApprovalParams
) -> ApprovalCell:
    decision = answer.decision
    network = params.network_approval_context
    subject = network.host if network else shown_command(params.command or "")
    record = ApprovalCell(
        id="", granted=True, what="network" if network else "command", subject=subject
    )
    if isinstance(decision, AmendingCommandExecutionApprovalDecision):
        if decision.accept_with_execpolicy_amendment is not None:
            prefix = decision.accept_with_execpolicy_amendment.execpolicy_amendment
            return replace(record, subject=shlex.join(prefix), lasts="always")
        assert decision.apply_network_policy_amendment is not None
        rule = decision.apply_network_policy_amendment.network_policy_amendment
        return replace(record, granted=rule.action == "allow", subject=rule.host, lasts="always")
    if decision in ("decline", "cancel"):
        return replace(record, granted=False, cancelled=decision == "cancel")
    return replace(record, lasts="session" if decision == "acceptForSession" else "once")


def _patch_record(
    thread: ThreadState, answer: AnswerPatch, params: FileChangeRequestApprovalParams
) -> ApprovalCell:
    return ApprovalCell(
        id="",
        granted=answer.decision in ("accept", "acceptForSession"),
        what="patch",
        subject=_files(thread, params.item_id),
        lasts="session" if answer.decision == "acceptForSession" else "once",
        cancelled=answer.decision == "cancel",
    )


def _questions_record(params: ToolRequestUserInputParams, answer: AnswerUserInput) -> AnyCell:
    shown: list[AnsweredQuestion] = []
    for question in params.questions:
        given = answer.response.answers.get(question.id)
        shown.append(
            AnsweredQuestion(
                question=question.question,
                answers=() if given is None else tuple(given.answers),
                secret=question.is_secret,
            )
        )
    return QuestionsCell(id="", questions=tuple(shown))


def _files(thread: ThreadState, item_id: str) -> str:
    cell = live_cell(thread, item_id)
    if not isinstance(cell, PatchCell) or not cell.files:
        return "files"
    paths = [shown_path(file.path, cell.cwd) for file in cell.files]
    if len(paths) == 1:
        return paths[0]
    return f"{len(paths)} files"


def shown_path(path: str, cwd: str) -> str:
    """Relative to the working directory where it lies below it."""
    base = cwd.rstrip("/") + "/"
    return path[len(base) :] if cwd and path.startswith(base) else path


def waiting_command(thread: ThreadState, params: QuestionParams) -> CommandCell | PatchCell | None:
    """The live cell a question is about, so that the panel can show the whole of it."""
    item_id = getattr(params, "item_id", None)
    cell = live_cell(thread, item_id) if isinstance(item_id, str) else None
    return cell if isinstance(cell, CommandCell | PatchCell) else None
