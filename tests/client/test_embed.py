"""A server on a thread of its own, inside this process."""

import asyncio
import threading
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.client.events import Disconnected
from app_server.embed import LocalServer
from app_server.protocol.initialize import ClientInfo
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.rpc.peer import ConnectionLost
from app_server.server import server as server_room
from app_server.server.options import ServerOptions

ME = ClientInfo(name="test", version="1.0.0")


@pytest.fixture
def options(codex_home: Path, workspace: Path) -> ServerOptions:
    return ServerOptions(codex_home=codex_home, cwd=workspace, session_source="cli")


@pytest.mark.parametrize("through_json", [False, True], ids=["typed", "json"])
async def test_a_client_speaks_with_a_server_on_another_thread(
    options: ServerOptions, through_json: bool
) -> None:
    async with asyncio.timeout(30):
        server = LocalServer(options, through_json=through_json)
        async with server, Client(server.connect()) as client:
            answer = await client.initialize(ME)
            assert answer.codex_home == str(options.codex_home)
            assert (await client.request(MODEL_LIST, ModelListParams())).data


async def test_calls_made_before_the_server_is_ready_wait_for_it(options: ServerOptions) -> None:
    server = LocalServer(options)
    async with asyncio.timeout(30):
        async with Client(server.connect()) as client:
            handshake = asyncio.create_task(client.initialize(ME))
            await asyncio.sleep(0)
            server.start()
            assert (await handshake).platform_family == "unix"
        await server.stop()


async def test_leaving_ends_the_thread_and_tells_the_clients(options: ServerOptions) -> None:
    async with asyncio.timeout(30):
        async with LocalServer(options) as server:
            client = await Client(server.connect()).__aenter__()
            await client.initialize(ME)
        assert "app-server" not in [thread.name for thread in threading.enumerate()]
        assert [event async for event in client.events()][-1] == Disconnected(
            "the server closed the connection"
        )
        await client.__aexit__(None, None, None)
        with pytest.raises(ConnectionLost):
            await client.request(MODEL_LIST, ModelListParams())
        async with Client(server.connect()) as late:
            with pytest.raises(ConnectionLost):
                await late.initialize(ME)


async def test_a_client_that_has_left_is_forgotten(options: ServerOptions) -> None:
    async with asyncio.timeout(30):
        async with LocalServer(options) as server, Client(server.connect()) as staying:
            await staying.initialize(ME)
            for _ in range(3):
                async with Client(server.connect()) as leaving:
                    await leaving.initialize(ME)
            while len(server._server_ends) > 1:
                await staying.request(MODEL_LIST, ModelListParams())
            assert len(server._server_ends) == 1


async def test_a_server_that_cannot_start_shows_as_a_closed_channel(
    options: ServerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_options: ServerOptions) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(server_room, "Server", fail)
    async with asyncio.timeout(30):
        async with LocalServer(options) as server, Client(server.connect()) as client:
            with pytest.raises(ConnectionLost):
                await client.initialize(ME)


async def test_the_callers_loop_goes_on_while_the_server_computes(options: ServerOptions) -> None:
    async with asyncio.timeout(30):
        async with LocalServer(options) as server, Client(server.connect()) as client:
            await client.initialize(ME)
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            counting = asyncio.create_task(count())
            for _ in range(50):
                await client.request(MODEL_LIST, ModelListParams())
            counting.cancel()
            assert turns > 50
