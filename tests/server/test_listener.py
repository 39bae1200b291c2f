"""Websocket clients of one server, over real sockets on loopback."""

import asyncio
import struct
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.client.connect import CannotConnect, open_unix_socket, open_websocket
from app_server.client.events import Disconnected, Notification
from app_server.protocol.errors import RpcError
from app_server.protocol.fs import FS_READ_FILE, FsReadFileParams
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.protocol.notices import WARNING, WarningNotification
from app_server.protocol.thread_history import THREAD_LIST, ThreadListParams
from app_server.rpc import websocket
from app_server.rpc.unix_socket import bound_socket
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.rpc.ws_auth import CapabilityToken
from app_server.server import outbox
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.listening import BOUND_SECONDS, CLOSE, ME, PING, PONG, UPGRADE, Listening, get


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (get("/readyz"), "200 OK"),
        (get("/healthz"), "200 OK"),
        (get("/"), "400 Bad Request"),
        (get("/readyz", "Origin: https://evil.example"), "403 Forbidden"),
        (get("/", "Origin: null", *UPGRADE), "403 Forbidden"),
        (get("/", "Host: evil.example", *UPGRADE), "403 Forbidden"),
        (get("/healthz", "Host: evil.example:80"), "403 Forbidden"),
        (get("/healthz", "Host: localhost:80"), "200 OK"),
        (get("/healthz", "Host: [::1]:80"), "200 OK"),
        (get("/healthz", "Host: ::1", "Host: ::1"), "403 Forbidden"),
        (get("/readyz").replace("GET", "HEAD"), "200 OK"),
        (get("/", "Origin: a", *UPGRADE).replace("GET", "POST"), "403 Forbidden"),
    ],
)
async def test_the_listeners_rules(listening: Listening, request_text: str, status: str) -> None:
    answer = await listening.http(request_text)
    assert answer.startswith(f"HTTP/1.1 {status}\r\n")
    if not status.startswith("400"):
        assert answer.endswith("\r\n\r\n")


async def test_an_upgrade_succeeds_on_any_path_and_is_not_compressed(listening: Listening) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    headers = [*UPGRADE, offer, "Connection: Upgrade", "Host: 127.0.0.1"]
    writer.write("\r\n".join(["GET /some/path HTTP/1.1", *headers, "", ""]).encode())
    async with asyncio.timeout(BOUND_SECONDS):
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 101")
    assert "deflate" not in answer


async def test_every_connection_has_a_handshake_of_its_own(listening: Listening) -> None:
    first, second = await listening.client("first"), await listening.stranger()
    with pytest.raises(RpcError, match="Not initialized"):
        await second.request(THREAD_LIST, ThreadListParams())
    assert (await first.request(MODEL_LIST, ModelListParams())).data
    for client in (first, second):
        await client.__aexit__(None, None, None)


async def test_odd_frames_cost_at_most_their_own_connection(listening: Listening) -> None:
    from websockets.asyncio.client import connect

    steady = await listening.client("steady")
    url = f"ws://127.0.0.1:{listening.port}"
    async with connect(url) as odd, asyncio.timeout(BOUND_SECONDS):
        for message in (b"\x00\xff", "junk", "[1]", "[" * 50_000, "{}"):
            await odd.send(message)
        await odd.send('{"id":1,"method":"thread/list","params":{}}')
        assert "Not initialized" in str(await odd.recv())
        pong = await odd.ping(b"are you there")
        await pong
    async with connect(url) as broken, asyncio.timeout(BOUND_SECONDS):
        await broken.send(b"\xff\xfe", text=True)
        await broken.wait_closed()
        assert broken.close_code == 1007
    large = struct.pack("!BBQ4x", 0x81, 0x80 | 127, 17 * 1024 * 1024)
    assert await listening.close_code_after(large) == 1009
    unmasked = struct.pack("!BB2s", 0x81, 2, b"{}")
    assert await listening.close_code_after(unmasked) == 1002
    reserved = struct.pack("!BB4x", 0x83, 0x80)
    assert await listening.close_code_after(reserved) == 1002
    assert (await steady.request(MODEL_LIST, ModelListParams())).data
    await steady.__aexit__(None, None, None)


async def test_a_client_that_does_not_read_is_cut_off_and_others_are_not(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    from websockets.asyncio.client import connect

    monkeypatch.setattr(outbox.Outbox.__init__, "__defaults__", (200, 100, 1 << 26, 1 << 25))
    steady = await listening.client("steady")
    await steady.arrival()
    steady.drain()
    async with connect(f"ws://127.0.0.1:{listening.port}", max_queue=1) as slow:
        await slow.send(
            '{"id":1,"method":"initialize","params":{"clientInfo":{"name":"slow","version":"1"}}}'
        )
        async with asyncio.timeout(BOUND_SECONDS):
            everybody = [True, True]
            while [c.hears_broadcasts for c in listening.server.connections] != everybody:  # noqa: ASYNC110
                await asyncio.sleep(0)
            sent = 0
            news = WarningNotification(message="x" * 10_000)
            while len(listening.server.connections) == 2:
                listening.server.broadcast(WARNING, news)
                sent += 1
                await steady.arrival()
                steady.drain()
            assert sent > 200
            assert len(listening.server.connections) == 1
            slow.transport.abort()  # it would wait for the goodbye it does not read
            assert (await steady.request(MODEL_LIST, ModelListParams())).data
    await steady.__aexit__(None, None, None)


async def test_a_client_that_leaves_leaves_nothing_behind(listening: Listening) -> None:
    for _ in range(20):
        client = await listening.client()
        await client.__aexit__(None, None, None)
    async with asyncio.timeout(BOUND_SECONDS):
        while listening.server.connections:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)
    assert listening.server.connections == []


async def test_a_client_that_vanished_without_a_word_is_let_go(
    monkeypatch: pytest.MonkeyPatch, codex_home: Path, workspace: Path
) -> None:
    monkeypatch.setattr(websocket, "PING_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(websocket, "PONG_WITHIN_SECONDS", 0.01)
    bound = bind("127.0.0.1", 0)
    server = Server(ServerOptions(codex_home=codex_home, cwd=workspace))
    async with WebSocketListener(bound, server.serve), server, asyncio.timeout(BOUND_SECONDS):
        reader, writer = await Listening(server, bound.getsockname()[1]).raw()
        assert (await reader.readexactly(6))[0] == PING
        opcode, _length, code = struct.unpack("!BBH", await reader.readexactly(4))
        assert (opcode, code) == (CLOSE, 1011)
        while server.connections:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)
        writer.close()


async def test_a_client_that_answers_pings_stays_however_long_it_says_nothing(
    monkeypatch: pytest.MonkeyPatch, codex_home: Path, workspace: Path
) -> None:
    monkeypatch.setattr(websocket, "PING_EVERY_SECONDS", 0.01)
    bound = bind("127.0.0.1", 0)
    server = Server(ServerOptions(codex_home=codex_home, cwd=workspace))
    async with WebSocketListener(bound, server.serve), server, asyncio.timeout(BOUND_SECONDS):
        reader, writer = await Listening(server, bound.getsockname()[1]).raw()
        for _ in range(5):
            first, length = await reader.readexactly(2)
            assert first == PING
            unmasked = await reader.readexactly(length)
            writer.write(struct.pack("!BB4x", PONG, 0x80 | length) + unmasked)
        assert len(server.connections) == 1
        writer.close()


async def test_a_server_that_closes_tells_its_clients(listening: Listening) -> None:
    client = await listening.client()
    await client.arrival()
    await listening.server.close()
    events = [event async for event in client.events()]
    assert isinstance(events[0], Notification)
    assert isinstance(events[-1], Disconnected)
    await client.__aexit__(None, None, None)


async def test_credentials_are_checked_before_the_upgrade(
    codex_home: Path, workspace: Path
) -> None:
    import hashlib

    bound = bind("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{bound.getsockname()[1]}"
    server = Server(ServerOptions(codex_home=codex_home, cwd=workspace))
    token = CapabilityToken(hashlib.sha256(b"sesame").digest())
    async with WebSocketListener(bound, server.serve, token), server:
        for given, reason in (
            (None, "missing websocket bearer token"),
            ("wrong", "invalid websocket bearer token"),
        ):
            with pytest.raises(CannotConnect) as refused:
                await open_websocket(url, token=given)
            assert refused.value.reason == reason
        async with Client(await open_websocket(url, token="sesame")) as client:
            await client.initialize(ME)


async def test_a_socket_file_serves_the_same(
    codex_home: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = Server(ServerOptions(codex_home=codex_home, cwd=workspace))
    with bound_socket(Path("s.sock")) as bound:
        listener = WebSocketListener(bound, server.serve)
        async with listener, server, Client(await open_unix_socket(Path("s.sock"))) as client:
            await client.initialize(ME)
            with pytest.raises(RpcError):
                await client.request(FS_READ_FILE, FsReadFileParams(path="/missing"))


async def test_nobody_listening_is_one_clear_error() -> None:
    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    with pytest.raises(CannotConnect, match=f"cannot connect to ws://127.0.0.1:{port}: "):
        await open_websocket(f"ws://127.0.0.1:{port}")
