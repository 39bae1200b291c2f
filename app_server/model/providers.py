"""Who can be asked for tokens: the built-in services, configured ones, and those on this machine."""

from __future__ import annotations

import msgspec


class ProviderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One service and how to talk to it."""

    id: str
    name: str
    base_url: str | None = None
    """None: OpenAI's address, which depends on how the user signed in."""
    env_key: str | None = None
    env_key_instructions: str | None = None
    bearer_token: str | None = None
    requires_openai_auth: bool = False
    query_params: dict[str, str] = {}
    http_headers: dict[str, str] = {}
    env_http_headers: dict[str, str] = {}
    """Header name → the variable holding its value."""
    request_max_retries: int = 4
    stream_max_retries: int = 5
    stream_idle_timeout_seconds: float = 300.0
