"""A model in the place of a person who is asked: it looks at one action and allows or refuses it.

The reviewer is a session of its own inside the turn, which may read and nothing else, hears none of
the project's instructions and says nothing to anybody. Whatever goes wrong with it, and any answer
that makes no sense, is a refusal. An agent that is refused again and again is stopped.
"""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import msgspec

from app_server import clock, ids
from app_server.agent.auto_review_case import (
    ANSWER_SCHEMA,
    Assessment,
    action_key,
    question,
    read_assessment,
)
from app_server.agent.events import ThreadEvent, TokensCounted, Told
from app_server.agent.other_mind import answer_of
from app_server.agent.questions import QuestionRefused
from app_server.agent.settings import TurnSettings
from app_server.config.permission_profiles import reading_only
from app_server.model.errors import ModelError
from app_server.prompts import text
from app_server.prompts.project_docs import ProjectDocs
from app_server.protocol.guardian import (
    GUARDIAN_WARNING,
    ITEM_AUTO_APPROVAL_REVIEW_COMPLETED,
    ITEM_AUTO_APPROVAL_REVIEW_STARTED,
    GuardianApprovalReview,
    GuardianApprovalReviewAction,
    GuardianWarningNotification,
    ItemGuardianApprovalReviewCompletedNotification,
    ItemGuardianApprovalReviewStartedNotification,
)
from app_server.protocol.method import ServerMethod
from app_server.protocol.permissions import ReadOnlySandboxPolicy
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

LONGEST_REVIEW_SECONDS = 90.0
MOST_REFUSALS_RUNNING = 3
MOST_REFUSALS = 10
"""Of one turn; the turn ends with either."""
OPENAI_REVIEWER = "codex-auto-review"
"""The model OpenAI keeps for this; with other providers the thread's own model reviews."""

REFUSED = (
    "This action was refused by the automatic reviewer: {rationale} Do not try to reach the same "
    "result by another way. Go on with something safer, or stop and ask the person, telling them "
    "of the risk."
)
TIMED_OUT = "The automatic reviewer did not answer in time, so this action was not taken."


class Judgement(msgspec.Struct, frozen=True):
    """What a review comes to."""

    allowed: bool
    told: str = ""
    """Why not, for the model."""
    ends_turn: bool = False


async def judge_action(
    turn: Turn,
    action: GuardianApprovalReviewAction,
    item_id: str,
    reason: str | None,
    details: JsonObject | None = None,
) -> Judgement:
    """Have an action reviewed, unless the person allowed this very one after a refusal.

    `details` is what the reviewer has to know besides.
    """
    reviews, key = turn.session.approvals.reviews, action_key(action)
    exactly = sha256(msgspec.json.encode(details)).digest()
    if reviews.take_allowed(key, exactly):
        return Judgement(allowed=True)
    review_id, began_ms = ids.uuid4(), clock.now_ms()
    started = ItemGuardianApprovalReviewStartedNotification(
        thread_id=turn.thread_id,
        turn_id=turn.id,
        review_id=review_id,
        target_item_id=item_id,
        review=GuardianApprovalReview(status="inProgress"),
        action=action,
        started_at_ms=began_ms,
    )
    turn.emit(Told(row=ITEM_AUTO_APPROVAL_REVIEW_STARTED, params=started))
    review = await _review(
        turn, question(turn.session.history.items, action, reason, details or {})
    )
    completed = ItemGuardianApprovalReviewCompletedNotification(
        thread_id=turn.thread_id,
        turn_id=turn.id,
        review_id=review_id,
        target_item_id=item_id,
        decision_source="agent",
        review=review,
        action=action,
        started_at_ms=began_ms,
        completed_at_ms=clock.now_ms(),
    )
    turn.emit(Told(row=ITEM_AUTO_APPROVAL_REVIEW_COMPLETED, params=completed))
    if review.status == "approved":
        reviews.allowed(turn.id)
        return Judgement(allowed=True)
    reviews.note_refused(key, exactly)
    return _refused(turn, review)


def _refused(turn: Turn, review: GuardianApprovalReview) -> Judgement:
    timed_out = review.status == "timedOut"
    rationale = review.rationale or "it gave no reason."
    _warn(turn, TIMED_OUT if timed_out else f"The automatic reviewer refused: {rationale}")
    running, all_of_turn = turn.session.approvals.reviews.refused(turn.id)
    ends_turn = running >= MOST_REFUSALS_RUNNING or all_of_turn >= MOST_REFUSALS
    if ends_turn:
        _warn(turn, f"The automatic reviewer refused {all_of_turn} actions; the turn is ended.")
    told = TIMED_OUT if timed_out else REFUSED.format(rationale=rationale)
    return Judgement(allowed=False, told=told, ends_turn=ends_turn)


def _warn(turn: Turn, message: str) -> None:
    params = GuardianWarningNotification(thread_id=turn.thread_id, message=message)
    turn.emit(Told(row=GUARDIAN_WARNING, params=params))


async def _review(turn: Turn, asked: str) -> GuardianApprovalReview:
    try:
        async with asyncio.timeout(LONGEST_REVIEW_SECONDS):
            found = await _assessed(turn, asked)
    except TimeoutError:
        return GuardianApprovalReview(status="timedOut", rationale=TIMED_OUT)
    except ModelError as error:
        log.warning("turn %s: the automatic reviewer failed: %s", turn.id, error)
        rationale = f"The reviewing model could not be asked ({error})."
        return GuardianApprovalReview(status="denied", risk_level="high", rationale=rationale)
    if found is None:
        rationale = "The reviewing model gave no answer that could be understood."
        return GuardianApprovalReview(status="denied", risk_level="high", rationale=rationale)
    return GuardianApprovalReview(
        status="approved" if found.outcome == "allow" else "denied",
        risk_level=found.risk_level,
        user_authorization=found.user_authorization,
        rationale=found.rationale or None,
    )


async def _assessed(turn: Turn, asked: str) -> Assessment | None:
    config, settings = turn.session.config, turn.settings
    profile = settings.permission_profile
    own: TurnSettings = msgspec.structs.replace(
        settings,
        model=OPENAI_REVIEWER if config.model_provider == "openai" else settings.model,
        base_instructions=text("auto_review.md"),
        developer_instructions=config.auto_review_policy,
        approval_policy="never",
        approvals_reviewer="user",
        sandbox_policy=ReadOnlySandboxPolicy(),
        permission_profile=None if profile is None else reading_only(profile),
        network_rules=None,
        active_profile=None,
        output_schema=ANSWER_SCHEMA,
    )
    answer = await answer_of(
        turn, asked, own, subagent="guardian", outlet=_Silence(turn), project_docs=ProjectDocs()
    )
    return read_assessment(answer)


class _Silence:
    """A reviewer's outlet: it speaks to nobody; only what it cost the account is kept."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def publish(self, event: ThreadEvent) -> None:
        if isinstance(event, TokensCounted):
            self._turn.session.rate_limits = event.rate_limits

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        raise QuestionRefused("a reviewer asks nobody")

    def interrupt(self, turn: Turn) -> None:
        pass

    def warn(self, message: str) -> None:
        log.info("turn %s: the automatic reviewer: %s", self._turn.id, message)
