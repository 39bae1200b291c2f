"""The one path to a command's side effects: may it run, must someone be asked, with what room.

What it takes is `requirement`'s to say. Then, if need be, comes the question. A command that is to
be confined and cannot be is put to the user as unconfined, with what is missing; where nobody is
asked it does not run.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import msgspec

from app_server.agent.approvals import CommandKey, CommandQuestion, Verdict, ask_about_command
from app_server.agent.tools.long_commands import look_at
from app_server.agent.tools.requirement import (
    Ask,
    CommandCall,
    Refuse,
    Run,
    nobody_is_asked,
    requirement,
)
from app_server.agent.tools.spec import ToolError
from app_server.exec.confining import (
    CONFINING,
    confined_by_service,
    confined_request,
    request_of,
)
from app_server.exec.environment import SpawnRequest, TtySize
from app_server.exec.errors import EnvironmentLost
from app_server.protocol.item import CommandExecutionThreadItem
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    GranularAskForApproval,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_server.agent.turn import Turn
    from app_server.exec.confining import Confinement
    from app_server.exec.environment import Environment
    from app_server.sandbox.launch import PreparedCommand
    from app_server.sandbox.proxy_door import Door
    from app_server.sandbox.wishes import Permissions

DECLINED_BY_USER = "rejected by user"
RETRY_REASON = "command failed; retry without sandbox?"


def command_item(call: CommandCall) -> CommandExecutionThreadItem:
    """What the user sees of a command that is about to start."""
    from app_server.execpolicy.command_actions import command_actions

    return CommandExecutionThreadItem(
        id=call.call_id,
        command=call.command,
        command_actions=command_actions(call.argv, call.cwd),
        cwd=str(call.cwd),
        status="inProgress",
    )


async def permit(
    turn: Turn, call: CommandCall, item: CommandExecutionThreadItem, *, tty: bool
) -> Permit:
    """See to it that the command may run, and how. Raises `NotPermitted` when it may not.

    `item` is started and ended here when someone is asked and says no; it has been started when
    the permit says so.
    """
    settings = turn.settings
    rules = turn.session.rules
    needed = await look_at(
        call.argv,
        lambda: requirement(call, settings.approval_policy, settings.sandbox_policy, rules),
    )
    if isinstance(needed, Refuse):
        raise NotPermitted(needed.reason)
    request, confinement, missing = await _prepared(turn, call, confined=needed.confined, tty=tty)
    if missing is not None:
        if nobody_is_asked(settings.approval_policy):
            await _warn_of_elsewhere(turn, missing)
            raise NotPermitted(missing)
        needed = Ask(reason=_unconfined_reason(call, missing), amendment=None, confined=False)
    if isinstance(needed, Run):
        return Permit(request=request, confinement=confinement)
    asked = await _agreed(turn, call, item, needed)
    return Permit(request=request, confinement=confinement, item_started=asked, agreed=True)


async def permit_outside(
    turn: Turn,
    call: CommandCall,
    item: CommandExecutionThreadItem,
    first: Permit,
    *,
    tty: bool = False,
) -> Permit | None:
    """Let a command that the sandbox stopped run once more without one; None where the policy
    leaves it at that. The yes to the first attempt covers this one. Raises `NotPermitted`."""
    if not tries_outside(turn):
        return None
    if not first.agreed:
        from app_server.execpolicy.amend import propose

        rules = turn.session.rules
        rule = await look_at(call.argv, lambda: propose(call.argv, call.prefix_rule, rules))
        needed = Ask(reason=RETRY_REASON, amendment=rule, confined=False)
        await _agreed(turn, call, item, needed, item_started=True)
    request, confinement, _ = await _prepared(turn, call, confined=False, tty=tty)
    return Permit(request=request, confinement=confinement, item_started=True, agreed=True)


def tries_outside(turn: Turn) -> bool:
    """Whether a command the sandbox stopped may be tried without one, once somebody agrees."""
    approval = turn.settings.approval_policy
    if isinstance(approval, GranularAskForApproval):
        return approval.granular.sandbox_approval
    return approval in ("untrusted", "on-failure")


class NotPermitted(ToolError):
    """The command must not run; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """The command may run, this way."""

    request: SpawnRequest
    confinement: str
    """What holds it, as `exec.confining` names it."""
    item_started: bool = False
    agreed: bool = False
    """Whether somebody said yes to it, now or before."""


async def _prepared(
    turn: Turn, call: CommandCall, *, confined: bool, tty: bool
) -> tuple[SpawnRequest, str, str | None]:
    """What to spawn, what confines it, and what keeps it unconfined although it should not be."""
    from app_server.exec.shell_env import unified_exec_variables
    from app_server.sandbox.errors import SandboxUnavailable

    session, settings = turn.session, turn.settings
    policy = settings.confinement if confined else DangerFullAccessSandboxPolicy()
    variables = unified_exec_variables(session.config.shell_environment_policy, session.thread_id)
    env = variables.over(os.environ)
    environment = await session.services.environment(settings.environment)
    size = TtySize() if tty else None

    async def prepared(
        policy: Permissions, door: Door | None = None
    ) -> tuple[SpawnRequest, Confinement]:
        command = _by_named_program(turn, call, policy, env)
        if command is not None:
            return request_of(command, size), command.confinement
        return await confined_request(
            environment,
            policy,
            call.argv,
            call.cwd,
            env,
            variables=variables,
            tty=size,
            policy_cwd=settings.cwd,
            policy_cwd_elsewhere=settings.command_cwd,
            codex_home=session.services.codex_home,
            door=door,
        )

    try:
        door = await _door(turn, call, environment) if confined else None
        return *await prepared(policy, door), None
    except SandboxUnavailable as error:
        return *await prepared(DangerFullAccessSandboxPolicy()), str(error)
    except EnvironmentLost as error:
        raise NotPermitted(f"the place commands run in cannot be reached: {error}") from error


async def _warn_of_elsewhere(turn: Turn, missing: str) -> None:
    """Tell the user once what keeps another machine from confining; of this one they know."""
    environment = await turn.session.services.environment(turn.settings.environment)
    if await environment.confiner() != "caller" and missing not in turn.session.warned_of:
        turn.session.warned_of.add(missing)
        turn.session.outlet.warn(missing)


async def _door(turn: Turn, call: CommandCall, environment: Environment) -> Door | None:
    if turn.settings.network_rules is None:
        return None
    if await confined_by_service(environment):
        from app_server.sandbox.errors import SandboxUnavailable

        raise SandboxUnavailable(
            "the permissions judge hosts one by one, with a proxy on this machine that commands "
            "elsewhere cannot reach",
            "Choose permissions whose network is off or on as a whole.",
        )
    from app_server.agent.network import open_door  # with the first command that needs it

    return await open_door(turn, call)


def _by_named_program(
    turn: Turn, call: CommandCall, policy: Permissions, env: Mapping[str, str]
) -> PreparedCommand | None:
    """The command confined by the program the configuration names, if it names one."""
    program = turn.session.config.codex_linux_sandbox_exe
    if program is None or not isinstance(policy, CONFINING):
        return None
    from app_server.sandbox.launch import delegated
    from app_server.storage.shapes import permission_profile

    profile = permission_profile(policy)
    return delegated(
        program,
        msgspec.json.encode(profile).decode(),
        call.argv,
        call.cwd,
        env,
        policy_cwd=turn.settings.cwd,
        network_allowed=profile["network"] == "enabled",
    )


async def _agreed(
    turn: Turn,
    call: CommandCall,
    item: CommandExecutionThreadItem,
    needed: Ask,
    *,
    item_started: bool = False,
) -> bool:
    """Get somebody's yes, unless it was given before; whether the item was started for it."""
    key = CommandKey(
        argv=call.argv, cwd=str(call.cwd), escalated=call.escalated, confined=needed.confined
    )
    if turn.session.approvals.covers_command(key):
        return False
    if not item_started:
        turn.start(item, waits=True)
    answer = await ask_about_command(
        turn,
        CommandQuestion(
            item_id=item.id,
            command=item.command,
            cwd=item.cwd,
            actions=item.command_actions,
            reason=needed.reason,
            amendment=needed.amendment,
            key=key,
            source=call.source,
        ),
    )
    if answer.verdict is Verdict.ACCEPTED:
        if answer.amendment is not None:
            await _keep_rule(turn, call, answer.amendment)
        return True
    status = "failed" if answer.verdict is Verdict.FAILED else "declined"
    turn.complete(msgspec.structs.replace(item, status=status))
    if answer.verdict is Verdict.CANCELLED:
        turn.interrupt()
        raise asyncio.CancelledError
    raise NotPermitted(answer.told or DECLINED_BY_USER)


async def _keep_rule(turn: Turn, call: CommandCall, prefix: list[str]) -> None:
    """Write down the rule a yes came with. It may differ from the one that was offered, so it is
    looked at as if a stranger had proposed it; the yes to this command stands in any case."""
    from app_server.execpolicy.amend import objection
    from app_server.execpolicy.shell_quote import shell_join

    why_not = await look_at(call.argv, lambda: objection(call.argv, prefix))
    if why_not is None:
        await turn.session.allow_prefix(prefix)
    else:
        turn.session.outlet.warn(f"The rule `{shell_join(prefix)}` was not kept: {why_not}.")


def _unconfined_reason(call: CommandCall, missing: str) -> str:
    asked = f"{call.justification} " if call.justification else ""
    return f"{asked}This command would run without a sandbox. {missing}"
