"""What a server answers about things it does not have: empty lists, and errors that name it."""

from pathlib import Path

import pytest

from app_server.protocol.apps import APP_LIST, AppsListParams, AppsListResponse
from app_server.protocol.collaboration import (
    COLLABORATION_MODE_LIST,
    CollaborationModeListParams,
    CollaborationModeMask,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.features import MOCK_EXPERIMENTAL_METHOD, MockExperimentalMethodParams
from app_server.protocol.initialize import InitializeCapabilities
from app_server.protocol.marketplace import (
    MARKETPLACE_REMOVE,
    MARKETPLACE_UPGRADE,
    MarketplaceRemoveParams,
    MarketplaceUpgradeParams,
)
from app_server.protocol.mcp import (
    CONFIG_MCP_SERVER_RELOAD,
    MCP_SERVER_OAUTH_LOGIN,
    MCP_SERVER_RESOURCE_READ,
    MCP_SERVER_STATUS_LIST,
    MCP_SERVER_TOOL_CALL,
    ListMcpServerStatusParams,
    McpResourceReadParams,
    McpServerOauthLoginParams,
    McpServerRefreshResponse,
    McpServerToolCallParams,
)
from app_server.protocol.model import (
    MODEL_PROVIDER_CAPABILITIES_READ,
    ModelProviderCapabilitiesReadParams,
)
from app_server.protocol.plugins import PLUGIN_LIST, PluginListParams
from tests.server.connector import Connector

UNKNOWN = "01890000-0000-7000-8000-000000000000"
SERVERS = """
[mcp_servers.web]
url = "https://example.com/mcp"
[mcp_servers.local]
command = "true"
"""


async def test_there_are_no_apps_and_no_plugins(connect: Connector) -> None:
    client = await connect()
    assert await client.request(APP_LIST, AppsListParams()) == AppsListResponse(data=[])
    assert (await client.request(PLUGIN_LIST, PluginListParams())).marketplaces == []
    upgraded = await client.request(MARKETPLACE_UPGRADE, MarketplaceUpgradeParams())
    assert (upgraded.errors, upgraded.upgraded_roots) == ([], [])


async def test_apps_of_a_thread_nobody_knows_are_an_error(connect: Connector) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest, match=f"thread not found: {UNKNOWN}"):
        await client.request(APP_LIST, AppsListParams(thread_id=UNKNOWN))


async def test_a_marketplace_nobody_added_is_named(connect: Connector) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest, match="marketplace `x` is not configured or installed"):
        await client.request(MARKETPLACE_REMOVE, MarketplaceRemoveParams(marketplace_name="x"))
    with pytest.raises(InvalidRequest, match="`x` is not configured as a Git marketplace"):
        await client.request(MARKETPLACE_UPGRADE, MarketplaceUpgradeParams(marketplace_name="x"))


async def test_configured_mcp_servers_are_listed_in_pages_though_none_is_connected(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text(SERVERS)
    client = await connect()
    first = await client.request(MCP_SERVER_STATUS_LIST, ListMcpServerStatusParams(limit=1))
    assert ([server.name for server in first.data], first.next_cursor) == (["local"], "1")
    rest = await client.request(
        MCP_SERVER_STATUS_LIST, ListMcpServerStatusParams(cursor=first.next_cursor)
    )
    assert [(server.name, server.tools) for server in rest.data] == [("web", {})]
    assert rest.next_cursor is None
    assert await client.request(CONFIG_MCP_SERVER_RELOAD) == McpServerRefreshResponse()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other", "No MCP server named 'other' found."),
        ("local", "OAuth login is only supported for streamable HTTP servers."),
        ("web", "MCP server 'web' is configured, but this release does not connect"),
    ],
)
async def test_signing_in_to_an_mcp_server_says_why_not(
    connect: Connector, codex_home: Path, name: str, message: str
) -> None:
    (codex_home / "config.toml").write_text(SERVERS)
    client = await connect()
    with pytest.raises(InvalidRequest, match=message):
        await client.request(MCP_SERVER_OAUTH_LOGIN, McpServerOauthLoginParams(name=name))


async def test_tools_and_resources_of_mcp_servers_say_what_is_missing(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text(SERVERS)
    client = await connect()
    call = McpServerToolCallParams(thread_id=UNKNOWN, server="local", tool="x")
    with pytest.raises(InvalidRequest, match=f"thread not found: {UNKNOWN}"):
        await client.request(MCP_SERVER_TOOL_CALL, call)
    with pytest.raises(InternalError, match="unknown MCP server 'x'"):
        await client.request(MCP_SERVER_RESOURCE_READ, McpResourceReadParams(server="x", uri="u"))
    with pytest.raises(InvalidRequest, match="does not connect to MCP servers"):
        await client.request(
            MCP_SERVER_RESOURCE_READ, McpResourceReadParams(server="local", uri="u")
        )


@pytest.mark.parametrize(("provider", "has_all"), [("openai", True), ("ollama", False)])
async def test_a_server_on_this_machine_offers_less_than_a_service(
    connect: Connector, codex_home: Path, provider: str, has_all: bool
) -> None:
    (codex_home / "config.toml").write_text(f'model_provider = "{provider}"\n')
    client = await connect()
    read = await client.request(
        MODEL_PROVIDER_CAPABILITIES_READ, ModelProviderCapabilitiesReadParams()
    )
    assert {read.web_search, read.namespace_tools, read.image_generation} == {has_all}


async def test_the_modes_one_can_work_in_are_listed(connect: Connector) -> None:
    client = await connect()
    listed = await client.request(COLLABORATION_MODE_LIST, CollaborationModeListParams())
    assert listed.data == [
        CollaborationModeMask(name="Default", mode="default", reasoning_effort=None)
    ]


async def test_the_echo_shows_whether_experimental_methods_are_open(connect: Connector) -> None:
    client, stable = await connect(), await connect("stable", InitializeCapabilities())
    params = MockExperimentalMethodParams(value="x")
    assert (await client.request(MOCK_EXPERIMENTAL_METHOD, params)).echoed == "x"
    with pytest.raises(InvalidRequest, match="requires experimentalApi capability"):
        await stable.request(MOCK_EXPERIMENTAL_METHOD, params)
