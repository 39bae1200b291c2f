"""Asking again when a stream broke: how often, how long to wait, what the user is told."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from app_server.agent.events import TurnFailed
from app_server.model.errors import ModelError
from app_server.protocol.turn_error import TurnError

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_DELAY_SECONDS = 0.2
JITTER = 0.1


async def with_stream_retries(turn: Turn, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run `attempt` until it succeeds; raises the last `ModelError` when the budget is used up."""
    made = 0
    while True:
        try:
            return await attempt()
        except ModelError as error:
            allowed = turn.session.model.provider.stream_max_retries
            if not error.retryable or made >= allowed:
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
                    additional_details=failure.message,
                ),
            )
        )
        await asyncio.sleep(delay_seconds(made, failure.retry_after_seconds))


def delay_seconds(attempt: int, asked_for: float | None) -> float:
    """How long to wait before attempt number `attempt` (from 1)."""
    if asked_for is not None:
        return asked_for
    doubled: float = FIRST_DELAY_SECONDS * 2 ** (attempt - 1)
    return doubled * random.uniform(1 - JITTER, 1 + JITTER)
