"""From a prompt and its settings to the body and headers of a Responses API request.

Pure: the same values give the same bytes. Key order and header names are those of `codex`, since
services cache by prefix and log by header.
"""

from __future__ import annotations

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
    tools: list[JsonObject] = []
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
