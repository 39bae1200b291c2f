"""The handshake, its refusals, and what a client hears first."""

import sys
from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import (
    INITIALIZE,
    ClientInfo,
    InitializeCapabilities,
    InitializeParams,
)
from app_server.protocol.memory import MEMORY_RESET
from app_server.protocol.not_ours import (
    WINDOWS_SANDBOX_SETUP_START,
    WindowsSandboxSetupStartParams,
)
from app_server.protocol.remote_control import (
    REMOTE_CONTROL_STATUS_CHANGED,
    RemoteControlStatusChangedNotification,
)
from app_server.protocol.thread_history import (
    THREAD_LIST,
    THREAD_READ,
    ThreadListParams,
    ThreadReadParams,
)
from app_server.server.server import Server
from tests.server.connector import Connector

NO_THREAD = ThreadReadParams(thread_id="00000000-0000-7000-8000-000000000000")


async def refusal(client: Client, row: Any, params: Any = None) -> tuple[int, str]:
    with pytest.raises(RpcError) as refused:
        await client.request(row, params)
    return refused.value.code, refused.value.message


async def test_everything_is_refused_before_the_handshake(connect: Connector) -> None:
    client = await connect.stranger()
    assert await refusal(client, THREAD_LIST, ThreadListParams()) == (-32600, "Not initialized")


async def test_the_handshake_tells_who_and_where_the_server_is(
    connect: Connector, codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "tmux")
    monkeypatch.setenv("TERM_PROGRAM_VERSION", "3.3a")
    client = await connect.stranger()
    answer = await client.initialize(ClientInfo(name="replay", version="1.0.0"))
    assert answer.codex_home == str(codex_home)
    assert answer.platform_family == "unix"
    assert answer.platform_os == ("macos" if sys.platform == "darwin" else "linux")
    assert answer.user_agent.startswith("replay/0.128.0 (")
    assert answer.user_agent.endswith(" tmux/3.3a (replay; 1.0.0)")


async def test_a_second_handshake_is_refused(connect: Connector) -> None:
    client = await connect()
    params = InitializeParams(client_info=ClientInfo(name="x", version="1"))
    assert await refusal(client, INITIALIZE, params) == (-32600, "Already initialized")


async def test_a_failed_handshake_may_be_repeated(connect: Connector) -> None:
    client = await connect.stranger()
    bad = InitializeParams(client_info=ClientInfo(name="a\nb", version="1"))
    assert await refusal(client, INITIALIZE, bad) == (
        -32600,
        "Invalid clientInfo.name: 'a\nb'. Must be a valid HTTP header value.",
    )
    assert await refusal(client, THREAD_LIST, ThreadListParams()) == (-32600, "Not initialized")
    await client.initialize(ClientInfo(name="b", version="1"))


async def test_the_first_client_names_the_originator_for_everyone(connect: Connector) -> None:
    await connect("A")
    second = await connect.stranger()
    answer = await second.initialize(ClientInfo(name="B", version="1"))
    assert answer.user_agent.startswith("A/")
    assert answer.user_agent.endswith("(B; 1)")


async def test_an_originator_from_the_environment_wins(
    codex_home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app_server.server.identity import Identity

    monkeypatch.setenv("CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "mine")
    identity = Identity("codex_cli_rs")
    identity.introduce("A", "1")
    assert identity.originator == "mine"


async def test_the_remote_control_status_follows_the_answer(
    connect: Connector, server: Server, codex_home: Path
) -> None:
    client = await connect()
    await client.arrival()
    [event] = client.drain()
    assert isinstance(event, Notification)
    assert event.method == REMOTE_CONTROL_STATUS_CHANGED.name
    assert isinstance(event.params, RemoteControlStatusChangedNotification)
    assert event.params.status == "disabled"
    assert event.params.installation_id == (codex_home / "installation_id").read_text()


async def test_a_notification_nobody_wants_is_not_sent(connect: Connector, server: Server) -> None:
    without = InitializeCapabilities(
        opt_out_notification_methods=[REMOTE_CONTROL_STATUS_CHANGED.name, "no/such/notification"]
    )
    client = await connect(capabilities=without)
    await refusal(client, THREAD_READ, NO_THREAD)
    assert client.drain() == []


async def test_experimental_methods_need_the_capability(connect: Connector) -> None:
    plain = await connect(capabilities=None)
    assert await refusal(plain, MEMORY_RESET) == (
        -32600,
        "memory/reset requires experimentalApi capability",
    )


async def test_a_method_without_a_handler_names_itself(connect: Connector) -> None:
    client = await connect()
    assert await refusal(
        client, WINDOWS_SANDBOX_SETUP_START, WindowsSandboxSetupStartParams(mode="elevated")
    ) == (-32600, "`windowsSandbox/setupStart` is not offered by this server")


async def test_what_is_told_to_everyone_reaches_only_those_past_the_handshake(
    connect: Connector, server: Server
) -> None:
    stranger = await connect.stranger()
    friend = await connect()
    await friend.arrival()
    friend.drain()
    status = RemoteControlStatusChangedNotification(status="connecting")
    server.broadcast(REMOTE_CONTROL_STATUS_CHANGED, status)
    await friend.arrival()
    assert friend.drain() == [Notification(REMOTE_CONTROL_STATUS_CHANGED.name, status)]
    assert stranger.drain() == []


async def test_the_same_id_on_two_connections_does_not_meet(connect: Connector) -> None:
    first, second = await connect("first"), await connect("second")
    assert await refusal(first, THREAD_READ, NO_THREAD) == await refusal(
        second, THREAD_READ, NO_THREAD
    )
