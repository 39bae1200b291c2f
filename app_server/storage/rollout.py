"""The lines of a stored thread: what may stand in a file and how it is written.

A line is `{"timestamp", "type", "payload"}`; the payload's shape follows from the type. Names and
shapes are those of the original's files, so that each program reads what the other wrote
(reference: storage.md §2). Keys we do not know are ignored; event kinds we do not know come back as
`OtherEvent`, model items as `OtherResponseItem`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from app_server.protocol.response_item import (
    OtherResponseItem,
    ResponseItem,
    decode_response_item,
)
from app_server.protocol.wire import UNSET, JsonObject, SnakeWire, UnsetType, always_null
from app_server.storage.shapes import StoredRateLimits, StoredSandboxPolicy, StoredSource


class GitFacts(SnakeWire, omit_defaults=True):
    """The repository a thread was started in; credentials are never part of the URL."""

    commit_hash: str | None = None
    branch: str | None = None
    repository_url: str | None = None


class BaseInstructions(SnakeWire):
    text: str


class SessionMeta(SnakeWire, omit_defaults=True):
    """Which thread the file holds; the first line. Copied lines of a parent may hold others."""

    id: str
    forked_from_id: str | None = None
    timestamp: str
    cwd: str
    originator: str = msgspec.field(default_factory=str)
    cli_version: str = msgspec.field(default_factory=str)
    source: StoredSource | UnsetType = UNSET
    """Absent in old files, which count as `vscode`."""
    agent_nickname: str | None = None
    agent_role: str | None = None
    agent_path: str | None = None
    model_provider: str | None = None
    """Absent in old files: whatever provider is configured now."""
    base_instructions: BaseInstructions | None = None
    dynamic_tools: list[JsonObject] | None = None
    memory_mode: str | None = None
    git: GitFacts | None = None


class CollaborationSettings(SnakeWire):
    model: str
    reasoning_effort: str | None = None
    developer_instructions: str | None = None


class CollaborationMode(SnakeWire):
    mode: str
    settings: CollaborationSettings


class TruncationPolicy(SnakeWire):
    mode: str
    limit: int


class TurnContext(SnakeWire, omit_defaults=True):
    """The settings of one turn. The latest line holds for a resumed thread."""

    turn_id: str | None = None
    cwd: str
    current_date: str | None = None
    timezone: str | None = None
    approval_policy: Any
    """As on the wire: a name, or `{"granular": …}`."""
    sandbox_policy: StoredSandboxPolicy
    permission_profile: JsonObject | None = None
    """`shapes.permission_profile` builds it."""
    file_system_sandbox_policy: JsonObject | None = None
    network: JsonObject | None = None
    model: str
    personality: str | None = None
    collaboration_mode: CollaborationMode | None = None
    realtime_active: bool | None = None
    effort: str | None = None
    summary: str = msgspec.field(default_factory=lambda: "auto")
    user_instructions: str | None = None
    developer_instructions: str | None = None
    final_output_json_schema: Any = None
    truncation_policy: TruncationPolicy | None = None


class Compacted(SnakeWire, omit_defaults=True):
    """The history before this line was replaced."""

    message: str = msgspec.field(default_factory=str)
    replacement_history: list[JsonObject] | None = None
    """Model items; absent in old files, which are rebuilt from `message`."""


class Event(SnakeWire, tag_field="type"):
    """The payload of an `event_msg` line."""


class TaskStarted(Event, tag="task_started"):
    turn_id: str
    started_at: int | None = None
    model_context_window: int | None = None
    collaboration_mode_kind: str = "default"


class TaskComplete(Event, tag="task_complete", omit_defaults=True):
    turn_id: str
    last_agent_message: str | None = always_null()
    completed_at: int | None = None
    duration_ms: int | None = None
    time_to_first_token_ms: int | None = None


class TurnAborted(Event, tag="turn_aborted", omit_defaults=True):
    turn_id: str | None = None
    reason: str
    completed_at: int | None = None
    duration_ms: int | None = None


class UserMessage(Event, tag="user_message"):
    message: str
    images: list[str] | None = []
    local_images: list[str] = []
    text_elements: list[JsonObject] = []


class AgentMessage(Event, tag="agent_message"):
    message: str
    phase: str | None = None
    memory_citation: JsonObject | None = None


class AgentReasoning(Event, tag="agent_reasoning"):
    text: str


class AgentReasoningRawContent(Event, tag="agent_reasoning_raw_content"):
    text: str


class StoredTokenUsage(SnakeWire):
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0
    total_tokens: int = 0


class StoredTokenInfo(SnakeWire):
    """Usage of the whole thread and of the latest answer.

    Build it from values with the same field names by
    `msgspec.convert(info, StoredTokenInfo, from_attributes=True)`.
    """

    total_token_usage: StoredTokenUsage
    last_token_usage: StoredTokenUsage
    model_context_window: int | None = None


class TokenCount(Event, tag="token_count"):
    info: StoredTokenInfo | None = None
    rate_limits: StoredRateLimits | None = None


class ContextCompacted(Event, tag="context_compacted"): ...


class EnteredReviewMode(Event, tag="entered_review_mode", omit_defaults=True):
    target: JsonObject
    user_facing_hint: str | None = None


class ExitedReviewMode(Event, tag="exited_review_mode"):
    review_output: JsonObject | None = None


class ThreadRolledBack(Event, tag="thread_rolled_back"):
    num_turns: int


class ThreadNameUpdated(Event, tag="thread_name_updated"):
    thread_id: str
    thread_name: str | None = None


class ThreadGoalUpdated(Event, tag="thread_goal_updated"):
    thread_id: str
    turn_id: str | None = None
    goal: JsonObject | None = None


class ItemCompletedEvent(Event, tag="item_completed"):
    """Written for plan items only."""

    thread_id: str
    turn_id: str
    item: JsonObject


class WebSearchEnd(Event, tag="web_search_end"):
    call_id: str
    query: str = ""
    action: JsonObject | None = None


class ImageGenerationEnd(Event, tag="image_generation_end", omit_defaults=True):
    call_id: str
    status: str
    revised_prompt: str | None = None
    result: str = msgspec.field(default_factory=str)
    saved_path: str | None = None


class OtherEvent(dict[str, Any]):
    """An event of a kind, or with content, that we do not know; kept as it came."""


KnownEvent: TypeAlias = (
    TaskStarted
    | TaskComplete
    | TurnAborted
    | UserMessage
    | AgentMessage
    | AgentReasoning
    | AgentReasoningRawContent
    | TokenCount
    | ContextCompacted
    | EnteredReviewMode
    | ExitedReviewMode
    | ThreadRolledBack
    | ThreadNameUpdated
    | ThreadGoalUpdated
    | ItemCompletedEvent
    | WebSearchEnd
    | ImageGenerationEnd
)

EventMsg: TypeAlias = KnownEvent | OtherEvent

RolloutItem: TypeAlias = SessionMeta | TurnContext | Compacted | EventMsg | ResponseItem
"""What a line holds. Writers are given items; the timestamp is put on when a line is written."""


class RolloutLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as read."""

    timestamp: str
    item: RolloutItem
    payload: msgspec.Raw
    """The payload's own bytes, for copying a line unchanged."""
    kind: str


class _Envelope(msgspec.Struct):
    timestamp: str
    type: str
    payload: msgspec.Raw


class _WrittenLine(msgspec.Struct):
    timestamp: str
    type: str
    payload: Any


_ALIASES = {"turn_started": "task_started", "turn_complete": "task_complete"}

_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(_Envelope)


def kind_of(item: RolloutItem) -> str:
    """The `type` of the line that holds `item`."""
    if isinstance(item, Event | OtherEvent):
        return "event_msg"
    if isinstance(item, SessionMeta):
        return "session_meta"
    if isinstance(item, TurnContext):
        return "turn_context"
    if isinstance(item, Compacted):
        return "compacted"
    return "response_item"


def encode_line(item: RolloutItem | RolloutLine, timestamp: str) -> bytes:
    """One line with its newline. A `RolloutLine` keeps its payload byte for byte.

    Ids the service gave to model items are left out, as the original does.
    """
    if isinstance(item, RolloutLine):
        kind: str = item.kind
        payload: Any = item.payload
    else:
        kind = kind_of(item)
        payload = without_service_id(item) if kind == "response_item" else item
    try:
        text = _encoder.encode(_WrittenLine(timestamp, kind, payload))
    except UnicodeEncodeError:
        text = _encoder.encode(_WrittenLine(timestamp, kind, _mended(payload)))
    return text + b"\n"


def without_service_id(item: Any) -> Any:
    if isinstance(item, OtherResponseItem):
        return {key: value for key, value in item.items() if key != "id"}
    if isinstance(getattr(item, "id", None), str) and item.__struct_config__.tag != (
        "image_generation_call"
    ):
        return msgspec.structs.replace(item, id=None)
    return item


def decode_line(line: bytes | memoryview) -> RolloutLine | None:
    """Read one line; None for what is no JSON, has no known type or lacks what its type needs."""
    try:
        envelope = _envelope_decoder.decode(line)
        item = _decode_payload(envelope.type, envelope.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if item is None:
        return None
    return RolloutLine(
        timestamp=envelope.timestamp, item=item, payload=envelope.payload, kind=envelope.type
    )


def _decode_payload(kind: str, payload: msgspec.Raw) -> RolloutItem | None:
    match kind:
        case "response_item":
            return decode_response_item(_object_decoder.decode(payload))
        case "event_msg":
            return _decode_event(payload)
        case "session_meta":
            return _meta_decoder.decode(payload)
        case "turn_context":
            return _context_decoder.decode(payload)
        case "compacted":
            return _compacted_decoder.decode(payload)
        case _:
            return None


def _decode_event(payload: msgspec.Raw) -> EventMsg:
    try:
        return _event_decoder.decode(payload)
    except msgspec.ValidationError:
        event = _object_decoder.decode(payload)
    alias = _ALIASES.get(str(event.get("type")))
    if alias is not None:
        try:
            renamed: KnownEvent = msgspec.convert({**event, "type": alias}, _KNOWN_EVENT)
            return renamed
        except msgspec.ValidationError:
            pass
    return OtherEvent(event)


def _mended(value: Any) -> Any:
    """The same with lone surrogates replaced: they have no place in UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_mended(key): _mended(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(entry) for entry in value]
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **{k: _mended(v) for k, v in fields.items()})
    return value


_KNOWN_EVENT: Any = KnownEvent
_event_decoder: msgspec.json.Decoder[KnownEvent] = msgspec.json.Decoder(_KNOWN_EVENT)
_object_decoder: msgspec.json.Decoder[JsonObject] = msgspec.json.Decoder(dict[str, Any])
_meta_decoder = msgspec.json.Decoder(SessionMeta)
_context_decoder = msgspec.json.Decoder(TurnContext)
_compacted_decoder = msgspec.json.Decoder(Compacted)
