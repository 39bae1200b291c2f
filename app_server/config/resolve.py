"""The effective configuration a thread is given: typed, complete, immutable.

`resolve` turns the merged table of all layers into a `Config`. Fields are named after the keys;
where the two differ the field says so. What configuration says of model providers, MCP servers,
apps, plugins, hooks, skills, permissions profiles, telemetry and the terminal stays a plain table
here: the rooms that own those subjects read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from app_server.config.connection_schema import BUILT_IN_PROVIDERS
from app_server.config.errors import ConfigInvalid
from app_server.config.features import resolve_features
from app_server.config.layers import merge
from app_server.config.permission_profiles import (
    chosen_permissions,
    standing_for,
    without_network,
)
from app_server.config.prompt_files import prompt_texts
from app_server.config.schema import PROFILE_FIELDS, TOP
from app_server.config.trust import (
    DEFAULT_ROOT_MARKERS,
    TrustLevel,
    decided_trust,
    project_root,
)
from app_server.protocol.config_requirements import ConfigRequirements
from app_server.protocol.permissions import (
    ApprovalsReviewer,
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ManagedPermissionProfile,
    ReadOnlySandboxPolicy,
    SandboxMode,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.shared import (
    Personality,
    ReasoningEffort,
    ReasoningSummary,
    ServiceTier,
    Verbosity,
)

if TYPE_CHECKING:
    from app_server.config.model_catalog import CatalogModel


WebSearchMode: TypeAlias = Literal["disabled", "cached", "live"]

LOCAL = "oss"

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
    requirements: ConfigRequirements | None = None
    """What an administrator demands; `config.requirements.check_choice` holds changes to it."""
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
    models: tuple[CatalogModel, ...] | None = None
    """What `model_catalog_json` holds; None: those that come along."""
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
    permission_profile: ManagedPermissionProfile | None = None
    """Of `default_permissions`, if that is one of the user's own; it holds instead."""
    proxied_network: Table | None = None
    """Its network table, if commands reach hosts through the proxy only."""
    codex_linux_sandbox_exe: str | None = None
    """A program by this interface that confines commands instead of us."""
    workspace_write: Table = {}
    """`sandbox_workspace_write` as written, for building the policy of another mode."""
    default_permissions: str | None = None
    """The profile in force, a built-in one too; None where `sandbox_mode` was chosen."""
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
    plugin_backend_bridges: Mapping[str, Mapping[str, str]] = {}
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

    @property
    def confinement(self) -> SandboxPolicy | ManagedPermissionProfile:
        """What holds for commands that have no way through the proxy."""
        profile = self.permission_profile
        if profile is not None and self.proxied_network is not None:
            return without_network(profile)
        return profile or self.sandbox_policy

    def enabled(self, feature: str) -> bool:
        """Whether a feature is on; an unknown one is off."""
        return self.features.get(feature, False)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a resolution needs besides the merged table."""

    codex_home: Path
    cwd: Path
    profile: str | None = None
    """Chosen outside of the files."""
    flags: Table = {}
    """Dedicated options; they win over the profile."""
    enablement: Mapping[str, bool] = {}
    """Features switched while the server runs; what files say wins over it."""


def resolve(merged: Table, around: Surroundings) -> Config:
    """The effective settings; raises `ConfigInvalid` for what only shows in the merged whole."""
    profile_name = around.profile or around.flags.get("profile") or merged.get("profile")
    profile = chosen_profile(merged, profile_name)
    table = _with_local_provider(merge(merge(merged, profile), around.flags))
    markers = tuple(table.get("project_root_markers", DEFAULT_ROOT_MARKERS))
    trust = decided_trust(table.get("projects", {}), around.cwd, markers)
    chosen = chosen_permissions(table, trust, around.flags, around.codex_home, around.cwd)
    mode, permission_profile = chosen.mode, chosen.profile
    features = resolve_features(merge(merged, around.flags), profile, around.enablement)
    fields: dict[str, Any] = {
        key: table[key] for key in _TAKEN_AS_THEY_ARE if table.get(key) is not None
    }
    fields |= {key: tuple(table[key]) for key in _LISTS if key in table}
    fields |= prompt_texts(table)
    fields |= _nested(table)
    if "model_catalog_json" in table:
        from app_server.config.model_catalog import read_model_catalog

        fields["models"] = read_model_catalog(Path(table["model_catalog_json"]))
    _check_provider_exists(table)
    return Config(
        codex_home=around.codex_home,
        cwd=around.cwd,
        project_root=project_root(around.cwd, markers),
        project_root_markers=markers,
        trust_level=trust,
        profile=profile_name,
        approval_policy=_approval_policy(table.get("approval_policy"), trust),
        approvals_reviewer=_reviewer(table.get("approvals_reviewer")),
        sandbox_mode=mode,
        sandbox_policy=sandbox_policy(mode, table.get("sandbox_workspace_write", {}), around)
        if permission_profile is None
        else standing_for(permission_profile),
        permission_profile=permission_profile,
        default_permissions=chosen.name,
        proxied_network=chosen.network,
        workspace_write=table.get("sandbox_workspace_write", {}),
        web_search=_web_search(table, features, mode),
        features=features,
        log_dir=_folder(table.get("log_dir"), around.codex_home / "log"),
        sqlite_home=_folder(
            table.get("sqlite_home") or os.environ.get("CODEX_SQLITE_HOME"), around.codex_home
        ),
        **fields,
    )


def chosen_profile(merged: Table, name: str | None) -> Table:
    """The keys of a profile that a profile may hold; none if none is chosen.

    Raises `ConfigInvalid` if it is missing.
    """
    if not name:
        return {}
    profiles = merged.get("profiles", {})
    if name not in profiles:
        raise ConfigInvalid(f"config profile `{name}` not found")
    return {key: value for key, value in profiles[name].items() if key in PROFILE_FIELDS}


def sandbox_policy(
    mode: SandboxMode, workspace_write: Table, around: Surroundings | Config
) -> SandboxPolicy:
    """The policy of a mode; workspace-write always includes the memory files."""
    if mode == "danger-full-access":
        return DangerFullAccessSandboxPolicy()
    if mode == "read-only":
        return ReadOnlySandboxPolicy()
    roots = [str(root) for root in workspace_write.get("writable_roots", [])]
    memories = str(around.codex_home / "memories")
    return WorkspaceWriteSandboxPolicy(
        writable_roots=[*roots, *([] if memories in roots else [memories])],
        network_access=workspace_write.get("network_access", False),
        exclude_tmpdir_env_var=workspace_write.get("exclude_tmpdir_env_var", False),
        exclude_slash_tmp=workspace_write.get("exclude_slash_tmp", False),
    )


def _approval_policy(chosen: Any, trust: TrustLevel | None) -> AskForApproval:
    if chosen is None:
        return "untrusted" if trust == "untrusted" else "on-request"
    policy: AskForApproval = msgspec.convert(chosen, _ASK_FOR_APPROVAL)
    return policy


def _reviewer(chosen: str | None) -> ApprovalsReviewer:
    return "auto_review" if chosen in ("auto_review", "guardian_subagent") else "user"


def _web_search(table: Table, features: Mapping[str, bool], mode: SandboxMode) -> WebSearchMode:
    chosen: WebSearchMode | None = table.get("web_search")
    if chosen is not None:
        return chosen
    if features["web_search_cached"]:
        return "cached"
    return "live" if features["web_search_request"] or mode == "danger-full-access" else "cached"


def _nested(table: Table) -> dict[str, Any]:
    """Fields that stand one level deeper in the table."""
    fields: dict[str, Any] = {}
    tools = table.get("tools", {})
    history = table.get("history", {})
    for field, section, key in (
        ("view_image", tools, "view_image"),
        ("view_image", table, "tools_view_image"),
        ("history_persistence", history, "persistence"),
        ("history_max_bytes", history, "max_bytes"),
        ("analytics_enabled", table.get("analytics", {}), "enabled"),
        ("feedback_enabled", table.get("feedback", {}), "enabled"),
        ("auto_review_policy", table.get("auto_review", {}), "policy"),
        ("background_terminal_max_timeout_ms", table, "background_terminal_max_timeout"),
    ):
        if section.get(key) is not None:
            fields[field] = section[key]
    if isinstance(tools.get("web_search"), Mapping):
        fields["web_search_tool"] = tools["web_search"]
    if table.get("shell_environment_policy"):
        fields["shell_environment_policy"] = msgspec.convert(
            table["shell_environment_policy"], ShellEnvironmentPolicy
        )
    return fields


def _with_local_provider(table: dict[str, Any]) -> dict[str, Any]:
    """`--oss` asks for whichever service on this machine `oss_provider` names."""
    if table.get("model_provider") != LOCAL or LOCAL in table.get("model_providers", {}):
        return table
    return {**table, "model_provider": table.get("oss_provider") or "ollama"}


def _check_provider_exists(table: Table) -> None:
    provider = table.get("model_provider", "openai")
    if provider == "ollama-chat":
        return  # `model.providers` tells what took its place
    if provider not in BUILT_IN_PROVIDERS and provider not in table.get("model_providers", {}):
        raise ConfigInvalid(f"Model provider `{provider}` not found")


def _folder(chosen: str | None, default: Path) -> Path:
    return Path(chosen) if chosen else default


_ASK_FOR_APPROVAL: Any = AskForApproval
_LISTS = ("project_doc_fallback_filenames", "notify")
_WORKED_OUT = {
    "codex_home",
    "cwd",
    "project_root",
    "project_root_markers",
    "trust_level",
    "profile",
    "approval_policy",
    "approvals_reviewer",
    "sandbox_mode",
    "sandbox_policy",
    "permission_profile",
    "default_permissions",
    "proxied_network",
    "workspace_write",
    "shell_environment_policy",
    "web_search",
    "features",
    "log_dir",
    "sqlite_home",
    "compact_prompt",
    *_LISTS,
}
_TAKEN_AS_THEY_ARE = tuple(
    field for field in Config.__struct_fields__ if field not in _WORKED_OUT and field in TOP.fields
)
"""Keys whose value is the field of the same name."""
