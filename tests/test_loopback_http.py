"""The small listener behind pages on loopback, over real connections."""

import asyncio
import contextlib
import logging
import signal
import socket
from typing import Any

import pytest

from app_server import loopback_http
from app_server.loopback_http import LoopbackListener, bind_loopback

BOUND_SECONDS = 30
ASK = b"GET /page?secret=1 HTTP/1.1\r\nhost: 127.0.0.1\r\n"


async def greets(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": b"hello"})


class Slow:
    """Answers once it is told to; tells how its requests ended."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.entered.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        await greets(scope, receive, send)


async def ask(port: int, request: bytes) -> bytes:
    """Send the bytes; everything that comes back until the connection is closed."""
    async with asyncio.timeout(BOUND_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = b""
        # who is cut off while still speaking may be told so by a reset
        with contextlib.suppress(ConnectionResetError):
            answer = await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()
    return answer


async def test_a_page_is_answered_with_nothing_added_and_no_log_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    before = signal.getsignal(signal.SIGINT)
    async with LoopbackListener(greets, bind_loopback()) as listener:
        assert listener.base_url == f"http://127.0.0.1:{listener.port}"
        assert signal.getsignal(signal.SIGINT) is before
        answer = await ask(listener.port, ASK + b"connection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"x-own: 1",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
    ]
    assert b"hello" in body
    assert "secret" not in caplog.text


async def test_a_taken_port_is_an_error_and_a_left_one_is_free_again() -> None:
    async with LoopbackListener(greets, bind_loopback()) as listener:
        with pytest.raises(OSError, match="in use"):
            bind_loopback(listener.port).listen()
    bind_loopback(listener.port).close()


async def test_leaving_lets_a_running_request_finish_and_drops_an_idle_connection() -> None:
    slow = Slow()
    async with asyncio.timeout(BOUND_SECONDS):
        listener = await LoopbackListener(slow, bind_loopback()).__aenter__()
        idle, idle_writer = await asyncio.open_connection("127.0.0.1", listener.port)
        asking = asyncio.create_task(ask(listener.port, ASK + b"\r\n"))
        await slow.entered.wait()
        leaving = asyncio.create_task(listener.__aexit__(None, None, None))
        assert await idle.read() == b""
        idle_writer.close()
        slow.go_on.set()
        await leaving
        assert (await asking).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("steps", range(6))
async def test_leaving_drops_a_client_that_came_in_the_moment_before(steps: int) -> None:
    async with LoopbackListener(greets, bind_loopback()) as listener:
        client = socket.create_connection(("127.0.0.1", listener.port))
        for _ in range(steps):  # from not yet accepted to known to the listener
            await asyncio.sleep(0)
    with client:
        client.setblocking(False)
        async with asyncio.timeout(BOUND_SECONDS):
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.get_running_loop().sock_recv(client, 1) == b""


async def test_leaving_cuts_what_takes_longer_than_the_grace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    caplog.set_level(logging.WARNING)
    async with asyncio.timeout(BOUND_SECONDS):
        async with LoopbackListener(slow, bind_loopback(), grace_seconds=0.01) as listener:
            asking = asyncio.create_task(ask(listener.port, ASK + b"\r\n"))
            await slow.entered.wait()
        assert slow.was_cancelled
        assert await asking == b""
    assert caplog.text == ""


async def test_a_client_whose_head_does_not_come_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loopback_http, "HEAD_SECONDS", 0.01)
    async with LoopbackListener(greets, bind_loopback()) as listener:
        assert await ask(listener.port, b"") == b""
        assert await ask(listener.port, ASK) == b""


async def test_what_is_no_http_is_answered_400() -> None:
    async with LoopbackListener(greets, bind_loopback()) as listener:
        assert (await ask(listener.port, b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400")
