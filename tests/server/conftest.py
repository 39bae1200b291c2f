"""A server on the test's own loop, reached over typed channels and through JSON."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app_server.auth import browser_login, device_login
from app_server.demo.provider import ScriptedModel
from app_server.protocol.method import ClientMethod
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.sandbox import probe
from app_server.server import registry
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.listening import Listening
from tests.support.model_server import provider_toml
from tests.support.process_service import process_service


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
def there(tmp_path: Path) -> Path:
    """What the workspace is on the other machine of `elsewhere`."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
async def elsewhere(
    there: Path,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Connector]:
    """A server whose commands run in a service with a view of the file system of its own."""
    if shutil.which("bwrap") is None or probe.facts().mechanism == "none":
        pytest.skip("the other machine is made with bubblewrap, and has a sandbox")
    provider_toml(model, home=codex_home)
    view = ("bwrap", "--die-with-parent", "--dev-bind", "/", "/")
    with process_service([*view, "--bind", str(there), str(workspace)]) as url:
        monkeypatch.setenv("CODEX_EXEC_SERVER_URL", url)
        async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as server:
            connector = Connector(server, through_json=False)
            yield connector
            await connector.leave()


@pytest.fixture
def answer_with(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[ClientMethod[Any, Any], Callable[..., Awaitable[Any]]], None]:
    """Puts a test's own function in the place of a method's handler."""

    def replace(row: ClientMethod[Any, Any], handler: Callable[..., Awaitable[Any]]) -> None:
        monkeypatch.setitem(registry._handlers, row.name, handler)

    return replace
