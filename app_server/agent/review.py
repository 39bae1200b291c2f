"""Reviewing a change: another mind looks at it, this thread hears the result.

The reviewer is a session of its own inside the turn: it has our instructions for reviewers, sees
nothing of the conversation, asks nobody and may only do what the thread may. What it runs is shown
as it happens; its words are kept until they are whole. The thread then holds what was asked and
what came of it, so that the next turn can act on a finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from app_server import clock
from app_server.agent.errors import EmptyReviewTarget
from app_server.agent.events import (
    ItemCompleted,
    ItemStarted,
    ReviewEntered,
    ReviewExited,
    ThreadEvent,
    TokensCounted,
    Told,
    TurnFailed,
)
from app_server.agent.history import text_message
from app_server.agent.input_queue import QueuedInput
from app_server.agent.other_mind import answer_of
from app_server.agent.review_output import ReviewOutput, in_words, read_output
from app_server.agent.settings import TurnSettings
from app_server.git.command import git
from app_server.prompts import text
from app_server.prompts.fragments import marked
from app_server.protocol.item import (
    ITEM_COMPLETED,
    ITEM_STARTED,
    AgentMessageThreadItem,
    EnteredReviewModeThreadItem,
    ItemCompletedNotification,
    ItemStartedNotification,
)
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.method import ServerMethod
from app_server.protocol.response_item import MessageResponseItem, OutputTextContentItem
from app_server.protocol.review import (
    BaseBranchReviewTarget,
    CommitReviewTarget,
    CustomReviewTarget,
    ReviewTarget,
    UncommittedChangesReviewTarget,
)
from app_server.protocol.user_input import TextUserInput

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

P = TypeVar("P")
R = TypeVar("R")

ANSWER_ITEM_ID = "review_rollout_assistant"
SHORT_SHA = 7


def checked_target(target: ReviewTarget) -> ReviewTarget:
    """The target without the blanks around it. Raises `EmptyReviewTarget` where nothing is left."""
    match target:
        case BaseBranchReviewTarget(branch=branch):
            return BaseBranchReviewTarget(branch=_something(branch, "branch"))
        case CommitReviewTarget(sha=sha, title=title):
            return CommitReviewTarget(
                sha=_something(sha, "sha"), title=(title or "").strip() or None
            )
        case CustomReviewTarget(instructions=wishes):
            return CustomReviewTarget(instructions=_something(wishes, "instructions"))
        case UncommittedChangesReviewTarget():
            return target


def named(target: ReviewTarget) -> str:
    """What is reviewed, in a few words for the reader."""
    match target:
        case UncommittedChangesReviewTarget():
            return "current changes"
        case BaseBranchReviewTarget(branch=branch):
            return f"changes against '{branch}'"
        case CommitReviewTarget(sha=sha, title=title):
            return f"commit {sha[:SHORT_SHA]}" + (f": {title}" if title else "")
        case CustomReviewTarget(instructions=wishes):
            return wishes


def announce(turn: Turn, target: ReviewTarget) -> None:
    """Readers enter review mode before the turn begins."""
    item = EnteredReviewModeThreadItem(id=turn.id, review=named(target))
    at = clock.now_ms()
    ids = {"thread_id": turn.thread_id, "turn_id": turn.id}
    began = ItemStartedNotification(**ids, item=item, started_at_ms=at)
    whole = ItemCompletedNotification(**ids, item=item, completed_at_ms=at)
    turn.emit(Told(row=ITEM_STARTED, params=began))
    turn.emit(Told(row=ITEM_COMPLETED, params=whole))


async def review(turn: Turn, target: ReviewTarget) -> None:
    """Review in a turn that was announced. Raises `ModelError` when the reviewer had none."""
    stored: Any = msgspec.to_builtins(target)
    turn.emit(ReviewEntered(turn_id=turn.id, target=stored, hint=named(target)))
    output: ReviewOutput | None = None

    def leave() -> None:
        at = clock.now_ms()
        turn.emit(ReviewExited(turn_id=turn.id, output=output, at_ms=at))

    turn.before_abort = leave
    question = await _question(target, turn)
    turn.waiting.put_first([QueuedInput.of([TextUserInput(text=question)])])
    await turn.take_input(1)
    try:
        answer = await _reviewed(turn, question)
        if answer is not None:
            output = read_output(answer)
    finally:
        turn.before_abort = None
        leave()
    _keep(turn, in_words(output))


async def _question(target: ReviewTarget, turn: Turn) -> str:
    match target:
        case UncommittedChangesReviewTarget():
            what = (
                "Review the changes in this working tree that are not committed yet: staged ones, "
                "unstaged ones and new files. `git status` and `git diff HEAD` show them."
            )
        case BaseBranchReviewTarget(branch=branch):
            base = await _merge_base(turn, branch)
            what = (
                f"Review what this branch changes against `{branch}`. "
                + (f"`git diff {base}` shows it." if base else f"Find the merge base of HEAD and "
                   f"`{branch}` first, then look at `git diff` against it.")
            )  # fmt: skip
        case CommitReviewTarget(sha=sha, title=title):
            what = f"Review the commit {sha}{f' ({title})' if title else ''}: `git show {sha}`."
        case CustomReviewTarget(instructions=wishes):
            return wishes
    return f"{what} Report every finding its author should mend, the gravest first."


async def _merge_base(turn: Turn, branch: str) -> str | None:
    if branch.startswith("-"):
        return None
    found = await git(turn.settings.cwd, "merge-base", "HEAD", branch)
    return found.strip() if found else None


async def _reviewed(turn: Turn, question: str) -> str | None:
    """The reviewer's last message."""
    session, settings = turn.session, turn.settings
    own: TurnSettings = msgspec.structs.replace(
        settings,
        model=session.config.review_model or settings.model,
        base_instructions=text("review.md"),
        developer_instructions=None,
        approval_policy="never",
        output_schema=None,
    )
    return await answer_of(
        turn,
        question,
        own,
        subagent="review",
        outlet=_Outlet(turn),
        project_docs=session.project_docs,
        rules=session.rules,
    )


class _Outlet:
    """Passes on what a reviewer does, as doings of the turn that asked for the review."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def publish(self, event: ThreadEvent) -> None:
        match event:
            case ItemStarted(item=AgentMessageThreadItem()):
                pass
            case ItemCompleted(item=AgentMessageThreadItem()):
                pass
            case Told(row=row) if row is ITEM_AGENT_MESSAGE_DELTA:
                pass
            case ItemCompleted():
                self._turn.emit(msgspec.structs.replace(event, recorded=None))
            case ItemStarted() | Told() | TurnFailed(will_retry=True):
                self._turn.emit(event)
            case TokensCounted(rate_limits=limits):
                self._turn.session.rate_limits = limits
            case _:
                pass

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        return await self._turn.ask(row, params)

    def interrupt(self, turn: Turn) -> None:
        self._turn.interrupt()

    def warn(self, message: str) -> None:
        self._turn.session.outlet.warn(message)


def _keep(turn: Turn, words: str) -> None:
    """Let the thread's own model know the result, and its readers read it as an answer."""
    told = marked("user_action", f"\n{text('review_result.md')}\n<results>\n{words}\n</results>\n")
    turn.record(text_message("user", told))
    item = AgentMessageThreadItem(id=ANSWER_ITEM_ID, text=words)
    turn.start(item)
    turn.complete(
        item,
        recorded=MessageResponseItem(role="assistant", content=[OutputTextContentItem(text=words)]),
    )


def _something(value: str, field: str) -> str:
    kept = value.strip()
    if not kept:
        raise EmptyReviewTarget(field)
    return kept
