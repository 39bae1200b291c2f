"""What an administrator demands of the configuration."""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.config_values import WebSearchMode
from app_server.protocol.method import ClientMethod, in_queue
from app_server.protocol.permissions import ApprovalsReviewer, AskForApproval, SandboxMode
from app_server.protocol.shared import Unsigned, Unsigned16
from app_server.protocol.wire import Wire

ResidencyRequirement: TypeAlias = Literal["us"]

NetworkDomainPermission: TypeAlias = Literal["allow", "deny"]

NetworkUnixSocketPermission: TypeAlias = Literal["allow", "none"]


class NetworkRequirements(Wire):
    enabled: bool | None = None
    http_port: Unsigned16 | None = None
    socks_port: Unsigned16 | None = None
    allow_upstream_proxy: bool | None = None
    dangerously_allow_non_loopback_proxy: bool | None = None
    dangerously_allow_all_unix_sockets: bool | None = None
    domains: dict[str, NetworkDomainPermission] | None = None
    managed_allowed_domains_only: bool | None = None
    allowed_domains: list[str] | None = None
    denied_domains: list[str] | None = None
    unix_sockets: dict[str, NetworkUnixSocketPermission] | None = None
    allow_unix_sockets: list[str] | None = None
    allow_local_binding: bool | None = None


class CommandConfiguredHookHandler(Wire, tag="command"):
    command: str
    timeout_sec: Unsigned | None = None
    async_: bool
    status_message: str | None = None


class PromptConfiguredHookHandler(Wire, tag="prompt"): ...


class AgentConfiguredHookHandler(Wire, tag="agent"): ...


ConfiguredHookHandler: TypeAlias = (
    CommandConfiguredHookHandler | PromptConfiguredHookHandler | AgentConfiguredHookHandler
)


class ConfiguredHookMatcherGroup(Wire):
    hooks: list[ConfiguredHookHandler]
    matcher: str | None = None


class ManagedHooksRequirements(Wire):
    managed_dir: str | None = None
    windows_managed_dir: str | None = None
    pre_tool_use: list[ConfiguredHookMatcherGroup] = msgspec.field(name="PreToolUse")
    permission_request: list[ConfiguredHookMatcherGroup] = msgspec.field(name="PermissionRequest")
    post_tool_use: list[ConfiguredHookMatcherGroup] = msgspec.field(name="PostToolUse")
    session_start: list[ConfiguredHookMatcherGroup] = msgspec.field(name="SessionStart")
    user_prompt_submit: list[ConfiguredHookMatcherGroup] = msgspec.field(name="UserPromptSubmit")
    stop: list[ConfiguredHookMatcherGroup] = msgspec.field(name="Stop")


class ConfigRequirements(Wire):
    """What an administrator allows."""

    allowed_approval_policies: list[AskForApproval] | None = None
    allowed_approvals_reviewers: list[ApprovalsReviewer] | None = None
    allowed_sandbox_modes: list[SandboxMode] | None = None
    allowed_web_search_modes: list[WebSearchMode] | None = None
    feature_requirements: dict[str, bool] | None = None
    hooks: ManagedHooksRequirements | None = None
    enforce_residency: ResidencyRequirement | None = None
    network: NetworkRequirements | None = None


class ConfigRequirementsReadResponse(Wire):
    requirements: ConfigRequirements | None = None


CONFIG_REQUIREMENTS_READ: ClientMethod[None, ConfigRequirementsReadResponse] = ClientMethod(
    "configRequirements/read",
    None,
    ConfigRequirementsReadResponse,
    queue=in_queue("config"),
    shared=True,
)
