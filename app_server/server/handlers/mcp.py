"""MCP servers, as far as nothing needs to be connected to one.

This release starts no MCP servers. A home that configures none gets the answers it would always
get; where one is named that does exist, the caller is told that it cannot be reached yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.mcp import (
    CONFIG_MCP_SERVER_RELOAD,
    MCP_SERVER_OAUTH_LOGIN,
    MCP_SERVER_RESOURCE_READ,
    MCP_SERVER_STATUS_LIST,
    MCP_SERVER_TOOL_CALL,
    ListMcpServerStatusParams,
    ListMcpServerStatusResponse,
    McpResourceReadParams,
    McpResourceReadResponse,
    McpServerOauthLoginParams,
    McpServerOauthLoginResponse,
    McpServerRefreshResponse,
    McpServerStatus,
    McpServerToolCallParams,
    McpServerToolCallResponse,
)
from app_server.server.context import RequestContext
from app_server.server.handlers.pages import page
from app_server.server.registry import handles


@handles(MCP_SERVER_STATUS_LIST)
async def list_status(
    ctx: RequestContext, params: ListMcpServerStatusParams
) -> ListMcpServerStatusResponse:
    """The configured servers by name; none is connected, so none has tools to show."""
    names = sorted(await _configured(ctx))
    shown, next_cursor = page(names, params.cursor, params.limit, "MCP servers")
    return ListMcpServerStatusResponse(
        data=[
            McpServerStatus(
                name=name, tools={}, resources=[], resource_templates=[], auth_status="unsupported"
            )
            for name in shown
        ],
        next_cursor=next_cursor,
    )


@handles(CONFIG_MCP_SERVER_RELOAD)
async def reload(_ctx: RequestContext, _params: None) -> McpServerRefreshResponse:
    """Nothing is kept between calls that could be out of date."""
    return McpServerRefreshResponse()


@handles(MCP_SERVER_OAUTH_LOGIN)
async def log_in(
    ctx: RequestContext, params: McpServerOauthLoginParams
) -> McpServerOauthLoginResponse:
    servers = await _configured(ctx)
    if params.name not in servers:
        raise InvalidRequest(f"No MCP server named '{params.name}' found.")
    if "url" not in servers[params.name]:
        raise InvalidRequest("OAuth login is only supported for streamable HTTP servers.")
    raise InvalidRequest(_not_connected(params.name))


@handles(MCP_SERVER_RESOURCE_READ)
async def read_resource(
    ctx: RequestContext, params: McpResourceReadParams
) -> McpResourceReadResponse:
    if params.thread_id is not None:
        ctx.threads.loaded(params.thread_id)
    raise await _unreachable(ctx, params.server)


@handles(MCP_SERVER_TOOL_CALL)
async def call_tool(
    ctx: RequestContext, params: McpServerToolCallParams
) -> McpServerToolCallResponse:
    ctx.threads.loaded(params.thread_id)
    raise await _unreachable(ctx, params.server)


async def _unreachable(ctx: RequestContext, name: str) -> Exception:
    if name in await _configured(ctx):
        return InvalidRequest(_not_connected(name))
    return InternalError(f"unknown MCP server '{name}'")


def _not_connected(name: str) -> str:
    return f"MCP server '{name}' is configured, but this release does not connect to MCP servers"


async def _configured(ctx: RequestContext) -> Mapping[str, Mapping[str, Any]]:
    return (await asyncio.to_thread(ctx.services.current_config)).mcp_servers
