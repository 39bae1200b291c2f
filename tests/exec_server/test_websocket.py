"""The service behind a websocket, and the client that reaches it."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from app_server.exec_server import protocol
from app_server.exec_server.client import (
    CallRejected,
    Event,
    ExecServerClient,
    ExecServerError,
    TransportClosed,
)
from app_server.exec_server.websocket_client import connect_websocket
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS, PATH, ROOT, eventually, is_running

BANNER = "codex-exec-server listening on "
SERVE = "import sys; from app_server.exec_server.server import serve; sys.exit(serve(sys.argv[1]))"


@pytest.fixture
def url() -> Iterator[str]:
    """A listener on a free port; its URL is read from the banner."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "ws://127.0.0.1:0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    banner = process.stderr.readline()
    assert banner.startswith(BANNER)
    yield banner.removeprefix(BANNER).strip()
    process.terminate()
    assert process.wait(LONGEST_WAIT_SECONDS) == 0
    process.stderr.close()


class Events:
    """What a client was told."""

    def __init__(self, client: ExecServerClient) -> None:
        self.told: list[Event] = []
        self.is_closed = False
        self._news = asyncio.Event()
        client.listen(self._tell, self._close)

    async def output_until(self, text: bytes) -> bytes:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while text not in self.output:
                self._news.clear()
                await self._news.wait()
        return self.output

    @property
    def output(self) -> bytes:
        return b"".join(
            event.chunk for event in self.told if isinstance(event, protocol.ReceivedOutput)
        )

    async def closed(self) -> None:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while not self.is_closed:
                self._news.clear()
                await self._news.wait()

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        self._news.set()

    def _close(self) -> None:
        self.is_closed = True
        self._news.set()


class SessionClient:
    """A connection of release 0.128, message by message."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.session_id = ""
        self._ids = count(1)

    @classmethod
    async def connect(cls, url: str, session_id: str | None) -> "SessionClient":
        client = cls(await connect(url, compression=None, proxy=None))
        params = {"clientName": "codex-environment", "resumeSessionId": session_id}
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            # The service may not have noticed yet that an earlier connection has ended.
            while "result" not in (answer := await client.ask("initialize", params)):
                pass
        client.session_id = answer["result"]["sessionId"]
        await client.socket.send(json.dumps({"method": "initialized", "params": {}}))
        return client

    async def call(self, method: str, params: object) -> Any:
        return (await self.ask(method, params))["result"]

    async def ask(self, method: str, params: object) -> dict[str, Any]:
        request_id = next(self._ids)
        await self.socket.send(json.dumps({"id": request_id, "method": method, "params": params}))
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while (message := json.loads(await self.socket.recv())).get("id") != request_id:
                pass
        return dict(message)


def start(line: str, process_id: str = "proc-1", tty: bool = True) -> protocol.StartParams:
    argv = ["/bin/sh", "-c", line]
    return protocol.StartParams(process_id=process_id, argv=argv, cwd="/", env=PATH, tty=tty)


async def test_exec_server_client_connects_over_websocket(url: str) -> None:
    client = await connect_websocket(url)
    events = Events(client)
    line = "printf 'ready\\n'; while IFS= read -r line; do printf 'echo:%s\\n' \"$line\"; done"
    assert (await client.start(start(line))).process_id == "proc-1"
    await events.output_until(b"ready")
    await client.write("proc-1", b"hello\n")
    await events.output_until(b"echo:hello")
    assert await client.terminate("proc-1", 0)
    assert (await client.wait("proc-1")).signal == 9
    await client.close()


async def test_websocket_disconnect_terminates_processes_for_that_connection(
    url: str, tmp_path: Path
) -> None:
    client, other = await connect_websocket(url), await connect_websocket(url)
    pid = (await client.start(start("trap '' TERM HUP; while :; do sleep 1; done"))).pid
    # The same id on another connection is another process.
    pid_of_other = (await other.start(start("exec sleep 60"))).pid
    assert pid is not None
    assert pid_of_other is not None
    await client.close()
    await asyncio.to_thread(eventually, lambda: not is_running(pid))
    assert is_running(pid_of_other)
    await other.close()


async def test_a_client_that_knows_sessions_comes_back_to_its_processes(url: str) -> None:
    first = await SessionClient.connect(url, None)
    params = {"argv": ["/bin/cat"], "cwd": "/", "env": PATH, "tty": False, "pipeStdin": True}
    await first.call("process/start", {"processId": "cat", "arg0": None, **params})
    await first.socket.close()
    second = await SessionClient.connect(url, first.session_id)
    assert second.session_id == first.session_id
    written = await second.call("process/write", {"processId": "cat", "chunk": "aGkK"})
    assert written == {"accepted": True, "status": "accepted"}
    read = await second.call("process/read", {"processId": "cat", "waitMs": 30_000})
    assert [chunk["chunk"] for chunk in read["chunks"]] == ["aGkK"]
    assert (await second.call("process/terminate", {"processId": "cat"})) == {"running": True}
    await second.socket.close()


async def test_a_flood_arrives_whole_and_in_order(url: str) -> None:
    client = await connect_websocket(url)
    events = Events(client)
    await client.start(start("seq 1 300000", tty=False))
    await client.wait("proc-1")
    assert events.output == b"".join(b"%d\n" % number for number in range(1, 300_001))
    await client.close()


async def test_refusals_and_the_end_of_the_connection_reach_the_caller(url: str) -> None:
    client = await connect_websocket(url)
    with pytest.raises(CallRejected) as caught:
        await client.write("no-such", b"")
    assert str(caught.value) == (
        "exec-server rejected request (-32600): unknown process id no-such"
    )
    await client.start(start("exec sleep 60"))
    waiting = asyncio.ensure_future(client.wait("proc-1"))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(TransportClosed, match="exec-server transport closed"):
        await waiting


async def test_a_breach_of_the_protocol_closes_that_connection_alone(url: str) -> None:
    client, other = await connect_websocket(url), await connect_websocket(url)
    events = Events(client)
    await client._transport.send(b"not-json")
    await events.closed()
    assert (await other.start(start("exec sleep 60"))).pid is not None
    await other.close()
    await client.close()


@pytest.mark.parametrize("origin", ["https://example.com", "null", "http://127.0.0.1"])
def test_a_web_page_is_refused_before_the_upgrade(url: str, origin: str) -> None:
    host, _, port = url.removeprefix("ws://").rpartition(":")
    request = (
        f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Origin: {origin}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=LONGEST_WAIT_SECONDS) as connection:
        connection.sendall(request.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 403 ")


async def test_nobody_listening_is_said_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ExecServerError, match=f"failed to connect to .* `{url}`"):
            await connect_websocket(url)


async def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ExecServerError) as caught:
            await connect_websocket(url, connect_timeout_seconds=0.05)
    assert str(caught.value) == (
        f"timed out connecting to exec-server websocket `{url}` after 0.05s"
    )
