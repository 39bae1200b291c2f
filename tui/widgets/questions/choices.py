"""What may be answered to each kind of question: text, choices, and the action each choice is.

Pure: a question and the cell it is about come in, values come out.
"""

from typing import NamedTuple

from app_server.protocol.approvals import (
    AcceptWithExecpolicyAmendment,
    AmendingCommandExecutionApprovalDecision,
    ApplyNetworkPolicyAmendment,
    CommandExecutionApprovalDecision,
    CommandExecutionRequestApprovalParams,
    FileChangeApprovalDecision,
    FileChangeRequestApprovalParams,
    PermissionsRequestApprovalParams,
    PermissionsRequestApprovalResponse,
)
from app_server.protocol.elicitation import (
    McpServerElicitationRequestResponse,
    UrlMcpServerElicitationRequestParams,
)
from app_server.protocol.permissions import GrantedPermissionProfile
from tui.state.actions import (
    Action,
    AnswerCommand,
    AnswerElicitation,
    AnswerPatch,
    AnswerPermissions,
    Interrupt,
)
from tui.state.cells import CommandCell, PatchCell
from tui.state.from_items import shown_command
from tui.state.reduce_questions import shown_path
from tui.state.thread import PendingQuestion


class Option(NamedTuple):
    """One choice: the keys that pick it, what it says, and what it does."""

    keys: str
    label: str
    actions: tuple[Action, ...]


class Ask(NamedTuple):
    """A question as it is shown."""

    title: str
    reason: str
    command: str
    """A command line to show in full; empty where the question is about something else."""
    facts: tuple[str, ...]
    options: tuple[Option, ...]


STOP_LABEL = "No, and stop: I will say what to do instead"


def ask_for(question: PendingQuestion, cell: CommandCell | PatchCell | None) -> Ask:
    """How to put `question` to the user; `cell` is the live entry it is about."""
    params = question.params
    match params:
        case CommandExecutionRequestApprovalParams():
            return _command(question, params)
        case FileChangeRequestApprovalParams():
            return _patch(question, params, cell if isinstance(cell, PatchCell) else None)
        case PermissionsRequestApprovalParams():
            return _permissions(question, params)
        case _:
            return _elicitation(question)


def _command(question: PendingQuestion, params: CommandExecutionRequestApprovalParams) -> Ask:
    network = params.network_approval_context
    offered = params.available_decisions

    def answer(decision: CommandExecutionApprovalDecision) -> tuple[Action, ...]:
        return (AnswerCommand(question_id=question.id, decision=decision),)

    once = "Yes, this once" if network else "Yes, run it"
    lasting = (
        "Yes, and allow this host for the session"
        if network
        else "Yes, and do not ask again for this command in this session"
    )
    options = [Option("y", once, answer("accept"))]
    if not offered or "acceptForSession" in offered or not network:
        options.append(Option("a", lasting, answer("acceptForSession")))
    options += [Option("p", label, answer(decision)) for label, decision in _amendments(params)]
    options += [
        Option("d", "No, go on without it", answer("decline")),
        Option("n", STOP_LABEL, answer("cancel")),
    ]
    facts = []
    if network:
        facts.append(f"{network.protocol}://{network.host}")
    if params.cwd:
        facts.append(f"in {params.cwd}")
    return Ask(
        "Let Codex reach this host?" if network else "Run this command?",
        params.reason or "",
        shown_command(params.command or ""),
        tuple(facts),
        tuple(options),
    )


def _amendments(
    params: CommandExecutionRequestApprovalParams,
) -> list[tuple[str, AmendingCommandExecutionApprovalDecision]]:
    """Answers that also change a rule, as the server proposes them."""
    amendments = []
    prefix = params.proposed_execpolicy_amendment
    if prefix:
        decision = AmendingCommandExecutionApprovalDecision(
            accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment(
                execpolicy_amendment=list(prefix)
            )
        )
        label = f"Yes, and always allow commands that start with: {' '.join(prefix)}"
        amendments.append((label, decision))
    for rule in params.proposed_network_policy_amendments or ():
        if rule.action != "allow":
            continue
        decision = AmendingCommandExecutionApprovalDecision(
            apply_network_policy_amendment=ApplyNetworkPolicyAmendment(
                network_policy_amendment=rule
            )
        )
        amendments.append((f"Yes, and always allow {rule.host}", decision))
    return amendments


def _patch(
    question: PendingQuestion, params: FileChangeRequestApprovalParams, cell: PatchCell | None
) -> Ask:
    def answer(decision: FileChangeApprovalDecision) -> tuple[Action, ...]:
        return (AnswerPatch(question_id=question.id, decision=decision),)

    facts = []
    for file in cell.files if cell is not None else ():
        verb = {"add": "add", "delete": "delete", "update": "edit"}[file.kind]
        path = shown_path(file.path, cell.cwd if cell is not None else "")
        moved = f" → {file.move_path}" if file.move_path else ""
        facts.append(f"{verb} {path}{moved}")
    if params.grant_root:
        facts.append(f"asks to write below {params.grant_root}")
    options = (
        Option("y", "Yes, change it", answer("accept")),
        Option("a", "Yes, and do not ask again for these files", answer("acceptForSession")),
        Option("d", "No, go on without it", answer("decline")),
        Option("n", STOP_LABEL, answer("cancel")),
    )
    title = "Make this change?" if len(facts) <= 1 else "Make these changes?"
    return Ask(title, params.reason or "", "", tuple(facts), options)


def _permissions(question: PendingQuestion, params: PermissionsRequestApprovalParams) -> Ask:
    wanted = params.permissions
    granted = GrantedPermissionProfile(file_system=wanted.file_system, network=wanted.network)
    nothing = GrantedPermissionProfile()

    def answer(profile: GrantedPermissionProfile, scope: str) -> AnswerPermissions:
        response = PermissionsRequestApprovalResponse(
            permissions=profile, scope="session" if scope == "session" else "turn"
        )
        return AnswerPermissions(question_id=question.id, response=response)

    facts = [f"in {params.cwd}"]
    if wanted.network is not None and wanted.network.enabled:
        facts.append("reach the network")
    files = wanted.file_system
    if files is not None:
        facts += [f"read {path}" for path in getattr(files, "read", None) or ()]
        facts += [f"write {path}" for path in getattr(files, "write", None) or ()]
        facts += [
            f"{entry.access} {_entry_path(entry.path)}"
            for entry in getattr(files, "entries", None) or ()
        ]
    options = (
        Option("y", "Yes, for this turn", (answer(granted, "turn"),)),
        Option("a", "Yes, for this session", (answer(granted, "session"),)),
        Option("d", "No, go on without it", (answer(nothing, "turn"),)),
        Option("n", STOP_LABEL, (answer(nothing, "turn"), Interrupt())),
    )
    return Ask("Give Codex more room?", params.reason or "", "", tuple(facts), options)


def _entry_path(path: object) -> str:
    for name in ("path", "pattern"):
        value = getattr(path, name, None)
        if isinstance(value, str):
            return value
    kind = type(getattr(path, "value", path)).__name__
    return kind.removesuffix("FileSystemSpecialPath")


def _elicitation(question: PendingQuestion) -> Ask:
    params = question.params
    server = getattr(params, "server_name", "")

    def answer(response: McpServerElicitationRequestResponse) -> tuple[Action, ...]:
        return (AnswerElicitation(question_id=question.id, response=response),)

    refuse = (
        Option("d", "No", answer(McpServerElicitationRequestResponse(action="decline"))),
        Option("n", "Cancel", answer(McpServerElicitationRequestResponse(action="cancel"))),
    )
    message = getattr(params, "message", "")
    if isinstance(params, UrlMcpServerElicitationRequestParams):
        agree = Option("y", "Done", answer(McpServerElicitationRequestResponse(action="accept")))
        return Ask(
            f"{server} asks you to open a page", message, "", (params.url,), (agree, *refuse)
        )
    schema = getattr(params, "requested_schema", None)
    properties = getattr(schema, "properties", None) or {}
    if properties:
        facts = ("Its form has fields, which this release cannot fill in yet.",)
        return Ask(f"{server} asks", message, "", facts, refuse)
    accepted = McpServerElicitationRequestResponse(action="accept", content={})
    agree = Option("y", "Yes", answer(accepted))
    return Ask(f"{server} asks", message, "", (), (agree, *refuse))
