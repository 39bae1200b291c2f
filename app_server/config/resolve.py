"""The effective configuration a thread is given: typed, complete, immutable.

`resolve` turns the merged table of all layers into a `Config`. Fields are named after the keys;
where the two differ the field says so. What configuration says of model providers, MCP servers,
apps, plugins, hooks, skills, permissions profiles, telemetry and the terminal stays a plain table
here: the rooms that own those subjects read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.permissions import (
    ApprovalsReviewer,
    AskForApproval,
    SandboxMode,
    SandboxPolicy,
)
from app_server.protocol.shared import (
    Personality,
    ReasoningEffort,
    ReasoningSummary,
    ServiceTier,
    Verbosity,
)

TrustLevel: TypeAlias = Literal["trusted", "untrusted"]
WebSearchMode: TypeAlias = Literal["disabled", "cached", "live"]

Table: TypeAlias = Mapping[str, Any]


class ShellEnvironmentPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which variables commands see (config.md §6); `exec.shell_env` applies it."""

    inherit: Literal["all", "core", "none"] = "all"
    ignore_default_excludes: bool = True
    exclude: tuple[str, ...] = ()
    set: Mapping[str, str] = {}
    include_only: tuple[str, ...] = ()
    experimental_use_profile: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting a thread goes by. Replace it, never change it."""

    codex_home: Path
    cwd: Path
    project_root: Path
    """The nearest folder above `cwd` with a root marker, `cwd` itself without one."""
    trust_level: TrustLevel | None = None
    """What the user decided about this project; None: not asked yet."""
    profile: str | None = None

    model: str | None = None
    """None: the catalogue's first choice."""
    review_model: str | None = None
    model_provider: str = "openai"
    model_providers: Mapping[str, Table] = {}
    """Configured providers by id, as written; `model.providers` reads them."""
    openai_base_url: str | None = None
    chatgpt_base_url: str = "https://chatgpt.com/backend-api/"
    oss_provider: str | None = None
    model_reasoning_effort: ReasoningEffort | None = None
    plan_mode_reasoning_effort: ReasoningEffort | None = None
    model_reasoning_summary: ReasoningSummary | None = None
    model_verbosity: Verbosity | None = None
    model_supports_reasoning_summaries: bool | None = None
    model_context_window: int | None = None
    model_auto_compact_token_limit: int | None = None
    model_catalog_json: Path | None = None
    service_tier: ServiceTier | None = None
    personality: Personality | None = None
    tool_output_token_limit: int | None = None

    base_instructions: str | None = None
    """The text of `model_instructions_file`; None: our own."""
    developer_instructions: str | None = None
    compact_prompt: str | None = None
    """From `compact_prompt` or the text of `experimental_compact_prompt_file`."""
    include_permissions_instructions: bool = True
    include_apps_instructions: bool = True
    include_collaboration_mode_instructions: bool = True
    include_environment_context: bool = True
    project_doc_max_bytes: int = 32 * 1024
    project_doc_fallback_filenames: tuple[str, ...] = ()
    project_root_markers: tuple[str, ...] = (".git",)

    approval_policy: AskForApproval = "on-request"
    approvals_reviewer: ApprovalsReviewer = "user"
    auto_review_policy: str | None = None
    sandbox_mode: SandboxMode = "read-only"
    sandbox_policy: SandboxPolicy
    """`sandbox_mode` with everything that belongs to it, paths absolute."""
    workspace_write: Table = {}
    """`sandbox_workspace_write` as written, for building the policy of another mode."""
    default_permissions: str | None = None
    permissions: Table = {}
    allow_login_shell: bool = True
    shell_environment_policy: ShellEnvironmentPolicy = ShellEnvironmentPolicy()
    background_terminal_max_timeout_ms: int = 300_000

    web_search: WebSearchMode = "cached"
    web_search_tool: Table = {}
    """`tools.web_search`: context_size, allowed_domains, location."""
    view_image: bool = True
    features: Mapping[str, bool] = {}
    """Every known feature with its state; ask `enabled`."""
    agents: Table = {}
    mcp_servers: Mapping[str, Table] = {}
    mcp_oauth_credentials_store: str = "auto"
    mcp_oauth_callback_port: int | None = None
    mcp_oauth_callback_url: str | None = None
    apps: Table = {}
    plugins: Table = {}
    marketplaces: Table = {}
    hooks: Table = {}
    skills: Table = {}
    memories: Table = {}

    history_persistence: Literal["save-all", "none"] = "save-all"
    history_max_bytes: int | None = None
    log_dir: Path
    sqlite_home: Path
    cli_auth_credentials_store: Literal["file", "keyring", "auto", "ephemeral"] = "file"
    forced_login_method: Literal["chatgpt", "api"] | None = None
    forced_chatgpt_workspace_id: str | None = None
    notify: tuple[str, ...] = ()
    file_opener: Literal["vscode", "vscode-insiders", "windsurf", "cursor", "none"] = "vscode"
    hide_agent_reasoning: bool = False
    show_raw_agent_reasoning: bool = False
    check_for_update_on_startup: bool = True
    disable_paste_burst: bool = False
    analytics_enabled: bool = True
    feedback_enabled: bool = True
    suppress_unstable_features_warning: bool = False
    otel: Table = {}
    tui: Table = {}
    notice: Table = {}

    def enabled(self, feature: str) -> bool:
        """Whether a feature is on; an unknown one is off."""
        return self.features.get(feature, False)
