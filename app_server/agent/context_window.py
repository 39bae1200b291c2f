"""Counting tokens: what the service reported, what is estimated since, and what still fits.

A token is taken as four bytes of serialised text; a picture has a fixed price. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app_server.model.events import TokenUsage
from app_server.protocol.response_item import (
    CustomToolCallOutputResponseItem,
    FunctionCallOutputResponseItem,
    InputImageContentItem,
    InputImageFunctionCallOutputContentItem,
    MessageResponseItem,
    ReasoningResponseItem,
    ResponseItem,
)
from app_server.protocol.thread_data import ThreadTokenUsage, TokenUsageBreakdown

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 1_800
"""What one picture is taken to cost, whatever its size."""

AUTO_COMPACT_PERCENT = 90
"""Compaction starts when this much of the window is used, unless the model says otherwise."""


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of the whole thread and of the latest answer; the `info` of stored token counts."""

    total_token_usage: TokenUsage
    last_token_usage: TokenUsage
    model_context_window: int | None = None


def plus(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(
        input_tokens=one.input_tokens + other.input_tokens,
        cached_input_tokens=one.cached_input_tokens + other.cached_input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        reasoning_output_tokens=one.reasoning_output_tokens + other.reasoning_output_tokens,
        total_tokens=one.total_tokens + other.total_tokens,
    )


def added(info: TokenInfo | None, usage: TokenUsage, context_window: int | None) -> TokenInfo:
    """The thread's usage after one more answer."""
    return TokenInfo(
        total_token_usage=plus(info.total_token_usage, usage) if info else usage,
        last_token_usage=usage,
        model_context_window=context_window,
    )


def estimated(info: TokenInfo | None, tokens: int, context_window: int | None) -> TokenInfo:
    """The thread's usage when the context was rebuilt and nobody has counted it yet."""
    return TokenInfo(
        total_token_usage=info.total_token_usage if info else TokenUsage(),
        last_token_usage=TokenUsage(total_tokens=tokens),
        model_context_window=context_window,
    )


def as_wire(info: TokenInfo) -> ThreadTokenUsage:
    return ThreadTokenUsage(
        total=_breakdown(info.total_token_usage),
        last=_breakdown(info.last_token_usage),
        model_context_window=info.model_context_window,
    )


def estimate_text(text: str) -> int:
    """Tokens of a text, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def estimate_items(items: Iterable[ResponseItem]) -> int:
    """Tokens of items as they would be sent."""
    return sum(_estimate(item) for item in items)


def auto_compact_limit(context_window: int | None, configured: int | None) -> int | None:
    """How many tokens in context start a compaction; None when the window is unknown."""
    share = None if context_window is None else context_window * AUTO_COMPACT_PERCENT // 100
    limits = [limit for limit in (share, configured) if limit is not None and limit > 0]
    return min(limits, default=None)


def _estimate(item: ResponseItem) -> int:
    pictures = 0
    if isinstance(item, MessageResponseItem):
        texts = [part for part in item.content if not isinstance(part, InputImageContentItem)]
        pictures = len(item.content) - len(texts)
        item = msgspec.structs.replace(item, content=texts)
    elif isinstance(
        item, FunctionCallOutputResponseItem | CustomToolCallOutputResponseItem
    ) and isinstance(item.output, list):
        parts = [
            part
            for part in item.output
            if not isinstance(part, InputImageFunctionCallOutputContentItem)
        ]
        pictures = len(item.output) - len(parts)
        item = msgspec.structs.replace(item, output=parts)
    elif isinstance(item, ReasoningResponseItem) and item.encrypted_content:
        # the packed form is about four thirds of what the model reads
        return len(item.encrypted_content) * 3 // 4 // BYTES_PER_TOKEN
    return -(-len(msgspec.json.encode(item)) // BYTES_PER_TOKEN) + pictures * IMAGE_TOKENS


def _breakdown(usage: TokenUsage) -> TokenUsageBreakdown:
    return TokenUsageBreakdown(
        total_tokens=usage.total_tokens,
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_output_tokens=usage.reasoning_output_tokens,
    )
