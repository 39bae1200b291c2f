"""`app_server.connect`: a server as a program in Python uses it, wherever the server is.

    async with connect() as codex: ...                         inside this process
    async with connect(["codex", "app-server"]) as codex: ...  a child process
    async with connect("unix://") as codex: ...                the control socket of this home
    async with connect("wss://host:4500", token=key) as codex: ...

Joins `client` and `embed`; the caller's loop only ever sees the client.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app_server.client.client import Client
from app_server.client.codex import Answer, Codex, Connection
from app_server.client.connect import open_unix_socket, open_websocket, start_child
from app_server.client.errors import CannotConnect
from app_server.client.reconnect import Dial, ReconnectingClient
from app_server.paths import codex_home as usual_home
from app_server.protocol.initialize import ClientInfo, InitializeCapabilities
from app_server.rpc.channel import Channel
from app_server.rpc.listen import CONTROL_SOCKET
from app_server.version import __version__

CAPABILITIES = InitializeCapabilities(experimental_api=True)


def connect(
    server: str | Sequence[str] | None = None,
    *,
    token: str | None = None,
    codex_home: str | Path | None = None,
    cwd: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    answer: Answer | None = None,
    reconnect: bool = True,
    name: str = "codex-python",
    version: str = __version__,
) -> Codex:
    """A client of a server, to be entered with `async with`.

    `server`: none for one inside this process, a command line to start one, or `ws://`, `wss://` or
    `unix://[PATH]` for one that runs; `token` opens a websocket. A connection to a running server
    that is lost is dialled again, unless `reconnect` is False.

    `codex_home`, `cwd` and `config` (dotted key and value, as `-c` takes them) are for a server
    that is started here; without them it uses the settings, sign-in and folder of this process.

    `answer` is awaited with each question of the server; without it questions come with the events
    of their turn. `name` and `version` say which program this is.

    Raises `ValueError` for what does not go together; entering raises `CannotConnect`.
    """
    info = ClientInfo(name=name, version=version)
    started_here = {"codex_home": codex_home, "cwd": cwd, "config": config}
    surplus = [key for key, value in started_here.items() if value is not None]
    if isinstance(server, str):
        if surplus:
            raise ValueError(f"{', '.join(surplus)}: {server} has its own")
        dial = _dialled(server, token)
        if reconnect:
            return Codex(lambda: _coming_back(dial, info), answer)
        return Codex(lambda: _dialled_once(dial, info), answer)
    if token is not None:
        raise ValueError("token: only a websocket takes one")
    home = Path(codex_home) if codex_home is not None else None
    folder = Path(cwd).absolute() if cwd is not None else None
    settings = tuple((config or {}).items())
    if server is None:
        return Codex(lambda: _inside(home, folder, settings, info), answer)
    if settings:
        raise ValueError("config: give it to the command, as `-c key=value`")
    command = list(server)
    if not command:
        raise ValueError("server: an empty command")
    return Codex(lambda: _child(command, home, folder, info), answer)


def _dialled(url: str, token: str | None) -> Dial:
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("ws", "wss") and rest:

        async def dial() -> Channel:
            return await open_websocket(url, token=token)

    elif separator and scheme == "unix":
        if token is not None:
            raise ValueError("token: only a websocket takes one")

        path = Path(rest).absolute() if rest else usual_home() / CONTROL_SOCKET

        async def dial() -> Channel:
            return await open_unix_socket(path)

    else:
        raise ValueError(f"{url!r} names no server: use ws://, wss:// or unix://, or a command")
    return dial


@asynccontextmanager
async def _inside(
    home: Path | None,
    cwd: Path | None,
    settings: tuple[tuple[str, Any], ...],
    info: ClientInfo,
) -> AsyncIterator[Connection]:
    from app_server.embed import LocalServer
    from app_server.server.options import ServerOptions

    options = ServerOptions(
        codex_home=home or usual_home(), cwd=cwd or Path(os.getcwd()), cli_overrides=settings
    )
    async with LocalServer(options) as server, Client(server.connect()) as client:
        yield Connection(client, await client.initialize(info, CAPABILITIES))


@asynccontextmanager
async def _child(
    command: list[str], home: Path | None, cwd: Path | None, info: ClientInfo
) -> AsyncIterator[Connection]:
    env = None if home is None else {**os.environ, "CODEX_HOME": str(home)}
    try:
        channel = await start_child(command, cwd=cwd, env=env)
    except OSError as error:
        raise CannotConnect(command[0], error.strerror or str(error)) from error
    async with Client(channel) as client:
        yield Connection(client, await client.initialize(info, CAPABILITIES))


@asynccontextmanager
async def _dialled_once(dial: Dial, info: ClientInfo) -> AsyncIterator[Connection]:
    async with Client(await dial()) as client:
        yield Connection(client, await client.initialize(info, CAPABILITIES))


@asynccontextmanager
async def _coming_back(dial: Dial, info: ClientInfo) -> AsyncIterator[Connection]:
    async with ReconnectingClient(dial, info, CAPABILITIES) as client:
        assert client.server is not None
        yield Connection(client, client.server)
