"""Code review."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, by_thread
from app_server.protocol.thread_data import Turn
from app_server.protocol.wire import Wire

ReviewDelivery: TypeAlias = Literal["inline", "detached"]


class UncommittedChangesReviewTarget(Wire, tag="uncommittedChanges"): ...


class BaseBranchReviewTarget(Wire, tag="baseBranch"):
    branch: str


class CommitReviewTarget(Wire, tag="commit"):
    sha: str
    title: str | None = None


class CustomReviewTarget(Wire, tag="custom"):
    instructions: str


ReviewTarget: TypeAlias = (
    UncommittedChangesReviewTarget
    | BaseBranchReviewTarget
    | CommitReviewTarget
    | CustomReviewTarget
)
"""What is to be reviewed."""


class ReviewStartParams(Wire):
    thread_id: str
    target: ReviewTarget
    delivery: ReviewDelivery | None = None


class ReviewStartResponse(Wire):
    """The review's turn and the thread it runs on."""

    turn: Turn
    review_thread_id: str


REVIEW_START = ClientMethod("review/start", ReviewStartParams, ReviewStartResponse, queue=by_thread)
