"""Asking whether something may be done: the user, or the model that reviews in their place.

Fails closed: an answer that is an error or makes no sense counts as declined. A yes for the session
covers the very same command in the same folder with the same room, or the same files of a patch.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
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
from app_server.protocol.guardian import (
    ApplyPatchGuardianApprovalReviewAction,
    CommandGuardianApprovalReviewAction,
    GuardianApprovalReviewAction,
    GuardianCommandSource,
)
from app_server.protocol.item import CommandAction, FileChangeThreadItem
from app_server.protocol.wire import JsonObject

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


class ReviewMemory:
    """What an automatic reviewer refused, and what the person allowed in spite of it."""

    def __init__(self) -> None:
        self._allowed: dict[Hashable, bytes | None] = {}
        self._refused: dict[Hashable, bytes] = {}
        self._turn_id = ""
        self._running = 0
        self._all = 0

    def allow_once(self, key: Hashable) -> None:
        self._allowed[key] = self._refused.get(key)

    def take_allowed(self, key: Hashable, details: bytes) -> bool:
        """Whether the person allowed this action; that is used up by asking.

        What was refused is what was allowed: the same command with more room, or another patch of
        the same files, is not.
        """
        if key not in self._allowed or self._allowed[key] not in (None, details):
            return False
        del self._allowed[key]
        return True

    def note_refused(self, key: Hashable, details: bytes) -> None:
        """Remember what exactly was refused, in a form to compare."""
        self._refused[key] = details

    def allowed(self, turn_id: str) -> None:
        self._count_in(turn_id)
        self._running = 0

    def refused(self, turn_id: str) -> tuple[int, int]:
        """How many were refused in a row, and in this turn."""
        self._count_in(turn_id)
        self._running += 1
        self._all += 1
        return self._running, self._all

    def _count_in(self, turn_id: str) -> None:
        if turn_id != self._turn_id:
            self._turn_id, self._running, self._all = turn_id, 0, 0


class ApprovalMemory:
    """What the user allowed for as long as the thread is loaded."""

    def __init__(self) -> None:
        self.reviews = ReviewMemory()
        self._commands: set[CommandKey] = set()
        self._files: set[Path] = set()
        self._hosts: set[str] = set()

    def covers_host(self, host: str) -> bool:
        return host in self._hosts

    def remember_host(self, host: str) -> None:
        self._hosts.add(host)

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
    source: GuardianCommandSource


class Answer(msgspec.Struct, frozen=True):
    """What was said to a question."""

    verdict: Verdict
    amendment: list[str] | None = None
    """A rule to add, when the user said so."""
    told: str | None = None
    """Why not, for the model, where more is known than that somebody declined."""


async def ask_about_command(turn: Turn, question: CommandQuestion) -> Answer:
    """Ask whoever reviews; with a yes for the session, remember it."""
    if turn.settings.approvals_reviewer == "auto_review":
        action = CommandGuardianApprovalReviewAction(
            command=question.command, cwd=question.cwd, source=question.source
        )
        details: JsonObject = {"runs_in_the_sandbox": question.key.confined}
        return await _reviewed(turn, action, question.item_id, question.reason, details)
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
        return Answer(Verdict.FAILED)
    match answer.decision:
        case "accept":
            return Answer(Verdict.ACCEPTED)
        case "acceptForSession":
            turn.session.approvals.remember_command(question.key)
            return Answer(Verdict.ACCEPTED)
        case AmendingCommandExecutionApprovalDecision(
            accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment() as accepted
        ):
            return Answer(Verdict.ACCEPTED, accepted.execpolicy_amendment)
        case "cancel":
            return Answer(Verdict.CANCELLED)
        case _:
            return Answer(Verdict.DECLINED)


async def ask_about_files(
    turn: Turn, item: FileChangeThreadItem, paths: Iterable[Path], reason: str | None
) -> Answer:
    """Ask whether a patch may be applied; with a yes for the session, remember its files."""
    if turn.settings.approvals_reviewer == "auto_review":
        files = sorted(str(path) for path in paths)
        action = ApplyPatchGuardianApprovalReviewAction(cwd=str(turn.settings.cwd), files=files)
        patch = "\n".join(f"{change.path}\n{change.diff}" for change in item.changes)
        return await _reviewed(turn, action, item.id, reason, {"patch": patch})
    params = FileChangeRequestApprovalParams(
        thread_id=turn.thread_id,
        turn_id=turn.id,
        item_id=item.id,
        reason=reason,
        started_at_ms=clock.now_ms(),
    )
    try:
        answer = await turn.ask(ITEM_FILE_CHANGE_REQUEST_APPROVAL, params)
    except QuestionRefused:
        return Answer(Verdict.FAILED)
    match answer.decision:
        case "accept":
            return Answer(Verdict.ACCEPTED)
        case "acceptForSession":
            turn.session.approvals.remember_files(paths)
            return Answer(Verdict.ACCEPTED)
        case "cancel":
            return Answer(Verdict.CANCELLED)
        case _:
            return Answer(Verdict.DECLINED)


async def _reviewed(
    turn: Turn,
    action: GuardianApprovalReviewAction,
    item_id: str,
    reason: str | None,
    details: JsonObject,
) -> Answer:
    from app_server.agent.auto_review import judge_action  # a session of its own: on first use

    found = await judge_action(turn, action, item_id, reason, details)
    if found.allowed:
        return Answer(Verdict.ACCEPTED)
    return Answer(Verdict.CANCELLED if found.ends_turn else Verdict.DECLINED, told=found.told)


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
