"""Asking again when a stream broke: how often, how long to wait, what the user is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from app_server.agent.events import TurnFailed
from app_server.model.errors import ModelError
from app_server.model.retry import MAX_DELAY_SECONDS, delay_seconds
from app_server.protocol.turn_error import TurnError

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)

T = TypeVar("T")


async def with_stream_retries(turn: Turn, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run `attempt` until it succeeds; raises the last `ModelError` when the budget is used up.

    A service that asks for more than a minute is not waited for: the user is told instead.
    """
    made = 0
    while True:
        try:
            return await attempt()
        except ModelError as error:
            allowed = turn.session.model.provider.stream_max_retries
            too_long = (error.retry_after_seconds or 0) > MAX_DELAY_SECONDS
            if not error.retryable or made >= allowed or too_long:
                raise
            failure = error
        made += 1
        log.info("turn %s: stream retry %d/%d: %s", turn.id, made, allowed, failure)
        turn.emit(
            TurnFailed(
                turn_id=turn.id,
                will_retry=True,
                error=TurnError(
                    message=f"Reconnecting... {made}/{allowed}",
                    codex_error_info=failure.retry_info,
                    additional_details=failure.said or failure.message,
                ),
            )
        )
        asked_for = failure.retry_after_seconds
        await asyncio.sleep(delay_seconds(made) if asked_for is None else asked_for)
