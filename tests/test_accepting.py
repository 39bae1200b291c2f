"""Ending a server while somebody comes in."""

import asyncio
import contextlib
import socket

import pytest

from app_server.accepting import stop_accepting
from app_server.demo.provider import ScriptedModel
from app_server.loopback_http import LoopbackListener, bind_loopback
from app_server.rpc import websocket
from app_server.rpc.channel import Channel
from app_server.rpc.websocket import WebSocketListener, bind

BOUND_SECONDS = 30


async def is_let_go(client: socket.socket) -> bool:
    """Wait for the end of the connection; bounded."""
    client.setblocking(False)
    async with asyncio.timeout(BOUND_SECONDS):
        with contextlib.suppress(ConnectionResetError):
            return await asyncio.get_running_loop().sock_recv(client, 1) == b""
    return True


@pytest.mark.parametrize("steps", range(6))
async def test_who_came_in_the_moment_before_is_known_to_the_server(steps: int) -> None:
    known: list[asyncio.StreamWriter] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known.append(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        for _ in range(steps):
            await asyncio.sleep(0)
        await stop_accepting(server)
        for writer in known:
            writer.close()
        assert await is_let_go(client)


async def test_nobody_comes_in_afterwards() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    await stop_accepting(server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


@pytest.mark.parametrize("steps", range(6))
async def test_the_scripted_model_ends_with_all_its_connections(steps: int) -> None:
    async with ScriptedModel() as model:
        client = socket.create_connection(("127.0.0.1", model.port))
        for _ in range(steps):
            await asyncio.sleep(0)
    with client:
        assert await is_let_go(client)


@pytest.mark.parametrize("steps", range(6))
async def test_a_listener_for_pages_ends_with_all_its_connections(steps: int) -> None:
    async def nothing_is_asked(*_given: object) -> None:
        raise AssertionError

    async with LoopbackListener(nothing_is_asked, bind_loopback()) as listener:
        client = socket.create_connection(("127.0.0.1", listener.port))
        for _ in range(steps):
            await asyncio.sleep(0)
    with client:
        assert await is_let_go(client)


@pytest.mark.parametrize("steps", range(6))
async def test_a_listener_for_websockets_waits_for_no_handshake(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(websocket, "HANDSHAKE_SECONDS", 3600)

    async def nobody_comes_so_far(_channel: Channel) -> None:
        raise AssertionError

    async with asyncio.timeout(BOUND_SECONDS):
        with bind("127.0.0.1", 0) as bound:
            async with WebSocketListener(bound, nobody_comes_so_far):
                client = socket.create_connection(bound.getsockname())
                for _ in range(steps):
                    await asyncio.sleep(0)
    with client:
        assert await is_let_go(client)
