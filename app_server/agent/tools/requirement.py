"""What it takes to run a command: nothing, somebody's yes, or it must not run. Pure.

A call may run several commands. What rules say of each of them counts; those no rule matches go by
what they are, the approval policy and the sandbox. The strictest of it decides. Only when rules
allow every command of a call does it run outside the sandbox, and then not if it only looks and did
not ask for that: what a folder's settings make of such a command stays inside.

A script that only a shell understands counts as one command no rule allows; what is seen in it can
make the answer stricter, never milder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from app_server.agent.tools.spec import ToolError
from app_server.execpolicy.rules import Decision, RuleSet
from app_server.protocol.guardian import GuardianCommandSource
from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    GranularAskForApproval,
    SandboxPolicy,
)

NO_ADDITIONAL_PERMISSIONS = (
    "additional permissions are disabled; enable `features.exec_permission_approvals` before "
    "using `with_additional_permissions`"
)
BLOCKED_BY_POLICY = "blocked by policy"
NOBODY_ASKED = "approval required by policy, but AskForApproval is set to Never"
NOBODY_ASKED_GRANULAR = (
    "approval required by policy, but AskForApproval::Granular.sandbox_approval is false"
)
NOBODY_ASKED_BY_RULES = (
    "approval required by policy rule, but AskForApproval::Granular.rules is false"
)


class Run(msgspec.Struct, frozen=True):
    """It may run without a question."""

    confined: bool


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Someone must say yes first."""

    reason: str | None
    amendment: list[str] | None
    confined: bool
    """Whether it still runs inside the sandbox after a yes."""


class Refuse(msgspec.Struct, frozen=True):
    """It must not run."""

    reason: str


Requirement: TypeAlias = Run | Ask | Refuse


SandboxWish: TypeAlias = Literal["use_default", "require_escalated", "with_additional_permissions"]
"""What a call wants of the sandbox."""


def is_escalated(wish: SandboxWish) -> bool:
    """Whether it wants none. Raises `ToolError` for what this release cannot grant."""
    if wish == "with_additional_permissions":
        raise ToolError(NO_ADDITIONAL_PERMISSIONS)
    return wish == "require_escalated"


class CommandCall(msgspec.Struct, frozen=True, kw_only=True):
    """A command as the model called for it."""

    call_id: str
    argv: tuple[str, ...]
    command: str
    """The words as one line."""
    cwd: Path
    escalated: bool = False
    justification: str | None = None
    prefix_rule: tuple[str, ...] | None = None
    source: GuardianCommandSource = "shell"
    """Which kind of tool called for it."""


def requirement(
    call: CommandCall, approval: AskForApproval, sandbox: SandboxPolicy, rules: RuleSet
) -> Requirement:
    """What it takes to run this command. Raises `ToolError` for a wish that cannot be granted."""
    from app_server.execpolicy.amend import propose
    from app_server.execpolicy.known_safe import is_safe_command
    from app_server.execpolicy.match import judge, prompt_reason, rejection_reason
    from app_server.execpolicy.shell_split import (
        command_with_input,
        commands_of,
        mentioned_commands,
    )

    if call.escalated and approval != "on-request" and not _granular_asks(approval):
        name = policy_name(approval)
        raise ToolError(
            f"approval policy is {name}; reject command — you cannot ask for escalated "
            f"permissions if the approval policy is {name}"
        )
    plain = commands_of(call.argv)
    commands = plain if plain is not None else [command_with_input(call.argv) or list(call.argv)]
    said = judge(rules, commands, mentioned=mentioned_commands(call.argv) or ())
    if said.decision == "forbidden":
        return Refuse(rejection_reason(call.argv, said))
    sandboxed = has_sandbox(sandbox)
    confined = sandboxed and not call.escalated
    if said.allows_all:
        only_looks = plain is not None and all(map(is_safe_command, plain))
        return Run(confined=confined and only_looks)
    unmatched = said.unmatched if plain is not None else [list(call.argv)]
    asks_for_room = sandboxed and call.escalated
    by_nature = {
        _by_nature(words, plain is not None, approval, sandboxed, asks_for_room)
        for words in unmatched
    }
    if "forbidden" in by_nature:
        return Refuse(f"`{call.command}` rejected: {BLOCKED_BY_POLICY}")
    if said.decision == "prompt":
        refusal = _refusal_of_rules(approval)
        if refusal is not None:
            return Refuse(refusal)
        return Ask(reason=prompt_reason(call.argv, said), amendment=None, confined=confined)
    if "prompt" not in by_nature:
        return Run(confined=confined)
    if nobody_is_asked(approval):
        return Refuse(refusal_to_ask(approval))
    return Ask(
        reason=call.justification,
        amendment=propose(call.argv, call.prefix_rule, rules),
        confined=confined,
    )


def _by_nature(
    words: Sequence[str],
    is_plain: bool,
    approval: AskForApproval,
    sandboxed: bool,
    asks_for_room: bool,
) -> Decision:
    """What becomes of a command no rule speaks of."""
    from app_server.execpolicy.known_dangerous import is_known_dangerous
    from app_server.execpolicy.known_safe import is_safe_command

    if approval == "untrusted" and is_plain and is_safe_command(words):
        return "allow"
    if is_known_dangerous(words):
        if approval != "never":
            return "prompt"
        return "forbidden" if sandboxed and is_plain else "allow"
    return "prompt" if approval == "untrusted" or asks_for_room else "allow"


def policy_name(policy: AskForApproval) -> str:
    """An approval policy as messages to the model name it."""
    if isinstance(policy, GranularAskForApproval):
        return "Granular"
    return {
        "untrusted": "UnlessTrusted",
        "on-failure": "OnFailure",
        "on-request": "OnRequest",
        "never": "Never",
    }[policy]


def has_sandbox(policy: SandboxPolicy) -> bool:
    """Whether commands are confined at all under this policy."""
    return not isinstance(policy, DangerFullAccessSandboxPolicy | ExternalSandboxSandboxPolicy)


def nobody_is_asked(approval: AskForApproval) -> bool:
    """Whether questions about leaving the sandbox are refused instead of put."""
    if isinstance(approval, GranularAskForApproval):
        return not approval.granular.sandbox_approval
    return approval == "never"


def refusal_to_ask(approval: AskForApproval) -> str:
    """What the model is told where nobody is asked."""
    return NOBODY_ASKED if approval == "never" else NOBODY_ASKED_GRANULAR


def _refusal_of_rules(approval: AskForApproval) -> str | None:
    """Why a question a rule demands is not put; None where it is."""
    if isinstance(approval, GranularAskForApproval):
        return None if approval.granular.rules else NOBODY_ASKED_BY_RULES
    return NOBODY_ASKED if approval == "never" else None


def _granular_asks(approval: AskForApproval) -> bool:
    return isinstance(approval, GranularAskForApproval) and approval.granular.sandbox_approval
