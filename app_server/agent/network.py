"""Hosts a command wants to reach through the proxy: rules put together, and people asked.

What a profile allows or denies is known beforehand; what nobody named is asked about once for all
connections of a command that wait for it, and a yes or no may be kept for the thread or for good.
Where nobody is asked, or the turn is over, the answer is no.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.agent.questions import QuestionRefused
from app_server.agent.tools.requirement import nobody_is_asked
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    AmendingCommandExecutionApprovalDecision,
    ApplyNetworkPolicyAmendment,
    CommandExecutionApprovalDecision,
    CommandExecutionRequestApprovalParams,
)
from app_server.protocol.guardian import NetworkAccessGuardianApprovalReviewAction
from app_server.protocol.permissions import (
    NetworkApprovalContext,
    NetworkApprovalProtocol,
    NetworkPolicyAmendment,
)
from app_server.sandbox.network_rules import NetworkRules, normal

if TYPE_CHECKING:
    from app_server.agent.tools.requirement import CommandCall
    from app_server.agent.turn import Turn
    from app_server.sandbox.proxy import Protocol
    from app_server.sandbox.proxy_door import Door

_ON_THE_WIRE: dict[str, NetworkApprovalProtocol] = {
    "http": "http",
    "https": "https",
    "socks5_tcp": "socks5Tcp",
}


async def open_door(turn: Turn, call: CommandCall) -> Door | None:
    """A door to the proxy for one command; None where its permissions know no hosts."""
    profile_rules = turn.settings.network_rules
    if profile_rules is None:
        return None
    doors = await turn.session.services.proxy_doors()
    questions = _Questions(turn, call)
    return doors.open(_with_rules(turn, profile_rules), questions.ask)


def _with_rules(turn: Turn, rules: NetworkRules) -> NetworkRules:
    """What the profile says, and what files of rules deny; what those allow is asked of them."""
    denied = {
        normal(rule.host) for rule in turn.session.rules.network_rules if rule.decision == "deny"
    }
    domains = {**rules.domains, **dict.fromkeys(denied, "deny")}
    return msgspec.structs.replace(rules, domains=domains)


class _Questions:
    """What one command asks about."""

    def __init__(self, turn: Turn, call: CommandCall) -> None:
        self._turn = turn
        self._call = call
        self._asking: dict[str, asyncio.Future[bool]] = {}

    async def ask(self, host: str, protocol: Protocol) -> bool:
        name = normal(host)
        session = self._turn.session
        rules = [rule for rule in session.rules.network_rules if normal(rule.host) == name]
        if any(rule.decision == "deny" for rule in rules):
            return False  # said since the door was opened
        if session.approvals.covers_host(name) or any(
            (rule.protocol, rule.decision) == (protocol, "allow") for rule in rules
        ):
            return True
        waiting = self._asking.get(name)
        if waiting is None:
            waiting = asyncio.ensure_future(self._ask(name, protocol))
            self._asking[name] = waiting
            waiting.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(waiting)

    async def _ask(self, host: str, protocol: Protocol) -> bool:
        turn = self._turn
        if nobody_is_asked(turn.settings.approval_policy) or turn.closed:
            return False
        if turn.settings.approvals_reviewer == "auto_review":
            return await self._reviewed(host, protocol)
        amendments = [NetworkPolicyAmendment(host=host, action=a) for a in ("allow", "deny")]
        params = CommandExecutionRequestApprovalParams(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=self._call.call_id,
            reason="The permission profile does not name this host.",
            network_approval_context=NetworkApprovalContext(
                host=host, protocol=_ON_THE_WIRE[protocol]
            ),
            proposed_network_policy_amendments=amendments,
            available_decisions=_offered(amendments),
            started_at_ms=clock.now_ms(),
        )
        terminals = await turn.session.terminals()
        terminals.pause_clock()  # a person's time is not the command's
        try:
            answer = await turn.ask(ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL, params)
        except QuestionRefused:
            return False
        finally:
            terminals.resume_clock()
        match answer.decision:
            case "accept":
                return True
            case "acceptForSession":
                turn.session.approvals.remember_host(host)
                return True
            case AmendingCommandExecutionApprovalDecision(
                apply_network_policy_amendment=ApplyNetworkPolicyAmendment() as applied
            ):
                # Only what was asked about: an answer cannot open another host.
                action = applied.network_policy_amendment.action
                await turn.session.keep_network_rule(host, protocol, action)
                return action == "allow"
            case "cancel":
                turn.interrupt()
        return False

    async def _reviewed(self, host: str, protocol: Protocol) -> bool:
        from app_server.agent.auto_review import judge_action

        turn = self._turn
        action = NetworkAccessGuardianApprovalReviewAction(
            host=host, port=0, protocol=_ON_THE_WIRE[protocol], target=host
        )
        reason = f"`{self._call.command}` wants to reach {host}."
        judged = await judge_action(turn, action, self._call.call_id, reason)
        if judged.ends_turn:
            turn.interrupt()
        return judged.allowed


def _offered(amendments: list[NetworkPolicyAmendment]) -> list[CommandExecutionApprovalDecision]:
    kept: list[CommandExecutionApprovalDecision] = [
        AmendingCommandExecutionApprovalDecision(
            apply_network_policy_amendment=ApplyNetworkPolicyAmendment(network_policy_amendment=one)
        )
        for one in amendments
    ]
    return ["accept", "acceptForSession", *kept, "cancel"]
