"""Every key a configuration file may hold and the kind of its value.

The tables are the one place that knows which keys exist: checking a file, telling unknown keys
apart and showing unset keys in `config/read` are walks over them. Subjects whose rooms are not
built yet are `ANYTHING`: they load, and their own room will check them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app_server.config.connection_schema import MCP_SERVER, PROVIDER, Providers
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
    NameOrTable,
    OneOf,
    Section,
)

EFFORT = OneOf(("none", "minimal", "low", "medium", "high", "xhigh"))
PERSONALITY = OneOf(("none", "friendly", "pragmatic"))
SUMMARY = OneOf(("auto", "concise", "detailed", "none"))
VERBOSITY = OneOf(("low", "medium", "high"))
SERVICE_TIER = OneOf(("fast", "flex"))
SANDBOX_MODE = OneOf(("read-only", "workspace-write", "danger-full-access"))
WEB_SEARCH = OneOf(("disabled", "cached", "live"))
REVIEWER = OneOf(("user", "auto_review", "guardian_subagent"))
APPROVAL_POLICY = NameOrTable(
    OneOf(("untrusted", "on-failure", "on-request", "granular", "never")),
    {
        "granular": Section(
            "GranularApprovalConfig",
            {
                "sandbox_approval": FLAG,
                "rules": FLAG,
                "mcp_elicitations": FLAG,
                "request_permissions": FLAG,
                "skill_approval": FLAG,
            },
        )
    },
)
FEATURES = Section(
    "FeaturesToml",
    {"multi_agent_v2": ANYTHING, "apps_mcp_path_override": ANYTHING},
    rest=FLAG,
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
    "analytics": Section("AnalyticsConfigToml", {"enabled": FLAG}),
    "windows": TABLE,
    "zsh_path": TEXT,
    "oss_provider": TEXT,
    "js_repl_node_path": TEXT,
    "js_repl_node_module_dirs": TEXTS,
    "experimental_use_unified_exec_tool": FLAG,
    "experimental_use_freeform_apply_patch": FLAG,
}
"""What a profile may hold; it overlays the same keys of the top level."""

TUI = Section(
    "Tui",
    {
        "notifications": Either(
            (FLAG, TEXTS), "data did not match any variant of untagged enum Notifications"
        ),
        "notification_method": OneOf(("auto", "osc9", "bel")),
        "notification_condition": OneOf(("unfocused", "always")),
        "animations": FLAG,
        "show_tooltips": FLAG,
        "alternate_screen": OneOf(("auto", "always", "never")),
        "status_line": TEXTS,
        "terminal_title": TEXTS,
        "theme": TEXT,
        "keymap": TABLE,
        "model_availability_nux": TABLE,
        "terminal_resize_reflow_max_rows": SIZE,
    },
    defaults={
        "notifications": True,
        "notification_method": "auto",
        "notification_condition": "unfocused",
        "animations": True,
        "show_tooltips": True,
        "alternate_screen": "auto",
        "keymap": {},
        "model_availability_nux": {},
    },
)

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
        "sandbox_workspace_write": Section(
            "SandboxWorkspaceWrite",
            {
                "writable_roots": TEXTS,
                "network_access": FLAG,
                "exclude_tmpdir_env_var": FLAG,
                "exclude_slash_tmp": FLAG,
            },
            defaults={
                "writable_roots": [],
                "network_access": False,
                "exclude_tmpdir_env_var": False,
                "exclude_slash_tmp": False,
            },
        ),
        "default_permissions": TEXT,
        "permissions": MapOf(TABLE),
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
        "apps": MapOf(TABLE),
        "plugins": MapOf(TABLE),
        "marketplaces": MapOf(TABLE),
        "hooks": TABLE,
        "skills": TABLE,
        "tool_suggest": TABLE,
        "agents": Section(
            "AgentsToml",
            {
                "max_threads": SIZE,
                "max_depth": SIGNED,
                "job_max_runtime_seconds": UNSIGNED,
                "interrupt_message": ANYTHING,
            },
            rest=Section(
                "AgentRoleToml",
                {"description": TEXT, "config_file": TEXT, "nickname_candidates": TEXTS},
            ),
        ),
        "memories": TABLE,
        "suppress_unstable_features_warning": FLAG,
        "history": Section(
            "History", {"persistence": OneOf(("save-all", "none")), "max_bytes": SIZE}
        ),
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
        "feedback": Section("FeedbackConfigToml", {"enabled": FLAG}),
        "otel": TABLE,
        "tui": TUI,
        "notice": TABLE,
        "audio": TABLE,
        "realtime": TABLE,
        "ghost_snapshot": TABLE,
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

NEWER_KEYS: dict[str, Kind] = {"plugin_backend_bridges": MapOf(TABLE)}
"""Known keys that `config/read` does not show."""


def check(table: Mapping[str, Any]) -> None:
    """Raise `Misfit` for the first value that does not fit."""
    TOP.check(table, ())


def unknown_keys(table: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Dotted keys nobody knows, each with the known key it resembles most."""
    yield from _unknown(table, TOP, "")


def _unknown(table: Mapping[str, Any], kind: Kind, prefix: str) -> Iterator[tuple[str, str | None]]:
    for key, value in table.items():
        inner: Kind | None
        if isinstance(kind, MapOf):
            inner = kind.item
        elif isinstance(kind, Section):
            inner = kind.fields.get(key, kind.rest)
            if inner is None and not (kind is TOP and key in NEWER_KEYS):
                import difflib  # only for a misspelt key

                close = difflib.get_close_matches(key, kind.fields, n=1)
                yield prefix + key, prefix + close[0] if close else None
        else:
            inner = None
        if isinstance(inner, Section | MapOf) and isinstance(value, Mapping):
            yield from _unknown(value, inner, f"{prefix}{key}.")
