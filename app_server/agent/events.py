"""What happens to a thread, in order: the vocabulary every reading of it starts from.

Items are the protocol's own. An event holds all that its readings need, so that notifications and
stored lines are pure functions of it (`agent.projection`). What is said but never stored, such as
a delta, is `Told`: a notification as it will leave.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from app_server.agent.context_window import TokenInfo
from app_server.agent.input_queue import QueuedInput
from app_server.agent.review_output import ReviewOutput
from app_server.protocol.item import ThreadItem
from app_server.protocol.method import ServerNotification
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.response_item import ResponseItem
from app_server.protocol.turn_error import TurnError
from app_server.protocol.wire import JsonObject, Wire
from app_server.storage.rollout import TurnContext

AbortReason: TypeAlias = Literal["interrupted", "replaced", "review_ended", "budget_limited"]


class Happened(Wire):
    """Something that happened to the thread."""


class TurnStarted(Happened):
    turn_id: str
    started_at: int
    context_window: int | None


class TurnContextSet(Happened):
    """The settings this turn works under; written once per turn."""

    context: TurnContext


class ItemsRecorded(Happened):
    """The model's history grew by items that no reader of the thread sees."""

    turn_id: str | None
    items: tuple[ResponseItem, ...]


class UserSpoke(Happened):
    """A message of the user entered the conversation."""

    turn_id: str
    item_id: str
    message: QueuedInput
    recorded: ResponseItem
    at_ms: int


class ItemStarted(Happened):
    turn_id: str
    item: ThreadItem
    at_ms: int
    waits: bool = False
    """For somebody's leave: nothing has been done yet."""


class ItemCompleted(Happened):
    """An item took its final form. `recorded` is its entry in the model's history, if any."""

    turn_id: str
    item: ThreadItem
    at_ms: int
    recorded: ResponseItem | None = None


class ItemKept(Happened):
    """How an item stands of which readers are not told: a command that was allowed and runs now,
    or what an interruption broke off."""

    turn_id: str
    item: ThreadItem
    at_ms: int


class TokensCounted(Happened):
    """Usage or limits as now known; `info` is None until the service counted something."""

    turn_id: str
    info: TokenInfo | None
    rate_limits: RateLimitSnapshot


class TurnFailed(Happened):
    """An error; with `will_retry` the turn goes on."""

    turn_id: str
    error: TurnError
    will_retry: bool


class TurnCompleted(Happened):
    """The turn is over, in whatever way."""

    turn_id: str
    status: Literal["completed", "failed"]
    error: TurnError | None
    last_agent_message: str | None
    started_at: int
    completed_at: int
    duration_ms: int
    time_to_first_token_ms: int | None


class TurnAborted(Happened):
    turn_id: str
    reason: AbortReason
    started_at: int
    completed_at: int
    duration_ms: int


class Compacted(Happened):
    """Older history was replaced by `replacement`."""

    turn_id: str
    message: str
    replacement: tuple[ResponseItem, ...]


class RolledBack(Happened):
    """The last turns were forgotten."""

    num_turns: int


class BrokeOff(Happened):
    """A message that will never be whole, as far as it was streamed."""

    turn_id: str
    text: str


class ReviewEntered(Happened):
    """A review begins; readers were told before the turn began."""

    turn_id: str
    target: JsonObject
    hint: str


class ReviewExited(Happened):
    """A review is over; without `output` it was broken off."""

    turn_id: str
    output: ReviewOutput | None
    at_ms: int


class Renamed(Happened):
    """The thread was given a name; everybody is told elsewhere."""

    thread_id: str
    name: str


class Told(Happened):
    """A notification that leaves no trace in the stored thread."""

    row: ServerNotification[Any]
    params: Any


ThreadEvent: TypeAlias = (
    TurnStarted
    | TurnContextSet
    | ItemsRecorded
    | UserSpoke
    | ItemStarted
    | ItemCompleted
    | ItemKept
    | TokensCounted
    | TurnFailed
    | TurnCompleted
    | TurnAborted
    | Compacted
    | RolledBack
    | BrokeOff
    | ReviewEntered
    | ReviewExited
    | Renamed
    | Told
)
