"""What may be answered to each kind of question: text, choices, and the action each choice is.

Pure: a question and the cell it is about come in, values come out.
"""

import shlex
from collections.abc import Callable, Sequence
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
from app_server.protocol.permissions import GrantedPermissionProfile, PermissionGrantScope
from tui.state.actions import (
    Action,
    AnswerCommand,
    AnswerElicitation,
    AnswerPatch,
    AnswerPermissions,
    Interrupt,
    RefuseWithWords,
)
from tui.state.cells import CommandCell, PatchCell
from tui.state.from_items import shown_command
from tui.state.model import Settings
from tui.state.reduce_questions import shown_path
from tui.state.thread import PendingQuestion
from tui.widgets.questions.room import reach, wishes


class Field(NamedTuple):
    """A choice that is written out before it is made."""

    text: str
    """What stands there to begin with."""
    take: Callable[[str], "tuple[Action, ...] | str"]
    """The actions for what was written, or what is wrong with it."""


class Option(NamedTuple):
    """One choice: the key that picks it, what it says, and what it does."""

    keys: str
    label: str
    actions: tuple[Action, ...] = ()
    """Empty where the words have to be written first."""
    field: Field | None = None

    @property
    def heading(self) -> str:
        """The label without what is written behind it."""
        return f"{self.label}:" if self.field is not None else self.label


class Ask(NamedTuple):
    """A question as it is shown."""

    title: str
    reason: str
    command: str
    """A command line to show in full; empty where the question is about something else."""
    facts: tuple[str, ...]
    options: tuple[Option, ...]


MOST_COMMAND_CHARACTERS = 20_000
"""`shlex` takes a second for some hundred thousand."""

GO_ON = "No, go on without it"
STOP = "No, and stop here"
TELL = "No, and tell Codex what to do instead"


def ask_for(
    question: PendingQuestion, cell: CommandCell | PatchCell | None, settings: Settings
) -> Ask:
    """How to put `question` to the user; `cell` is the live entry it is about."""
    params = question.params
    match params:
        case CommandExecutionRequestApprovalParams():
            return _command(question, params, settings)
        case FileChangeRequestApprovalParams():
            return _patch(question, params, cell if isinstance(cell, PatchCell) else None)
        case PermissionsRequestApprovalParams():
            return _permissions(question, params)
        case _:
            return _elicitation(question)


def _command(
    question: PendingQuestion, params: CommandExecutionRequestApprovalParams, settings: Settings
) -> Ask:
    network = params.network_approval_context
    offered = params.available_decisions

    def answer(decision: CommandExecutionApprovalDecision) -> AnswerCommand:
        return AnswerCommand(question_id=question.id, decision=decision)

    once = "Yes, this once" if network else "Yes, run it"
    lasting = (
        "Yes, and allow this host for the session"
        if network
        else "Yes, and do not ask again for this command in this session"
    )
    options = [Option("y", once, (answer("accept"),))]
    if not offered or "acceptForSession" in offered or not network:
        options.append(Option("a", lasting, (answer("acceptForSession"),)))
    if params.proposed_execpolicy_amendment:
        proposed = params.proposed_execpolicy_amendment
        options.append(_prefix(proposed, params.command or "", answer))
    for rule in params.proposed_network_policy_amendments or ():
        if rule.action == "allow":
            amendment = ApplyNetworkPolicyAmendment(network_policy_amendment=rule)
            decision = AmendingCommandExecutionApprovalDecision(
                apply_network_policy_amendment=amendment
            )
            options.append(Option("p", f"Yes, and always allow {rule.host}", (answer(decision),)))
    options += _refusals(answer("decline"), (answer("cancel"),))
    facts = []
    if network:
        facts.append(f"{network.protocol}://{network.host}")
    if params.cwd:
        facts.append(f"in {params.cwd}")
    if not network:
        room = reach(settings.sandbox, settings.approval_policy, params.additional_permissions)
        facts += [room] if room else []
    return Ask(
        "Let Codex reach this host?" if network else "Run this command?",
        params.reason or "",
        shown_command(params.command or ""),
        tuple(facts),
        tuple(options),
    )


def _prefix(
    proposed: Sequence[str],
    command: str,
    answer: Callable[[CommandExecutionApprovalDecision], AnswerCommand],
) -> Option:
    """A rule for the like of `command`, as the server proposes it or as the user writes it."""

    def allow(words: Sequence[str]) -> tuple[Action, ...]:
        amendment = AcceptWithExecpolicyAmendment(execpolicy_amendment=list(words))
        decision = AmendingCommandExecutionApprovalDecision(
            accept_with_execpolicy_amendment=amendment
        )
        return (answer(decision),)

    def take(text: str) -> tuple[Action, ...] | str:
        try:
            words = shlex.split(text)
        except ValueError:
            return "A quote is open: close it, or leave it out."
        if not words:
            return "Write at least the program's name."
        why_not = None if words == list(proposed) else _objection(command, words)
        return f"Such a rule is not kept: {why_not}." if why_not else allow(words)

    label = "Yes, and always allow commands that start with"
    return Option("p", label, allow(proposed), Field(shlex.join(proposed), take))


def _objection(command: str, prefix: Sequence[str]) -> str | None:
    """What the server will have against this rule, so that it can be said while it is written;
    the server's word counts. None for a command too long to be taken apart here."""
    from app_server.execpolicy.amend import objection  # 40 ms, with the first rule of one's own

    if len(command) > MOST_COMMAND_CHARACTERS:
        return None
    try:
        argv = shlex.split(command)
    except ValueError:
        return None
    return objection(argv, prefix) if argv else None


def _refusals(
    no: AnswerCommand | AnswerPatch | AnswerPermissions, stop: tuple[Action, ...]
) -> list[Option]:
    """No, in three ways; words go to the agent while it works."""

    def tell(text: str) -> tuple[Action, ...] | str:
        words = text.strip()
        return (RefuseWithWords(answer=no, words=words),) if words else "Write what to do instead."

    return [
        Option("d", GO_ON, (no,)),
        Option("t", TELL, field=Field("", tell)),
        Option("n", STOP, stop),
    ]


def _patch(
    question: PendingQuestion, params: FileChangeRequestApprovalParams, cell: PatchCell | None
) -> Ask:
    def answer(decision: FileChangeApprovalDecision) -> AnswerPatch:
        return AnswerPatch(question_id=question.id, decision=decision)

    facts = []
    for file in cell.files if cell is not None else ():
        verb = {"add": "add", "delete": "delete", "update": "edit"}[file.kind]
        path = shown_path(file.path, cell.cwd if cell is not None else "")
        moved = f" → {file.move_path}" if file.move_path else ""
        facts.append(f"{verb} {path}{moved}")
    if params.grant_root:
        facts.append(f"asks to write below {params.grant_root}")
    options = (
        Option("y", "Yes, change it", (answer("accept"),)),
        Option("a", "Yes, and do not ask again for these files", (answer("acceptForSession"),)),
        *_refusals(answer("decline"), (answer("cancel"),)),
    )
    title = "Make this change?" if len(facts) <= 1 else "Make these changes?"
    return Ask(title, params.reason or "", "", tuple(facts), options)


def _permissions(question: PendingQuestion, params: PermissionsRequestApprovalParams) -> Ask:
    wanted = params.permissions
    granted = GrantedPermissionProfile(file_system=wanted.file_system, network=wanted.network)
    nothing = GrantedPermissionProfile()

    def answer(profile: GrantedPermissionProfile, scope: PermissionGrantScope) -> AnswerPermissions:
        response = PermissionsRequestApprovalResponse(permissions=profile, scope=scope)
        return AnswerPermissions(question_id=question.id, response=response)

    refused = answer(nothing, "turn")
    options = (
        Option("y", "Yes, for this turn", (answer(granted, "turn"),)),
        Option("a", "Yes, for this session", (answer(granted, "session"),)),
        *_refusals(refused, (refused, Interrupt())),
    )
    facts = (*wishes(wanted.file_system, wanted.network), f"in {params.cwd}")
    return Ask("Give Codex more room?", params.reason or "", "", facts, options)


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
