"""MCP servers: status, tools, resources, sign-in."""

from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.method import ClientMethod, ServerNotification, by_thread, in_queue
from app_server.protocol.shared import Signed, Unsigned32
from app_server.protocol.wire import Wire

McpAuthStatus: TypeAlias = Literal["unsupported", "notLoggedIn", "bearerToken", "oAuth"]


class Tool(Wire, omit_defaults=True):
    name: str
    title: str | None = None
    description: str | None = None
    input_schema: Any
    output_schema: Any = None
    annotations: Any = None
    icons: list[Any] | None = None
    meta: Any = msgspec.field(name="_meta", default=None)


class Resource(Wire, omit_defaults=True):
    name: str
    uri: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    annotations: Any = None
    icons: list[Any] | None = None
    meta: Any = msgspec.field(name="_meta", default=None)


class ResourceTemplate(Wire, omit_defaults=True):
    name: str
    uri_template: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    annotations: Any = None


class McpServerStatus(Wire):
    """A configured MCP server and what it offers."""

    name: str
    tools: dict[str, Tool]
    resources: list[Resource]
    resource_templates: list[ResourceTemplate]
    auth_status: McpAuthStatus


McpServerStatusDetail: TypeAlias = Literal["full", "toolsAndAuthOnly"]


class ListMcpServerStatusParams(Wire):
    cursor: str | None = None
    detail: McpServerStatusDetail | None = None
    limit: Unsigned32 | None = None


class ListMcpServerStatusResponse(Wire):
    data: list[McpServerStatus]
    next_cursor: str | None = None


class McpResourceReadParams(Wire):
    server: str
    uri: str
    thread_id: str | None = None


class McpServerOauthLoginParams(Wire):
    name: str
    scopes: list[str] | None = None
    timeout_secs: Signed | None = None


class ResourceContent(Wire, omit_defaults=True):
    """One piece of a resource: `text`, or bytes as base64 in `blob`."""

    uri: str
    mime_type: str | None = None
    text: str | None = None
    blob: str | None = None
    meta: Any = msgspec.field(name="_meta", default=None)


class McpResourceReadResponse(Wire):
    contents: list[ResourceContent]


class McpServerToolCallParams(Wire):
    """Call a tool directly, without the model."""

    thread_id: str
    server: str
    tool: str
    arguments: Any = None
    meta: Any = msgspec.field(name="_meta", default=None)


class McpServerToolCallResponse(Wire, omit_defaults=True):
    content: list[Any]
    structured_content: Any = None
    is_error: bool | None = None
    meta: Any = msgspec.field(name="_meta", default=None)


class McpServerOauthLoginResponse(Wire):
    authorization_url: str


class McpServerRefreshResponse(Wire): ...


class McpServerOauthLoginCompletedNotification(Wire, omit_defaults=True):
    name: str
    success: bool
    error: str | None = None


McpServerStartupState: TypeAlias = Literal["starting", "ready", "failed", "cancelled"]


class McpServerStatusUpdatedNotification(Wire):
    """A server starts, is ready, or could not start."""

    name: str
    status: McpServerStartupState
    error: str | None = None


def _by_thread_if_any(params: McpResourceReadParams) -> str | None:
    return f"thread:{params.thread_id}" if params.thread_id else None


def _by_server(params: McpServerOauthLoginParams) -> str:
    return f"mcp-login:{params.name}"


MCP_SERVER_OAUTH_LOGIN = ClientMethod(
    "mcpServer/oauth/login",
    McpServerOauthLoginParams,
    McpServerOauthLoginResponse,
    queue=_by_server,
)
CONFIG_MCP_SERVER_RELOAD: ClientMethod[None, McpServerRefreshResponse] = ClientMethod(
    "config/mcpServer/reload", None, McpServerRefreshResponse, queue=in_queue("mcp-registry")
)
MCP_SERVER_STATUS_LIST = ClientMethod(
    "mcpServerStatus/list",
    ListMcpServerStatusParams,
    ListMcpServerStatusResponse,
    queue=in_queue("mcp-registry"),
    shared=True,
)
MCP_SERVER_RESOURCE_READ = ClientMethod(
    "mcpServer/resource/read",
    McpResourceReadParams,
    McpResourceReadResponse,
    queue=_by_thread_if_any,
)
MCP_SERVER_TOOL_CALL = ClientMethod(
    "mcpServer/tool/call", McpServerToolCallParams, McpServerToolCallResponse, queue=by_thread
)
MCP_SERVER_OAUTH_LOGIN_COMPLETED = ServerNotification(
    "mcpServer/oauthLogin/completed", McpServerOauthLoginCompletedNotification
)
MCP_SERVER_STARTUP_STATUS_UPDATED = ServerNotification(
    "mcpServer/startupStatus/updated", McpServerStatusUpdatedNotification
)
