"""Making room: older history becomes a summary the model writes itself.

It happens when the context nears the model's window, before a turn or between two requests of one,
and on demand. Afterwards the history is what people said, newest first within a budget, and the
summary. Before a turn the surroundings are told again by the turn itself; inside one they are put
back right here, before the last thing the user said.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from app_server import ids
from app_server.agent.context import context_now, whole_context
from app_server.agent.context_window import estimate_text, estimated
from app_server.agent.events import Compacted, TokensCounted, Told
from app_server.agent.history import is_users_own, message_text, text_message
from app_server.agent.retry import with_stream_retries
from app_server.model import events as wire
from app_server.model.errors import ContextWindowExceeded, StreamBroken
from app_server.model.request import ModelRequest
from app_server.prompts import text
from app_server.protocol.item import ContextCompactionThreadItem
from app_server.protocol.notices import WARNING, WarningNotification
from app_server.protocol.response_item import (
    InputTextContentItem,
    MessageResponseItem,
    ResponseItem,
)
from app_server.truncate import truncate_middle_tokens

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)

KEPT_MESSAGES_TOKENS = 20_000
"""How much of what people said survives a compaction."""

NO_SUMMARY = "(no summary available)"

LOSS_WARNING = (
    "Older parts of this thread were replaced by a summary. Long threads and repeated summaries "
    "make the model less accurate; start a new thread where you can."
)


async def before_turn(turn: Turn) -> None:
    """Make room before the turn begins, if it would start too close to the limit."""
    if _is_due(turn):
        await compact(turn, within_turn=False)


async def within_turn(turn: Turn) -> None:
    """Make room between two requests of a turn."""
    if _is_due(turn):
        await compact(turn, within_turn=True)


async def on_demand(turn: Turn) -> None:
    """Make room because somebody asked for it."""
    await compact(turn, within_turn=False)


async def compact(turn: Turn, *, within_turn: bool) -> None:
    """Replace the history. Raises `ModelError` when no summary could be had."""
    session = turn.session
    item = ContextCompactionThreadItem(id=ids.uuid4())
    turn.start(item)
    summary = await _summary(turn)
    if turn.closed:
        return
    message = f"{text('compact_prefix.md')}\n{summary or NO_SUMMARY}"
    kept = kept_messages(session.history.items, KEPT_MESSAGES_TOKENS)
    if within_turn:
        now = context_now(session, turn.settings)
        kept[-1:-1] = whole_context(session, turn.settings, now)
        session.told = now
    else:
        session.told = None
    replacement = [*kept, text_message("user", message)]
    session.history.replace(replacement)
    session.compactions += 1
    session.tokens = estimated(
        session.tokens, session.estimated_context(), turn.settings.context_window
    )
    session.counted_items = len(replacement)
    turn.emit(Compacted(turn_id=turn.id, message=message, replacement=tuple(replacement)))
    turn.complete(item)
    turn.emit(TokensCounted(turn_id=turn.id, info=session.tokens, rate_limits=session.rate_limits))
    warning = WarningNotification(thread_id=turn.thread_id, message=LOSS_WARNING)
    turn.emit(Told(row=WARNING, params=warning))


def kept_messages(items: Sequence[ResponseItem], budget_tokens: int) -> list[ResponseItem]:
    """What people said, the newest within the budget, in its old order; the oldest kept is cut."""
    kept: list[ResponseItem] = []
    left = budget_tokens
    for item in reversed(items):
        if not (isinstance(item, MessageResponseItem) and is_users_own(item)) or is_summary(item):
            continue
        words = message_text(item)
        cost = estimate_text(words)
        if cost > left:
            if left > 0:
                kept.append(text_message("user", truncate_middle_tokens(words, left)))
            break
        left -= cost
        kept.append(text_message("user", words))
    return kept[::-1]


def is_summary(item: ResponseItem) -> bool:
    """Whether a message is the summary of an earlier compaction."""
    return (
        isinstance(item, MessageResponseItem)
        and item.role == "user"
        and message_text(item).startswith(text("compact_prefix.md"))
    )


def _is_due(turn: Turn) -> bool:
    limit = turn.settings.auto_compact_limit
    return limit is not None and turn.session.tokens_in_context() >= limit


async def _summary(turn: Turn) -> str | None:
    settings = turn.settings
    prompt = MessageResponseItem(
        role="user", content=[InputTextContentItem(text=turn.session.compact_prompt)]
    )
    items = [*turn.session.history.for_model(sees_images=settings.sees_images), prompt]
    request = ModelRequest(
        model=settings.model,
        instructions=settings.base_instructions,
        input=items,
        reasoning=settings.reasoning,
        verbosity=settings.verbosity,
        prompt_cache_key=turn.thread_id,
    )

    async def attempt() -> str | None:
        nonlocal request
        while True:
            try:
                return await _last_text(turn, request)
            except ContextWindowExceeded:
                if len(request.input) <= 1:
                    raise
                log.info("turn %s: summary request too long, dropping its oldest item", turn.id)
                request = msgspec.structs.replace(request, input=request.input[1:])

    return await with_stream_retries(turn, attempt)


async def _last_text(turn: Turn, request: ModelRequest) -> str | None:
    last: str | None = None
    async with turn.session.model.stream(request, turn.identity("compact")) as events:
        async for event in events:
            match event:
                case wire.ItemDone(item=MessageResponseItem(role="assistant") as item):
                    last = message_text(item)
                case wire.RateLimits():
                    turn.session.rate_limits = event.snapshot
                case wire.Completed():
                    return last
                case _:
                    pass
    raise StreamBroken("stream closed before response.completed")
