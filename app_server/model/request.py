"""From a prompt and its settings to the body and headers of a Responses API request.

Pure: the same values give the same bytes. Key order and header names are those of `codex`, since
services cache by prefix and log by header.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from app_server.protocol.response_item import ResponseItem
from app_server.protocol.shared import ReasoningEffort, ReasoningSummary, ServiceTier, Verbosity
from app_server.protocol.wire import JsonObject


class Reasoning(msgspec.Struct, frozen=True):
    """How hard to think and how much of it to tell; a summary of "none" is not sent."""

    effort: ReasoningEffort | None = None
    summary: ReasoningSummary | None = None


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request: everything the model is told."""

    model: str
    instructions: str
    input: list[ResponseItem]
    tools: list[JsonObject] = msgspec.field(default_factory=list)
    parallel_tool_calls: bool = False
    reasoning: Reasoning | None = None
    """None for models without reasoning controls."""
    verbosity: Verbosity | None = None
    output_schema: Any = None
    """A JSON Schema the answer must follow."""
    service_tier: ServiceTier | None = None
    prompt_cache_key: str


class TurnState:
    """What the service wants to hear again in later requests of the same turn."""

    value: str | None = None


class TurnIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, for which turn: the headers of a request."""

    thread_id: str
    turn_id: str
    window_id: str
    """`<thread id>:<number of compactions>`."""
    originator: str
    user_agent: str
    sandbox: str
    """The name of the sandbox commands run in."""
    turn_started_at_ms: int
    thread_source: str = "user"
    turn_state: TurnState = msgspec.field(default_factory=TurnState)
    subagent: str | None = None
    """`review`, `compact`, `collab_spawn` or another label."""
    parent_thread_id: str | None = None
    beta_features: tuple[str, ...] = ()
    workspaces: JsonObject | None = None
    """Git facts of the folders worked in, by path."""


def encode_body(
    request: ModelRequest, installation_id: str, *, stores_answers: bool = False
) -> bytes:
    """The JSON body. `stores_answers` is for services that keep each answer on their side."""
    reasoning = request.reasoning
    body: dict[str, Any] = {
        "model": request.model,
        "instructions": request.instructions,
        "input": request.input,
        "tools": request.tools,
        "tool_choice": "auto",
        "parallel_tool_calls": request.parallel_tool_calls,
        "reasoning": None if reasoning is None else _reasoning(reasoning),
        "store": stores_answers,
        "stream": True,
        "include": [] if reasoning is None else ["reasoning.encrypted_content"],
    }
    if request.service_tier is not None:
        body["service_tier"] = _SERVICE_TIERS[request.service_tier]
    body["prompt_cache_key"] = request.prompt_cache_key
    text = _text(request)
    if text:
        body["text"] = text
    body["client_metadata"] = {"x-codex-installation-id": installation_id}
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        # a path with bytes that are no text, for one; the model gets question marks for them
        plain = json.dumps(msgspec.to_builtins(body), ensure_ascii=False, separators=(",", ":"))
        return plain.encode("utf-8", "replace")


def identity_headers(identity: TurnIdentity) -> dict[str, str]:
    """The headers that say who asks, for which turn."""
    headers = {
        "x-codex-beta-features": ",".join(identity.beta_features),
        "x-codex-turn-state": identity.turn_state.value or "",
        "x-codex-turn-metadata": _metadata(identity),
        "x-codex-parent-thread-id": identity.parent_thread_id or "",
        "x-codex-window-id": identity.window_id,
        "x-openai-subagent": identity.subagent or "",
        "x-client-request-id": identity.thread_id,
        "session_id": identity.thread_id,
        "accept": "text/event-stream",
        "content-type": "application/json",
        "originator": identity.originator,
        "user-agent": identity.user_agent,
    }
    return {name: sendable(value) for name, value in headers.items() if value}


def sendable(text: str) -> str:
    """The text as a header may carry it: anything but printable ASCII becomes `_`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if " " <= character < "\x7f" else "_" for character in text)


_SERVICE_TIERS: dict[ServiceTier, str] = {"fast": "priority", "flex": "flex"}


def _reasoning(reasoning: Reasoning) -> dict[str, str]:
    chosen: dict[str, str] = {}
    if reasoning.effort is not None:
        chosen["effort"] = reasoning.effort
    if reasoning.summary is not None and reasoning.summary != "none":
        chosen["summary"] = reasoning.summary
    return chosen


def _text(request: ModelRequest) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    if request.output_schema is not None:
        text["format"] = {
            "type": "json_schema",
            "strict": True,
            "schema": request.output_schema,
            "name": "codex_output_schema",
        }
    return text


def _metadata(identity: TurnIdentity) -> str:
    """One line of JSON in ASCII, as header values must be."""
    metadata: dict[str, Any] = {
        "session_id": identity.thread_id,
        "thread_source": identity.thread_source,
        "turn_id": identity.turn_id,
    }
    if identity.workspaces:
        metadata["workspaces"] = identity.workspaces
    metadata["sandbox"] = identity.sandbox
    metadata["turn_started_at_unix_ms"] = identity.turn_started_at_ms
    return json.dumps(metadata, separators=(",", ":"))
