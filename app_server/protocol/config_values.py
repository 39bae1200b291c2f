"""The known settings, as `config/read` shows them; keys as in config.toml."""

from typing import Literal, TypeAlias

from app_server.protocol.permissions import ApprovalsReviewer, AskForApproval, SandboxMode
from app_server.protocol.shared import ReasoningEffort, ReasoningSummary, ServiceTier, Verbosity
from app_server.protocol.wire import JsonObject, SnakeWire

ForcedLoginMethod: TypeAlias = Literal["chatgpt", "api"]

WebSearchMode: TypeAlias = Literal["disabled", "cached", "live"]

WebSearchContextSize: TypeAlias = Literal["low", "medium", "high"]


class WebSearchLocation(SnakeWire):
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class WebSearchToolConfig(SnakeWire):
    allowed_domains: list[str] | None = None
    context_size: WebSearchContextSize | None = None
    location: WebSearchLocation | None = None


class ToolsV2(SnakeWire):
    web_search: WebSearchToolConfig | None = None
    view_image: bool | None = None


class SandboxWorkspaceWrite(SnakeWire):
    writable_roots: list[str] = []
    network_access: bool = False
    exclude_tmpdir_env_var: bool = False
    exclude_slash_tmp: bool = False


class AnalyticsConfig(SnakeWire):
    enabled: bool | None = None


AppToolApproval: TypeAlias = Literal["auto", "prompt", "approve"]


class AppToolConfig(SnakeWire):
    approval_mode: AppToolApproval | None = None
    enabled: bool | None = None


class AppsDefaultConfig(SnakeWire):
    destructive_enabled: bool = True
    enabled: bool = True
    open_world_enabled: bool = True


AppToolsConfig: TypeAlias = dict[str, AppToolConfig]


AppsConfig: TypeAlias = JsonObject
"""App ids to `AppConfig`; the key `_default` holds an `AppsDefaultConfig`."""


class AppConfig(SnakeWire):
    default_tools_approval_mode: AppToolApproval | None = None
    default_tools_enabled: bool | None = None
    destructive_enabled: bool | None = None
    enabled: bool = True
    open_world_enabled: bool | None = None
    tools: AppToolsConfig | None = None


class ProfileV2(SnakeWire):
    approval_policy: AskForApproval | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    chatgpt_base_url: str | None = None
    model: str | None = None
    model_provider: str | None = None
    model_reasoning_effort: ReasoningEffort | None = None
    model_reasoning_summary: ReasoningSummary | None = None
    model_verbosity: Verbosity | None = None
    service_tier: ServiceTier | None = None
    tools: ToolsV2 | None = None
    web_search: WebSearchMode | None = None


class Config(SnakeWire):
    """The settings of `config/read` that have a known shape; others may stand beside them."""

    model: str | None = None
    review_model: str | None = None
    model_context_window: int | None = None
    model_auto_compact_token_limit: int | None = None
    model_provider: str | None = None
    approval_policy: AskForApproval | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox_mode: SandboxMode | None = None
    sandbox_workspace_write: SandboxWorkspaceWrite | None = None
    forced_chatgpt_workspace_id: str | None = None
    forced_login_method: ForcedLoginMethod | None = None
    web_search: WebSearchMode | None = None
    tools: ToolsV2 | None = None
    profile: str | None = None
    profiles: dict[str, ProfileV2] = {}
    instructions: str | None = None
    developer_instructions: str | None = None
    compact_prompt: str | None = None
    model_reasoning_effort: ReasoningEffort | None = None
    model_reasoning_summary: ReasoningSummary | None = None
    model_verbosity: Verbosity | None = None
    service_tier: ServiceTier | None = None
    analytics: AnalyticsConfig | None = None
    apps: AppsConfig | None = None
