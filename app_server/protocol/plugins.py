"""Plugins: list, read, install, remove."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, in_queue
from app_server.protocol.shared import AbsolutePathBuf, AbsolutePathParam
from app_server.protocol.skills import SkillInterface
from app_server.protocol.wire import JsonObject, Wire

PluginAuthPolicy: TypeAlias = Literal["ON_INSTALL", "ON_USE"]

PluginInstallPolicy: TypeAlias = Literal["NOT_AVAILABLE", "AVAILABLE", "INSTALLED_BY_DEFAULT"]


class PluginInterface(Wire):
    display_name: str | None = None
    short_description: str | None = None
    long_description: str | None = None
    developer_name: str | None = None
    category: str | None = None
    capabilities: list[str]
    website_url: str | None = None
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    default_prompt: list[str] | None = None
    brand_color: str | None = None
    composer_icon: AbsolutePathBuf | None = None
    composer_icon_url: str | None = None
    logo: AbsolutePathBuf | None = None
    logo_url: str | None = None
    screenshots: list[AbsolutePathBuf]
    screenshot_urls: list[str]


class LocalPluginSource(Wire, tag="local"):
    path: AbsolutePathBuf


class GitPluginSource(Wire, tag="git"):
    url: str
    path: str | None = None
    ref_name: str | None = None
    sha: str | None = None


class RemotePluginSource(Wire, tag="remote"): ...


PluginSource: TypeAlias = LocalPluginSource | GitPluginSource | RemotePluginSource


class PluginSummary(Wire):
    id: str
    name: str
    source: PluginSource
    installed: bool
    enabled: bool
    install_policy: PluginInstallPolicy
    auth_policy: PluginAuthPolicy
    interface: PluginInterface | None = None


class MarketplaceInterface(Wire):
    display_name: str | None = None


class PluginMarketplaceEntry(Wire):
    name: str
    plugins: list[PluginSummary]
    interface: MarketplaceInterface | None = None
    path: AbsolutePathBuf | None = None


class MarketplaceLoadErrorInfo(Wire):
    marketplace_path: AbsolutePathBuf
    message: str


class PluginListParams(Wire):
    cwds: list[AbsolutePathParam] | None = None


class PluginListResponse(Wire):
    """A marketplace that cannot be read is reported, not fatal."""

    marketplaces: list[PluginMarketplaceEntry]
    featured_plugin_ids: list[str] = []
    marketplace_load_errors: list[MarketplaceLoadErrorInfo] = []


class AppSummary(Wire):
    """An app as a plugin lists it."""

    id: str
    name: str
    needs_auth: bool
    description: str | None = None
    install_url: str | None = None


class SkillSummary(Wire):
    name: str
    description: str
    enabled: bool
    interface: SkillInterface | None = None
    path: AbsolutePathBuf | None = None
    short_description: str | None = None


class PluginDetail(Wire):
    marketplace_name: str
    marketplace_path: AbsolutePathBuf | None = None
    summary: PluginSummary
    description: str | None = None
    skills: list[SkillSummary]
    apps: list[AppSummary]
    mcp_servers: list[str]
    app_templates: list[JsonObject] = []
    hooks: list[JsonObject] = []


class PluginReadParams(Wire):
    """One plugin of a local marketplace file or of a remote marketplace: exactly one of the two."""

    plugin_name: str
    marketplace_path: AbsolutePathParam | None = None
    remote_marketplace_name: str | None = None


class PluginReadResponse(Wire):
    plugin: PluginDetail


class PluginInstallParams(Wire):
    plugin_name: str
    marketplace_path: AbsolutePathParam | None = None
    remote_marketplace_name: str | None = None


class PluginInstallResponse(Wire):
    apps_needing_auth: list[AppSummary]
    auth_policy: PluginAuthPolicy


class PluginUninstallParams(Wire):
    plugin_id: str


class PluginUninstallResponse(Wire): ...


PLUGIN_LIST = ClientMethod("plugin/list", PluginListParams, PluginListResponse)
PLUGIN_READ = ClientMethod("plugin/read", PluginReadParams, PluginReadResponse)
PLUGIN_INSTALL = ClientMethod(
    "plugin/install", PluginInstallParams, PluginInstallResponse, queue=in_queue("config")
)
PLUGIN_UNINSTALL = ClientMethod(
    "plugin/uninstall", PluginUninstallParams, PluginUninstallResponse, queue=in_queue("config")
)
