"""A server on the test's own loop, reached over typed channels and through JSON."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app_server.auth import browser_login, device_login
from app_server.protocol.method import ClientMethod
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.server import registry
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.listening import Listening


@pytest.fixture(params=[False, True], ids=["typed", "json"])
def through_json(request: pytest.FixtureRequest) -> bool:
    """Every test runs in both channel modes."""
    return bool(request.param)


@pytest.fixture(autouse=True)
def _free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-ins of tests that run at once come back to ports of their own."""
    monkeypatch.setattr(browser_login, "PORTS", (0,))
    monkeypatch.setattr(device_login, "SHORTEST_INTERVAL_SECONDS", 0)


@pytest.fixture
async def server(codex_home: Path, workspace: Path) -> AsyncIterator[Server]:
    async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as running:
        yield running


@pytest.fixture
async def connect(server: Server, through_json: bool) -> AsyncIterator[Connector]:
    connector = Connector(server, through_json)
    yield connector
    await connector.leave()


@pytest.fixture
async def listening(codex_home: Path, workspace: Path) -> AsyncIterator[Listening]:
    bound = bind("127.0.0.1", 0)
    server = Server(ServerOptions(codex_home=codex_home, cwd=workspace))
    async with WebSocketListener(bound, server.serve), server:
        yield Listening(server, bound.getsockname()[1])


@pytest.fixture
def answer_with(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[ClientMethod[Any, Any], Callable[..., Awaitable[Any]]], None]:
    """Puts a test's own function in the place of a method's handler."""

    def replace(row: ClientMethod[Any, Any], handler: Callable[..., Awaitable[Any]]) -> None:
        monkeypatch.setitem(registry._handlers, row.name, handler)

    return replace
