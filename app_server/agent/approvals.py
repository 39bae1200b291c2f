"""Asking the user whether something may be done: once, remembered as far as they said.

Fails closed: an answer that is an error or makes no sense counts as declined. A yes for the session
covers the very same command in the same folder with the same room, or the same files of a patch.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.agent.questions import QuestionRefused
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    ITEM_FILE_CHANGE_REQUEST_APPROVAL,
    AcceptWithExecpolicyAmendment,
    AmendingCommandExecutionApprovalDecision,
    CommandExecutionApprovalDecision,
    CommandExecutionRequestApprovalParams,
    FileChangeRequestApprovalParams,
)
from app_server.protocol.item import CommandAction

if TYPE_CHECKING:
    from app_server.agent.turn import Turn


class Verdict(Enum):
    """What an approval comes to."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    """Declined, and the turn is to end."""
    FAILED = "failed"
    """No answer that could be understood: declined, and the item says so."""


class CommandKey(msgspec.Struct, frozen=True):
    """What a remembered yes to a command covers."""

    argv: tuple[str, ...]
    cwd: str
    escalated: bool
    confined: bool


class ApprovalMemory:
    """What the user allowed for as long as the thread is loaded."""

    def __init__(self) -> None:
        self._commands: set[CommandKey] = set()
        self._files: set[Path] = set()

    def covers_command(self, key: CommandKey) -> bool:
        return key in self._commands

    def remember_command(self, key: CommandKey) -> None:
        self._commands.add(key)

    def covers_files(self, paths: Iterable[Path]) -> bool:
        return all(path in self._files for path in paths)

    def remember_files(self, paths: Iterable[Path]) -> None:
        self._files.update(paths)


class CommandQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A command the user is asked about."""

    item_id: str
    command: str
    cwd: str
    actions: list[CommandAction]
    reason: str | None
    amendment: list[str] | None
    """The command prefix that could be allowed from now on."""
    key: CommandKey


class CommandVerdict(msgspec.Struct, frozen=True):
    verdict: Verdict
    amendment: list[str] | None = None
    """A rule to add, when the user said so."""


async def ask_about_command(turn: Turn, question: CommandQuestion) -> CommandVerdict:
    """Ask; with a yes for the session, remember it."""
    params = CommandExecutionRequestApprovalParams(
        thread_id=turn.thread_id,
        turn_id=turn.id,
        item_id=question.item_id,
        reason=question.reason,
        command=question.command,
        cwd=question.cwd,
        command_actions=question.actions,
        proposed_execpolicy_amendment=question.amendment,
        available_decisions=_offered(question.amendment),
        started_at_ms=clock.now_ms(),
    )
    try:
        answer = await turn.ask(ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL, params)
    except QuestionRefused:
        return CommandVerdict(Verdict.FAILED)
    match answer.decision:
        case "accept":
            return CommandVerdict(Verdict.ACCEPTED)
        case "acceptForSession":
            turn.session.approvals.remember_command(question.key)
            return CommandVerdict(Verdict.ACCEPTED)
        case AmendingCommandExecutionApprovalDecision(
            accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment() as accepted
        ):
            return CommandVerdict(Verdict.ACCEPTED, accepted.execpolicy_amendment)
        case "cancel":
            return CommandVerdict(Verdict.CANCELLED)
        case _:
            return CommandVerdict(Verdict.DECLINED)


async def ask_about_files(
    turn: Turn, item_id: str, paths: Iterable[Path], reason: str | None
) -> Verdict:
    """Ask whether a patch may be applied; with a yes for the session, remember its files."""
    params = FileChangeRequestApprovalParams(
        thread_id=turn.thread_id,
        turn_id=turn.id,
        item_id=item_id,
        reason=reason,
        started_at_ms=clock.now_ms(),
    )
    try:
        answer = await turn.ask(ITEM_FILE_CHANGE_REQUEST_APPROVAL, params)
    except QuestionRefused:
        return Verdict.FAILED
    match answer.decision:
        case "accept":
            return Verdict.ACCEPTED
        case "acceptForSession":
            turn.session.approvals.remember_files(paths)
            return Verdict.ACCEPTED
        case "cancel":
            return Verdict.CANCELLED
        case _:
            return Verdict.DECLINED


def _offered(amendment: list[str] | None) -> list[CommandExecutionApprovalDecision]:
    offered: list[CommandExecutionApprovalDecision] = ["accept"]
    if amendment:
        offered.append(
            AmendingCommandExecutionApprovalDecision(
                accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment(
                    execpolicy_amendment=amendment
                )
            )
        )
    return [*offered, "cancel"]
