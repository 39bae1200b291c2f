"""The language of scripts: what the scripted model answers, reply by reply.

A script is a list of `Reply` values, or of JSON objects with the same keys (`reply_from`). Items
of kinds not named here are sent as they are. Knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, UnsetType

from app_server.protocol.wire import SnakeWire

Json: TypeAlias = dict[str, Any]


class Item(SnakeWire, tag_field="type", forbid_unknown_fields=True):
    """One step of an answer."""


class Message(Item, tag="message"):
    """The assistant says something: whole (`text`), in given pieces, or in `n` generated ones."""

    text: str = ""
    deltas: list[str] | None = None
    n: int | None = None
    size: int = 8
    delay_ms: float = 0
    """Before each piece."""
    phase: Literal["commentary", "final_answer"] | None = None
    id: str | None = None


class Reasoning(Item, tag="reasoning"):
    """The model thinks: summary sections, raw content, and the packed form only it can read."""

    summary: list[str] = []
    content: list[str] = []
    encrypted: str = "enc-blob"
    delay_ms: float = 0
    id: str | None = None


class FunctionCall(Item, tag="function_call"):
    """A tool call with arguments as a value, or as the raw text of faulty JSON."""

    name: str
    arguments: Any = msgspec.field(default_factory=dict)
    call_id: str | None = None
    namespace: str | None = None
    id: str | None = None


class CustomToolCall(Item, tag="custom_tool_call"):
    """A tool call with free text, sent in pieces of `chunk` characters."""

    name: str
    input: str
    call_id: str | None = None
    chunk: int | None = None
    delay_ms: float = 0
    id: str | None = None


class Pause(Item, tag="pause"):
    """Nothing for a while."""

    ms: float


class Gate(Item, tag="gate"):
    """Nothing until `release(name)` is called."""

    name: str


class RawEvent(Item, tag="event"):
    """An event sent as it is."""

    event: Json


class RawBytes(Item, tag="bytes"):
    """Bytes put into the stream as they are, well-formed or not."""

    text: str


class RawItem(Item, tag="item"):
    """An item of another kind, sent as it is."""

    item: Json


Step: TypeAlias = (
    Message
    | Reasoning
    | FunctionCall
    | CustomToolCall
    | Pause
    | Gate
    | RawEvent
    | RawBytes
    | RawItem
)


class Usage(SnakeWire, forbid_unknown_fields=True):
    """Token counts the answer reports."""

    input_tokens: int = 100
    cached_input_tokens: int = 0
    output_tokens: int = 20
    reasoning_output_tokens: int = 0
    total_tokens: int | None = None


class Failure(SnakeWire, forbid_unknown_fields=True):
    """The error of a `response.failed` event."""

    code: str
    message: str = ""


class Reply(SnakeWire, forbid_unknown_fields=True):
    """The answer to one request."""

    items: list[Step] = []
    usage: Usage = Usage()
    when: str | None = None
    """Only for a request whose body contains this text; until then the reply waits."""
    status: int = 200
    headers: dict[str, str] = {}
    body: Any = UNSET
    """A plain answer in place of a stream: text as it is, anything else as JSON."""
    start_delay_ms: float = 0
    """Before the headers."""
    no_headers: bool = False
    """Never answer at all."""
    disconnect_after: int | None = None
    """Close the connection after this many events."""
    hang_after: int | None = None
    """Fall silent after this many events, with the connection open."""
    failed: Failure | None = None
    incomplete: str | None = None
    no_completed: bool = False
    """End the stream in good order but without `response.completed`."""
    capture: dict[str, str] = {}
    """`${NAME}` in this reply becomes the last match of a regular expression in the request."""

    @property
    def is_plain(self) -> bool:
        return self.status != 200 or not isinstance(self.body, UnsetType)


class Request(SnakeWire, forbid_unknown_fields=True):
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    text: str
    body: Any
    """Decoded JSON; None where the text is empty or not JSON."""

    @property
    def input(self) -> list[Json]:
        """The history the model was shown."""
        items: list[Json] = self.body["input"]
        return items


Director: TypeAlias = Callable[[Request], Reply]
"""Decides what to answer."""


class Playlist:
    """Plays replies in order, one a request; afterwards the default, again and again."""

    def __init__(self, replies: Sequence[Reply], default: Reply | None = None) -> None:
        self.left = list(replies)
        self.default = default or Reply(items=[Message(text="ok")])

    def __call__(self, request: Request) -> Reply:
        for index, reply in enumerate(self.left):
            if reply.when is None or reply.when in request.text:
                return self.left.pop(index)
        return self.default


def reply_from(given: Reply | Mapping[str, Any]) -> Reply:
    """A reply from its JSON object; a misspelt key is an error."""
    if isinstance(given, Reply):
        return given
    items = [_named_step(item) for item in given.get("items", [])]
    return msgspec.convert({**given, "items": items}, Reply)


def as_json(reply: Reply) -> Json:
    """The reply as its JSON object; the opposite of `reply_from`."""
    values: Json = msgspec.to_builtins(reply)
    return values


_KINDS = {step.__struct_config__.tag for step in get_args(Step)}


def _named_step(given: Step | Json) -> Step | Json:
    """The step, with an object of a kind not named here put into a `RawItem`."""
    if isinstance(given, dict) and given.get("type") not in _KINDS:
        return RawItem(item=given)
    return given
