"""Taking over another agent's configuration."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, in_queue
from app_server.protocol.wire import JsonObject, Wire

ExternalAgentConfigMigrationItemType: TypeAlias = Literal[
    "AGENTS_MD",
    "CONFIG",
    "SKILLS",
    "PLUGINS",
    "MCP_SERVER_CONFIG",
    "SUBAGENTS",
    "HOOKS",
    "COMMANDS",
    "SESSIONS",
]


class CommandMigration(Wire):
    name: str


class HookMigration(Wire):
    name: str


class McpServerMigration(Wire):
    name: str


class PluginsMigration(Wire):
    marketplace_name: str
    plugin_names: list[str]


class SessionMigration(Wire):
    cwd: str
    path: str
    title: str | None = None


class SubagentMigration(Wire):
    name: str


class MigrationDetails(Wire):
    commands: list[CommandMigration] = []
    hooks: list[HookMigration] = []
    mcp_servers: list[McpServerMigration] = []
    plugins: list[PluginsMigration] = []
    sessions: list[SessionMigration] = []
    subagents: list[SubagentMigration] = []


class ExternalAgentConfigMigrationItem(Wire):
    """Something of another agent that can be taken over."""

    item_type: ExternalAgentConfigMigrationItemType
    description: str
    cwd: str | None = None
    details: MigrationDetails | None = None


class ExternalAgentConfigDetectParams(Wire):
    cwds: list[str] | None = None
    include_home: bool = False


class ExternalAgentConfigDetectResponse(Wire):
    items: list[ExternalAgentConfigMigrationItem]


class ExternalAgentConfigImportParams(Wire):
    migration_items: list[ExternalAgentConfigMigrationItem]


class ExternalAgentConfigImportResponse(Wire):
    import_id: str = ""


class ExternalAgentConfigImportCompletedNotification(Wire):
    import_id: str = ""
    item_type_results: list[JsonObject] = []


EXTERNAL_AGENT_CONFIG_DETECT = ClientMethod(
    "externalAgentConfig/detect",
    ExternalAgentConfigDetectParams,
    ExternalAgentConfigDetectResponse,
    queue=in_queue("config"),
    shared=True,
)
EXTERNAL_AGENT_CONFIG_IMPORT = ClientMethod(
    "externalAgentConfig/import",
    ExternalAgentConfigImportParams,
    ExternalAgentConfigImportResponse,
    queue=in_queue("config"),
)
EXTERNAL_AGENT_CONFIG_IMPORT_COMPLETED = ServerNotification(
    "externalAgentConfig/import/completed", ExternalAgentConfigImportCompletedNotification
)
