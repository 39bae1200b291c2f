"""What a model's answer is made of, and reading it from the service's events.

`decode_event` turns the data of one server-sent event into a `ResponseEvent`, or into the error it
reports. Events we do not use, and data that is not JSON, give None: services add kinds freely.
"""

from __future__ import annotations

from typing import TypeAlias, dataclass_transform

import msgspec

from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.response_item import (
    ResponseItem,
)


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Event(msgspec.Struct, frozen=True, gc=False):
    """Something the service said."""


class Created(Event):
    """The service has begun to answer."""

    response_id: str


class ItemAdded(Event):
    """An item has begun; its content is still to come. `item_id` is "" where none was given."""

    item: ResponseItem
    output_index: int
    item_id: str


class TextDelta(Event, tag_field="type", tag="response.output_text.delta"):
    """More text of a message."""

    delta: str
    item_id: str = ""


class SummaryPartAdded(Event, tag_field="type", tag="response.reasoning_summary_part.added"):
    """The next section of a reasoning summary begins."""

    summary_index: int
    item_id: str = ""


class SummaryDelta(Event, tag_field="type", tag="response.reasoning_summary_text.delta"):
    """More text of one section of a reasoning summary."""

    summary_index: int
    delta: str
    item_id: str = ""


class ReasoningDelta(Event, tag_field="type", tag="response.reasoning_text.delta"):
    """More raw reasoning, from models that show it."""

    content_index: int
    delta: str
    item_id: str = ""


class ToolInputDelta(Event, tag_field="type", tag="response.custom_tool_call_input.delta"):
    """More of the free text given to a tool."""

    delta: str
    item_id: str = ""
    call_id: str | None = None


class ItemDone(Event):
    """An item is whole; this is its final content. `item_id` is "" where none was given."""

    item: ResponseItem
    item_id: str
    output_index: int = 0


class RateLimits(Event):
    """The account's limits as the service counts them now; one event per family of limits."""

    snapshot: RateLimitSnapshot


class ServerModel(Event):
    """The model that really answers."""

    slug: str


class ModelsEtag(Event):
    """The version of the service's list of models."""

    etag: str


class ReasoningIncluded(Event):
    """The service already counts earlier reasoning in its token usage."""


class TokenUsage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one answer."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0
    total_tokens: int = 0


class Completed(Event):
    """The answer is whole. Nothing follows."""

    response_id: str
    usage: TokenUsage | None = None


ResponseEvent: TypeAlias = (
    Created
    | ItemAdded
    | TextDelta
    | SummaryPartAdded
    | SummaryDelta
    | ReasoningDelta
    | ToolInputDelta
    | ItemDone
    | RateLimits
    | ServerModel
    | ModelsEtag
    | ReasoningIncluded
    | Completed
)
