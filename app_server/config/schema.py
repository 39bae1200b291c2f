"""Every key a configuration file may hold and the kind of its value.

The tables are the one place that knows which keys exist: checking a file, telling unknown keys
apart and showing unset keys in `config/read` are walks over them. Subjects whose rooms are not
built yet are `ANYTHING`: they load, and their own room will check them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app_server.config.connection_schema import (
    MCP_SERVER,
    PLUGIN_BACKEND_BRIDGE,
    PROVIDER,
    Providers,
)
from app_server.config.extension_schema import (
    AGENTS,
    APPS,
    HOOKS,
    MARKETPLACES,
    MEMORIES,
    PLUGINS,
    SKILLS,
    TOOL_SUGGEST,
)
from app_server.config.features import OLD_NAMES, STAGES
from app_server.config.kinds import (
    ANYTHING,
    FLAG,
    PORT,
    SIGNED,
    SIZE,
    TABLE,
    TEXT,
    TEXT_MAP,
    TEXTS,
    UNSIGNED,
    Either,
    Kind,
    MapOf,
    OneOf,
    Section,
)
from app_server.config.permission_schema import (
    APPROVAL_POLICY,
    PERMISSION_PROFILES,
    REVIEWER,
    SANDBOX_MODE,
    SANDBOX_WORKSPACE_WRITE,
)
from app_server.config.telemetry_schema import ANALYTICS, FEEDBACK, OTEL
from app_server.config.terminal_schema import HISTORY, NOTICE, TUI

EFFORT = OneOf(("none", "minimal", "low", "medium", "high", "xhigh"))
PERSONALITY = OneOf(("none", "friendly", "pragmatic"))
SUMMARY = OneOf(("auto", "concise", "detailed", "none"))
VERBOSITY = OneOf(("low", "medium", "high"))
SERVICE_TIER = OneOf(("fast", "flex"))
WEB_SEARCH = OneOf(("disabled", "cached", "live"))
_SWITCH_OR_TABLE = Either(
    (FLAG, TABLE), "data did not match any variant of untagged enum FeatureToml"
)
FEATURES = Section(
    "FeaturesToml",
    {"multi_agent_v2": _SWITCH_OR_TABLE, "apps_mcp_path_override": _SWITCH_OR_TABLE},
    rest=FLAG,
    known_rest=(*STAGES, *OLD_NAMES),
)
TOOLS = Section(
    "ToolsToml",
    {
        "web_search": Either(
            (
                FLAG,
                Section(
                    "WebSearchToolConfig",
                    {
                        "context_size": VERBOSITY,
                        "allowed_domains": TEXTS,
                        "location": Section(
                            "WebSearchLocation",
                            {"country": TEXT, "region": TEXT, "city": TEXT, "timezone": TEXT},
                        ),
                    },
                ),
            ),
            "data did not match any variant of untagged enum WebSearchToolConfigInput",
        ),
        "view_image": FLAG,
    },
)


PROFILE_FIELDS: dict[str, Kind] = {
    "model": TEXT,
    "model_provider": TEXT,
    "approval_policy": APPROVAL_POLICY,
    "approvals_reviewer": REVIEWER,
    "service_tier": SERVICE_TIER,
    "model_reasoning_effort": EFFORT,
    "plan_mode_reasoning_effort": EFFORT,
    "model_reasoning_summary": SUMMARY,
    "model_verbosity": VERBOSITY,
    "model_catalog_json": TEXT,
    "personality": PERSONALITY,
    "chatgpt_base_url": TEXT,
    "model_instructions_file": TEXT,
    "experimental_instructions_file": TEXT,
    "experimental_compact_prompt_file": TEXT,
    "include_permissions_instructions": FLAG,
    "include_apps_instructions": FLAG,
    "include_environment_context": FLAG,
    "include_apply_patch_tool": FLAG,
    "sandbox_mode": SANDBOX_MODE,
    "web_search": WEB_SEARCH,
    "tools": TOOLS,
    "tools_view_image": FLAG,
    "features": FEATURES,
    "analytics": ANALYTICS,
    "windows": Section(
        "WindowsToml",
        {"sandbox": OneOf(("elevated", "unelevated")), "sandbox_private_desktop": FLAG},
    ),
    "zsh_path": TEXT,
    "oss_provider": TEXT,
    "js_repl_node_path": TEXT,
    "js_repl_node_module_dirs": TEXTS,
    "experimental_use_unified_exec_tool": FLAG,
    "experimental_use_freeform_apply_patch": FLAG,
}
"""What a profile may hold; it overlays the same keys of the top level."""

TOP = Section(
    "ConfigToml",
    {
        **PROFILE_FIELDS,
        "profile": TEXT,
        "profiles": MapOf(Section("ConfigProfile", PROFILE_FIELDS)),
        "review_model": TEXT,
        "model_providers": Providers(PROVIDER),
        "openai_base_url": TEXT,
        "model_supports_reasoning_summaries": FLAG,
        "model_context_window": SIGNED,
        "model_auto_compact_token_limit": SIGNED,
        "tool_output_token_limit": SIZE,
        "instructions": TEXT,
        "developer_instructions": TEXT,
        "compact_prompt": TEXT,
        "commit_attribution": TEXT,
        "include_collaboration_mode_instructions": FLAG,
        "project_doc_max_bytes": SIZE,
        "project_doc_fallback_filenames": TEXTS,
        "project_root_markers": TEXTS,
        "auto_review": Section("AutoReviewToml", {"policy": TEXT}),
        "sandbox_workspace_write": SANDBOX_WORKSPACE_WRITE,
        "default_permissions": TEXT,
        "codex_linux_sandbox_exe": TEXT,
        "permissions": PERMISSION_PROFILES,
        "allow_login_shell": FLAG,
        "shell_environment_policy": Section(
            "ShellEnvironmentPolicyToml",
            {
                "inherit": OneOf(("core", "all", "none")),
                "ignore_default_excludes": FLAG,
                "exclude": TEXTS,
                "set": TEXT_MAP,
                "include_only": TEXTS,
                "experimental_use_profile": FLAG,
            },
        ),
        "background_terminal_max_timeout": UNSIGNED,
        "projects": MapOf(
            Section("ProjectConfig", {"trust_level": OneOf(("trusted", "untrusted"))})
        ),
        "mcp_servers": MapOf(MCP_SERVER),
        "mcp_oauth_credentials_store": OneOf(("auto", "file", "keyring")),
        "mcp_oauth_callback_port": PORT,
        "mcp_oauth_callback_url": TEXT,
        "apps": APPS,
        "plugin_backend_bridges": MapOf(PLUGIN_BACKEND_BRIDGE),
        "plugins": PLUGINS,
        "marketplaces": MARKETPLACES,
        "hooks": HOOKS,
        "skills": SKILLS,
        "tool_suggest": TOOL_SUGGEST,
        "agents": AGENTS,
        "memories": MEMORIES,
        "suppress_unstable_features_warning": FLAG,
        "history": HISTORY,
        "sqlite_home": TEXT,
        "log_dir": TEXT,
        "cli_auth_credentials_store": OneOf(("file", "keyring", "auto", "ephemeral")),
        "forced_login_method": OneOf(("chatgpt", "api")),
        "forced_chatgpt_workspace_id": TEXT,
        "notify": TEXTS,
        "file_opener": OneOf(("vscode", "vscode-insiders", "windsurf", "cursor", "none")),
        "hide_agent_reasoning": FLAG,
        "show_raw_agent_reasoning": FLAG,
        "check_for_update_on_startup": FLAG,
        "disable_paste_burst": FLAG,
        "feedback": FEEDBACK,
        "otel": OTEL,
        "tui": TUI,
        "notice": NOTICE,
        "audio": Section("RealtimeAudioToml", {"microphone": TEXT, "speaker": TEXT}),
        "realtime": Section(
            "RealtimeToml",
            {
                "version": OneOf(("v1", "v2")),
                "type": OneOf(("conversational", "transcription")),
                "transport": OneOf(("webrtc", "websocket")),
                "voice": TEXT,
            },
        ),
        "ghost_snapshot": Section(
            "GhostSnapshotToml",
            {
                "ignore_large_untracked_files": SIGNED,
                "ignore_large_untracked_dirs": SIGNED,
                "disable_warnings": FLAG,
            },
        ),
        "windows_wsl_setup_acknowledged": FLAG,
        "experimental_thread_store": ANYTHING,
        "experimental_thread_store_endpoint": TEXT,
        "experimental_thread_config_endpoint": TEXT,
        "experimental_realtime_start_instructions": TEXT,
        "experimental_realtime_ws_base_url": TEXT,
        "experimental_realtime_ws_model": TEXT,
        "experimental_realtime_ws_backend_prompt": TEXT,
        "experimental_realtime_ws_startup_context": TEXT,
    },
    defaults={
        "profiles": {},
        "model_providers": {},
        "mcp_servers": {},
        "plugins": {},
        "marketplaces": {},
        "shell_environment_policy": {},
        "features": {},
    },
)
"""A whole file."""


def check(table: Mapping[str, Any]) -> None:
    """Raise `Misfit` for the first value that does not fit."""
    TOP.check(table, ())


def unknown_keys(table: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Dotted keys nobody knows, each with the known key it resembles most."""
    yield from _unknown(table, TOP, "")


def _unknown(table: Mapping[str, Any], kind: Kind, prefix: str) -> Iterator[tuple[str, str | None]]:
    for key, value in table.items():
        inner: Kind | None = None
        if isinstance(kind, MapOf):
            inner = kind.item
        elif isinstance(kind, Section):
            inner = kind.fields.get(key, kind.rest)
            if not _is_known(key, kind):
                import difflib  # only for a misspelt key

                close = difflib.get_close_matches(key, [*kind.fields, *kind.known_rest], n=1)
                yield prefix + key, prefix + close[0] if close else None
        if isinstance(inner, Section | MapOf) and isinstance(value, Mapping):
            yield from _unknown(value, inner, f"{prefix}{key}.")


def _is_known(key: str, kind: Section) -> bool:
    if key in kind.fields:
        return True
    return kind.rest is not None and (not kind.known_rest or key in kind.known_rest)
