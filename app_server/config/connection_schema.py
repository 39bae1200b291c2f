"""The keys of what configuration connects to: model providers, MCP servers, plugins' bridges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app_server.config.extension_schema import APPROVAL_MODE
from app_server.config.kinds import (
    FLAG,
    NONZERO,
    SECONDS,
    TEXT,
    TEXT_MAP,
    TEXTS,
    UNSIGNED,
    Either,
    ListOf,
    MapOf,
    Misfit,
    OneOf,
    Path_,
    Section,
)

BUILT_IN_PROVIDERS = ("openai", "amazon-bedrock", "ollama", "lmstudio")
RESERVED_PROVIDERS = ("openai", "ollama", "lmstudio")
"""Built-in providers that may not be configured; Bedrock takes a profile."""


def _check_provider(table: Mapping[str, Any], path: Path_) -> None:
    """A provider's ways of signing in exclude each other; one protocol is left."""
    if table.get("wire_api") == "chat":
        raise Misfit(
            '`wire_api = "chat"` is no longer supported.\n'
            'How to fix: set `wire_api = "responses"` in your provider config.\n'
            "More info: https://github.com/openai/codex/discussions/7782",
            (*path, "wire_api"),
        )
    ways = [
        key
        for key in ("env_key", "experimental_bearer_token", "requires_openai_auth")
        if table.get(key)
    ]
    if "auth" in table:
        if not table["auth"].get("command", "").strip():
            raise _misfit(path, "provider auth.command must not be empty")
        if ways:
            raise _misfit(path, f"provider auth cannot be combined with {', '.join(ways)}")
    if "aws" in table:
        ways += [key for key in ("auth", "supports_websockets") if table.get(key)]
        if ways:
            raise _misfit(path, f"provider aws cannot be combined with {', '.join(ways)}")
        if path[-1] != "amazon-bedrock":
            raise _misfit(path, "provider aws is only supported for `amazon-bedrock`")


def _misfit(path: Path_, problem: str) -> Misfit:
    return Misfit(f"model_providers.{path[-1]}: {problem}", path)


PROVIDER = Section(
    "ModelProviderInfo",
    {
        "name": TEXT,
        "base_url": TEXT,
        "env_key": TEXT,
        "env_key_instructions": TEXT,
        "experimental_bearer_token": TEXT,
        "auth": Section(
            "ModelProviderAuthInfo",
            {
                "command": TEXT,
                "args": TEXTS,
                "timeout_ms": NONZERO,
                "refresh_interval_ms": UNSIGNED,
                "cwd": TEXT,
            },
            required=("command",),
            defaults={"args": [], "timeout_ms": 5_000, "refresh_interval_ms": 300_000},
        ),
        "aws": Section("ModelProviderAwsAuthInfo", {"profile": TEXT, "region": TEXT}),
        "wire_api": OneOf(("responses",), also=("chat",)),
        "query_params": TEXT_MAP,
        "http_headers": TEXT_MAP,
        "env_http_headers": TEXT_MAP,
        "request_max_retries": UNSIGNED,
        "stream_max_retries": UNSIGNED,
        "stream_idle_timeout_ms": UNSIGNED,
        "websocket_connect_timeout_ms": UNSIGNED,
        "requires_openai_auth": FLAG,
        "supports_websockets": FLAG,
    },
    defaults={
        "name": "",
        "wire_api": "responses",
        "requires_openai_auth": False,
        "supports_websockets": False,
    },
    extra=_check_provider,
)


class Providers(MapOf, frozen=True):
    """Providers by id."""

    def check(self, value: Any, path: Path_) -> None:
        super().check(value, path)
        taken = sorted(name for name in value if name in RESERVED_PROVIDERS)
        if taken:
            names = ", ".join(f"`{name}`" for name in taken)
            raise Misfit(
                f"model_providers contains reserved built-in provider IDs: {names}. Built-in "
                "providers cannot be overridden. Rename your custom provider (for example, "
                f"`{taken[0]}-custom`).",
                path,
            )


_STDIO_ONLY = ("command", "args", "env", "env_vars", "cwd")
_HTTP_ONLY = ("url", "bearer_token_env_var", "http_headers", "env_http_headers", "oauth_resource")


def _check_mcp_server(table: Mapping[str, Any], path: Path_) -> None:
    """A server is a program or an address, and takes only the keys of its own kind."""
    if "command" in table:
        wrong, transport = _HTTP_ONLY, "stdio"
    elif "url" in table:
        wrong, transport = _STDIO_ONLY, "streamable_http"
    else:
        raise Misfit("invalid transport", path)
    for key in (*wrong, "bearer_token"):
        if key in table:
            raise Misfit(f"{key} is not supported for {transport}", path)


MCP_SERVER = Section(
    "RawMcpServerConfig",
    {
        "command": TEXT,
        "args": TEXTS,
        "env": TEXT_MAP,
        "env_vars": ListOf(
            Either(
                (
                    TEXT,
                    Section(
                        "McpServerEnvVar",
                        {"name": TEXT, "source": OneOf(("local", "remote"))},
                        required=("name",),
                    ),
                ),
                "data did not match any variant of untagged enum McpServerEnvVar",
            )
        ),
        "cwd": TEXT,
        "url": TEXT,
        "bearer_token_env_var": TEXT,
        "http_headers": TEXT_MAP,
        "env_http_headers": TEXT_MAP,
        "oauth_resource": TEXT,
        "scopes": TEXTS,
        "enabled": FLAG,
        "required": FLAG,
        "enabled_tools": TEXTS,
        "disabled_tools": TEXTS,
        "startup_timeout_sec": SECONDS,
        "startup_timeout_ms": UNSIGNED,
        "tool_timeout_sec": SECONDS,
        "default_tools_approval_mode": APPROVAL_MODE,
        "supports_parallel_tool_calls": FLAG,
        "experimental_environment": TEXT,
        "tools": MapOf(Section("McpServerToolConfig", {"approval_mode": APPROVAL_MODE})),
    },
    extra=_check_mcp_server,
)

PLUGIN_BACKEND_BRIDGE = Section(
    "PluginBackendBridgeConfigToml",
    {"local_path_prefix": TEXT, "backend_path_prefix": TEXT},
    required=("local_path_prefix", "backend_path_prefix"),
    is_closed=True,
)
