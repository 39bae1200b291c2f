"""What happened to a thread, as clients are told. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from app_server.agent.context_window import as_wire
from app_server.agent.events import (
    Compacted,
    ItemCompleted,
    ItemStarted,
    ReviewExited,
    ThreadEvent,
    TokensCounted,
    Told,
    TurnAborted,
    TurnCompleted,
    TurnFailed,
    TurnStarted,
    UserSpoke,
)
from app_server.agent.review_output import in_words
from app_server.protocol.item import (
    ITEM_COMPLETED,
    ITEM_STARTED,
    ExitedReviewModeThreadItem,
    ItemCompletedNotification,
    ItemStartedNotification,
    ThreadItem,
    UserMessageThreadItem,
)
from app_server.protocol.method import ServerNotification
from app_server.protocol.notices import ERROR, ErrorNotification
from app_server.protocol.rate_limits import (
    ACCOUNT_RATE_LIMITS_UPDATED,
    AccountRateLimitsUpdatedNotification,
)
from app_server.protocol.thread import (
    THREAD_TOKEN_USAGE_UPDATED,
    ThreadTokenUsageUpdatedNotification,
)
from app_server.protocol.thread_data import Turn
from app_server.protocol.thread_history import THREAD_COMPACTED, ContextCompactedNotification
from app_server.protocol.turn import (
    TURN_COMPLETED,
    TURN_STARTED,
    TurnCompletedNotification,
    TurnStartedNotification,
)
from app_server.protocol.wire import UNSET

Notification: TypeAlias = tuple[ServerNotification[Any], Any]


def notifications(thread_id: str, event: ThreadEvent) -> Iterator[Notification]:
    """The notifications an event causes, in order; none for what only the history holds."""
    match event:
        case Told():
            yield event.row, event.params
        case ItemStarted():
            yield _started(thread_id, event.turn_id, event.item, event.at_ms)
        case ItemCompleted():
            yield _completed(thread_id, event.turn_id, event.item, event.at_ms)
        case UserSpoke():
            item = user_item(event)
            yield _started(thread_id, event.turn_id, item, event.at_ms)
            yield _completed(thread_id, event.turn_id, item, event.at_ms)
        case ReviewExited():
            exited = ExitedReviewModeThreadItem(id=event.turn_id, review=in_words(event.output))
            yield _started(thread_id, event.turn_id, exited, event.at_ms)
            yield _completed(thread_id, event.turn_id, exited, event.at_ms)
        case TokensCounted():
            if event.info is not None:
                usage = ThreadTokenUsageUpdatedNotification(
                    thread_id=thread_id, turn_id=event.turn_id, token_usage=as_wire(event.info)
                )
                yield THREAD_TOKEN_USAGE_UPDATED, usage
            limits = AccountRateLimitsUpdatedNotification(rate_limits=event.rate_limits)
            yield ACCOUNT_RATE_LIMITS_UPDATED, limits
        case TurnStarted():
            turn = Turn(
                id=event.turn_id, items=[], status="inProgress", started_at=event.started_at
            )
            yield TURN_STARTED, TurnStartedNotification(thread_id=thread_id, turn=turn)
        case TurnFailed():
            error = ErrorNotification(
                thread_id=thread_id,
                turn_id=event.turn_id,
                error=event.error,
                will_retry=event.will_retry,
            )
            yield ERROR, error
        case TurnCompleted() | TurnAborted():
            over = TurnCompletedNotification(thread_id=thread_id, turn=ended_turn(event))
            yield TURN_COMPLETED, over
        case Compacted():
            compacted = ContextCompactedNotification(thread_id=thread_id, turn_id=event.turn_id)
            yield THREAD_COMPACTED, compacted
        case _:
            return


def user_item(event: UserSpoke) -> UserMessageThreadItem:
    return UserMessageThreadItem(
        id=event.item_id,
        content=list(event.message.parts),
        client_id=UNSET if event.message.client_id is None else event.message.client_id,
    )


def ended_turn(event: TurnCompleted | TurnAborted) -> Turn:
    """The turn as its last notification shows it: how it ended, without its items."""
    return Turn(
        id=event.turn_id,
        items=[],
        status=event.status if isinstance(event, TurnCompleted) else "interrupted",
        error=event.error if isinstance(event, TurnCompleted) else None,
        started_at=event.started_at,
        completed_at=event.completed_at,
        duration_ms=event.duration_ms,
    )


def _started(thread_id: str, turn_id: str, item: ThreadItem, at_ms: int) -> Notification:
    return ITEM_STARTED, ItemStartedNotification(
        thread_id=thread_id, turn_id=turn_id, item=item, started_at_ms=at_ms
    )


def _completed(thread_id: str, turn_id: str, item: ThreadItem, at_ms: int) -> Notification:
    return ITEM_COMPLETED, ItemCompletedNotification(
        thread_id=thread_id, turn_id=turn_id, item=item, completed_at_ms=at_ms
    )
