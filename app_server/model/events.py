"""What a model's answer is made of, and reading it from the service's events.

`decode_event` turns the data of one server-sent event into a `ResponseEvent`, or into the error it
reports. Events we do not use, and data that is not JSON, give None: services add kinds freely.
"""

from __future__ import annotations

import json
import logging
from typing import Any, TypeAlias, dataclass_transform

import msgspec

from app_server.model.errors import StreamBroken
from app_server.model.refusals import incomplete_response, reported_failure
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.response_item import (
    KnownResponseItem,
    OtherResponseItem,
    ResponseItem,
    decode_response_item,
)

log = logging.getLogger(__name__)


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


class _Refusal(Event, tag_field="type", tag="response.refusal.delta"):
    delta: str
    item_id: str = ""


class _Response(msgspec.Struct, frozen=True):
    id: str


class _Created(Event, tag_field="type", tag="response.created"):
    response: _Response


class _ItemAdded(Event, tag_field="type", tag="response.output_item.added"):
    item: KnownResponseItem
    output_index: int = 0


class _ItemDone(Event, tag_field="type", tag="response.output_item.done"):
    item: KnownResponseItem
    output_index: int = 0


class _InputDetails(msgspec.Struct, frozen=True):
    cached_tokens: int = 0


class _OutputDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int = 0


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _CompletedResponse(msgspec.Struct, frozen=True):
    id: str
    usage: _Usage | None = None


class _Completed(Event, tag_field="type", tag="response.completed"):
    response: _CompletedResponse


_decoder = msgspec.json.Decoder(
    TextDelta
    | SummaryPartAdded
    | SummaryDelta
    | ReasoningDelta
    | ToolInputDelta
    | _Refusal
    | _Created
    | _ItemAdded
    | _ItemDone
    | _Completed
)


def decode_event(data: bytes) -> ResponseEvent | None:
    """What the data of one server-sent event says; None if it is nothing we use.

    Raises `ModelError` when it says that the answer failed or stopped early.
    """
    try:
        event = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _decode_unusual(data)
    if isinstance(event, TextDelta):
        return event
    match event:
        case _ItemAdded(item=item, output_index=index):
            return ItemAdded(item, index, _id_of(item))
        case _ItemDone(item=item, output_index=index):
            return ItemDone(item, _id_of(item), index)
        case _Completed(response=response):
            return Completed(response.id, _usage(response.usage))
        case _Created(response=response):
            return Created(response.id)
        case _Refusal(delta=delta, item_id=item_id):
            return TextDelta(delta, item_id)
        case _:
            read: ResponseEvent = event
            return read


def _decode_unusual(data: bytes) -> ResponseEvent | None:
    """Failures, items of unknown shape, text that is not quite Unicode, and all we do not use."""
    event: Any = _lenient_json(data)
    match event:
        case {"type": "response.failed"}:
            raise reported_failure(_inside(event, "response", "error"))
        case {"type": "response.incomplete"}:
            raise incomplete_response(_inside(event, "response", "incomplete_details"))
        case {"type": "response.completed"}:
            return _odd_completion(event)
        case {"type": "response.output_item.added", "item": dict(item)}:
            known = _item(item)
            return ItemAdded(known, _index(event), _id_of(known))
        case {"type": "response.output_item.done", "item": dict(item)}:
            known = _item(item)
            return ItemDone(known, _id_of(known), _index(event))
        case {"type": "response.output_text.delta", "delta": str() as delta}:
            return TextDelta(delta, str(event.get("item_id") or ""))
        case _:
            return None


def _odd_completion(event: dict[str, Any]) -> Completed:
    """The end of an answer whose usage is not what we expect; without an id it is no end."""
    response_id = _inside(event, "response", "id")
    if not isinstance(response_id, str):
        raise StreamBroken("failed to parse ResponseCompleted: missing field `id`")
    try:
        usage = msgspec.convert(_inside(event, "response", "usage"), _Usage | None)
    except msgspec.ValidationError:
        log.warning("response %s ended with usage in an unknown shape", response_id)
        usage = None
    return Completed(response_id, _usage(usage))


def _item(item: dict[str, Any]) -> ResponseItem:
    """An item that did not decode at once: refusals become text, anything else stays raw."""
    if item.get("type") == "message" and isinstance(item.get("content"), list):
        item = {**item, "content": [_part(part) for part in item["content"]]}
    return decode_response_item(item)


def _part(part: Any) -> Any:
    match part:
        case {"type": "refusal", "refusal": str() as text}:
            return {"type": "output_text", "text": text}
        case _:
            return part


def _lenient_json(data: bytes) -> Any:
    """JSON with halves of surrogate pairs and bad UTF-8 replaced; None if it is not JSON."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if b"\\u" in data:
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _inside(event: dict[str, Any], *path: str) -> Any:
    value: Any = event
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _index(event: dict[str, Any]) -> int:
    index = event.get("output_index")
    return index if isinstance(index, int) else 0


def _id_of(item: ResponseItem) -> str:
    if isinstance(item, OtherResponseItem):
        given = item.get("id")
        return given if isinstance(given, str) else ""
    return getattr(item, "id", None) or ""


def _usage(usage: _Usage | None) -> TokenUsage | None:
    if usage is None:
        return None
    total = usage.total_tokens
    details_in = usage.input_tokens_details
    details_out = usage.output_tokens_details
    return TokenUsage(
        input_tokens=usage.input_tokens,
        cached_input_tokens=details_in.cached_tokens if details_in else 0,
        output_tokens=usage.output_tokens,
        reasoning_output_tokens=details_out.reasoning_tokens if details_out else 0,
        total_tokens=usage.input_tokens + usage.output_tokens if total is None else total,
    )
