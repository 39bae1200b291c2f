"""Feature flags: their names, stages and defaults, and the old names that still work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Stage: TypeAlias = Literal["stable", "experimental", "deprecated", "under development", "removed"]

_STABLE = (
    "apps browser_use codex_hooks computer_use enable_request_compression fast_mode "
    "guardian_approval image_generation in_app_browser multi_agent personality plugins "
    "shell_snapshot shell_tool skill_mcp_dependency_install tool_call_mcp_elicitation tool_search "
    "tool_suggest unavailable_dummy_tools unified_exec workspace_dependencies"
)
_EXPERIMENTAL = "external_migration memories prevent_idle_sleep terminal_resize_reflow"
_DEPRECATED = "use_legacy_landlock web_search_cached web_search_request"
_UNDER_DEVELOPMENT = (
    "apply_patch_freeform apply_patch_streaming_events apps_mcp_path_override artifact "
    "child_agents_md chronicle code_mode code_mode_only codex_git_commit "
    "default_mode_request_user_input enable_fanout enable_mcp_apps exec_permission_approvals goals "
    "multi_agent_v2 plugin_hooks realtime_conversation remote_control remote_plugin "
    "request_permissions_tool runtime_metrics shell_zsh_fork skill_env_var_dependency_prompt "
    "tool_search_always_defer_mcp_tools workspace_owner_usage_nudge"
)
_REMOVED = (
    "collaboration_modes elevated_windows_sandbox experimental_windows_sandbox "
    "image_detail_original js_repl js_repl_tools_only remote_models request_rule "
    "responses_websockets responses_websockets_v2 search_tool sqlite steer tui_app_server undo "
    "use_linux_sandbox_bwrap"
)

STAGES: dict[str, Stage] = {
    **dict.fromkeys(_STABLE.split(), "stable"),
    **dict.fromkeys(_EXPERIMENTAL.split(), "experimental"),
    **dict.fromkeys(_DEPRECATED.split(), "deprecated"),
    **dict.fromkeys(_UNDER_DEVELOPMENT.split(), "under development"),
    **dict.fromkeys(_REMOVED.split(), "removed"),
}
"""Every known feature and how finished it is."""

ON_BY_DEFAULT = frozenset(
    [
        *_STABLE.split(),
        "collaboration_modes",
        "sqlite",
        "steer",
        "terminal_resize_reflow",
        "tui_app_server",
    ]
)

LISTED = tuple(
    name
    for stage in ("stable", "experimental", "under development", "deprecated", "removed")
    for name in sorted(STAGES)
    if STAGES[name] == stage
)
"""All names, in the order clients are told them."""

TOLD = {
    "external_migration": (
        "Bring settings of other agents",
        "At start, offer to take over what another agent has configured for this machine or "
        "project.",
        "",
    ),
    "memories": (
        "Memories",
        "Remember what past conversations showed, and bring it into new ones where it matters.",
        "",
    ),
    "prevent_idle_sleep": (
        "Stay awake while working",
        "Keep the computer from falling asleep while a turn runs.",
        "",
    ),
    "terminal_resize_reflow": (
        "Lay out anew on resize",
        "Draw the conversation again when the terminal's width changes.",
        "",
    ),
}
"""What is said to people of a feature they may try: title, description, announcement."""

SHOWN_RESOLVED = (
    "apps",
    "memories",
    "plugins",
    "remote_control",
    "tool_search",
    "tool_suggest",
    "tool_call_mcp_elicitation",
)
"""Features `config/read` shows with their state even where nobody set them."""

SWITCHED_BY_CLIENTS = SHOWN_RESOLVED
"""Features a client may switch while the server runs."""

OLD_NAMES = {
    "collab": "multi_agent",
    "connectors": "apps",
    "enable_experimental_windows_sandbox": "experimental_windows_sandbox",
    "experimental_use_freeform_apply_patch": "apply_patch_freeform",
    "experimental_use_unified_exec_tool": "unified_exec",
    "include_apply_patch_tool": "apply_patch_freeform",
    "memory_tool": "memories",
    "request_permissions": "exec_permission_approvals",
    "telepathy": "chronicle",
    "web_search": "web_search_request",
}
"""Names of earlier releases, still understood under `[features]`."""

OLD_KEYS = {
    "experimental_use_freeform_apply_patch": "apply_patch_freeform",
    "experimental_use_unified_exec_tool": "unified_exec",
    "include_apply_patch_tool": "apply_patch_freeform",
}
"""Top-level keys that set a feature."""


def resolve_features(
    merged: Mapping[str, Any],
    profile: Mapping[str, Any],
    enablement: Mapping[str, bool] | None = None,
) -> dict[str, bool]:
    """Every known feature with its state; unknown ones are left out.

    `enablement` was asked for while the server ran; what stands in a file wins over it.
    """
    states = {name: name in ON_BY_DEFAULT for name in STAGES} | dict(enablement or {})
    for source in (merged, profile):
        for key, feature in OLD_KEYS.items():
            if isinstance(source.get(key), bool):
                states[feature] = source[key]
        for name, value in (source.get("features") or {}).items():
            feature = OLD_NAMES.get(name, name)
            if feature not in states:
                continue
            if isinstance(value, bool):
                states[feature] = value
            elif isinstance(value, Mapping):
                states[feature] = bool(value.get("enabled", True))
    return states
