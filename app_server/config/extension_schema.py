"""The keys of what extends the agent: apps, plugins, hooks, skills, roles, memories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app_server.config.kinds import (
    FLAG,
    SIGNED,
    SIZE,
    TEXT,
    TEXTS,
    UNSIGNED,
    ListOf,
    MapOf,
    Misfit,
    OneOf,
    Path_,
    Section,
)

APPROVAL_MODE = OneOf(("auto", "prompt", "approve"))

APPS = Section(
    "AppsConfigToml",
    {
        "_default": Section(
            "AppsDefaultConfig",
            {"enabled": FLAG, "destructive_enabled": FLAG, "open_world_enabled": FLAG},
            defaults={"enabled": True, "destructive_enabled": True, "open_world_enabled": True},
        )
    },
    rest=Section(
        "AppConfig",
        {
            "enabled": FLAG,
            "destructive_enabled": FLAG,
            "open_world_enabled": FLAG,
            "default_tools_approval_mode": APPROVAL_MODE,
            "default_tools_enabled": FLAG,
            "tools": MapOf(
                Section("AppToolConfig", {"enabled": FLAG, "approval_mode": APPROVAL_MODE})
            ),
        },
        defaults={"enabled": True},
    ),
)

PLUGINS = MapOf(
    Section(
        "PluginConfig",
        {
            "enabled": FLAG,
            "mcp_servers": MapOf(
                Section("PluginMcpServerConfig", {"enabled": FLAG}, defaults={"enabled": True})
            ),
        },
        defaults={"enabled": True, "mcp_servers": {}},
    )
)

MARKETPLACES = MapOf(
    Section(
        "MarketplaceConfig",
        {
            "source_type": OneOf(("git", "local")),
            "source": TEXT,
            "ref": TEXT,
            "sparse_paths": TEXTS,
            "last_updated": TEXT,
            "last_revision": TEXT,
        },
    )
)


def _check_handler(table: Mapping[str, Any], path: Path_) -> None:
    """Only a command has something to run."""
    if table["type"] == "command" and "command" not in table:
        raise Misfit("missing field `command`", path)


_MATCHER_GROUPS = ListOf(
    Section(
        "MatcherGroup",
        {
            "matcher": TEXT,
            "hooks": ListOf(
                Section(
                    "HookHandlerConfig",
                    {
                        "type": OneOf(("command", "prompt", "agent")),
                        "command": TEXT,
                        "timeout": UNSIGNED,
                        "async": FLAG,
                        "statusMessage": TEXT,
                    },
                    required=("type",),
                    extra=_check_handler,
                )
            ),
        },
    )
)

_EVENTS = (
    "PreToolUse",
    "PermissionRequest",
    "PostToolUse",
    "SessionStart",
    "UserPromptSubmit",
    "Stop",
)
HOOKS = Section(
    "HookEventsToml",
    dict.fromkeys(_EVENTS, _MATCHER_GROUPS),
    defaults={event: [] for event in _EVENTS},
)

SKILLS = Section(
    "SkillsConfig",
    {
        "bundled": Section("BundledSkillsConfig", {"enabled": FLAG}),
        "include_instructions": FLAG,
        "config": ListOf(
            Section(
                "SkillConfig",
                {"path": TEXT, "name": TEXT, "enabled": FLAG},
                required=("enabled",),
            )
        ),
    },
    hides_unset=True,
)

TOOL_SUGGEST = Section(
    "ToolSuggestConfig",
    {
        key: ListOf(
            Section(
                name,
                {"type": OneOf(("connector", "plugin")), "id": TEXT},
                required=("type", "id"),
            )
        )
        for key, name in (
            ("discoverables", "ToolSuggestDiscoverable"),
            ("disabled_tools", "ToolSuggestDisabledTool"),
        )
    },
    defaults={"discoverables": [], "disabled_tools": []},
)

AGENTS = Section(
    "AgentsToml",
    {
        "max_threads": SIZE,
        "max_depth": SIGNED,
        "job_max_runtime_seconds": UNSIGNED,
        "interrupt_message": FLAG,
    },
    rest=Section(
        "AgentRoleToml",
        {"description": TEXT, "config_file": TEXT, "nickname_candidates": TEXTS},
    ),
)

MEMORIES = Section(
    "MemoriesToml",
    {
        "generate_memories": FLAG,
        "use_memories": FLAG,
        "disable_on_external_context": FLAG,
        "max_raw_memories_for_consolidation": SIZE,
        "max_unused_days": SIGNED,
        "max_rollout_age_days": SIGNED,
        "max_rollouts_per_startup": SIZE,
        "min_rollout_idle_hours": SIGNED,
        "min_rate_limit_remaining_percent": SIGNED,
        "extract_model": TEXT,
        "consolidation_model": TEXT,
    },
)
