"""One home with the scripted model as its provider, and every way to a server of that home."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from app_server import Codex, connect
from app_server.demo.provider import ScriptedModel
from app_server.rpc.unix_socket import bound_socket
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.support.model_server import provider_toml

SERVER = [sys.executable, "-m", "app_server.cli.main", "app-server"]


class Home:
    """A home, a folder to work in, and a model."""

    def __init__(self, codex_home: Path, workspace: Path, model: ScriptedModel) -> None:
        provider_toml(model, home=codex_home)
        self.path = codex_home
        self.cwd = workspace
        self.model = model

    @property
    def options(self) -> ServerOptions:
        return ServerOptions(codex_home=self.path, cwd=self.cwd)

    def connect(self, **given: Any) -> Codex:
        """A server inside this process."""
        return connect(codex_home=self.path, cwd=self.cwd, **given)


@pytest.fixture
def home(codex_home: Path, workspace: Path, model: ScriptedModel) -> Home:
    return Home(codex_home, workspace, model)


@asynccontextmanager
async def inside(home: Home) -> AsyncIterator[Codex]:
    async with home.connect() as codex:
        yield codex


@asynccontextmanager
async def by_child(home: Home) -> AsyncIterator[Codex]:
    async with connect(SERVER, codex_home=home.path, cwd=home.cwd) as codex:
        yield codex


@asynccontextmanager
async def by_websocket(home: Home) -> AsyncIterator[Codex]:
    bound = bind("127.0.0.1", 0)
    server = Server(home.options)
    client = connect(f"ws://127.0.0.1:{bound.getsockname()[1]}")
    async with WebSocketListener(bound, server.serve), server, client as codex:
        yield codex


@asynccontextmanager
async def by_socket_file(home: Home) -> AsyncIterator[Codex]:
    server = Server(home.options)
    with TemporaryDirectory() as folder:  # names of sockets must be short
        path = Path(folder) / "s.sock"
        with bound_socket(path) as bound:
            client = connect(f"unix://{path}")
            async with WebSocketListener(bound, server.serve), server, client as codex:
                yield codex


WAYS: dict[str, Callable[[Home], Any]] = {
    "inside": inside,
    "child": by_child,
    "websocket": by_websocket,
    "socket file": by_socket_file,
}


@pytest.fixture(params=list(WAYS))
async def codex(request: pytest.FixtureRequest, home: Home) -> AsyncIterator[Codex]:
    """A client of that home, once for each way there is."""
    async with WAYS[request.param](home) as client:
        yield client
