"""Ways to reach a server: a child process over its stdin and stdout, or a socket.

Each gives a channel for `Client`. A server inside this process gives its own (`embed`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_server.client.errors import CannotConnect
from app_server.rpc.channel import ChannelClosed
from app_server.rpc.codec import client_codec
from app_server.rpc.frames import Frame
from app_server.rpc.lines import LONGEST_LINE_BYTES

if TYPE_CHECKING:
    from app_server.rpc.websocket import WebSocketChannel

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 2.0
"""How long a server may take to end once its stdin is closed, and again once it is asked to."""

PING_EVERY_SECONDS = 20.0
PONG_WITHIN_SECONDS = 40.0
"""A network that fails says nothing; a server that answers no ping for so long is gone."""

BEHIND_BYTES = 64 * 1024
"""More than this unwritten is too much; `drain` waits from the very next byte on as well."""


class ChildChannel:
    """A channel to a server that this process has started; closing it ends the server."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._codec = client_codec()

    @property
    def can_send(self) -> bool:
        return not self._stdin.is_closing()

    async def receive(self) -> Frame | None:
        while True:
            try:
                line = await self._stdout.readline()
            except ValueError:
                log.warning("skipped a line of the server that is too long")
                continue
            except OSError:
                return None
            if not line:
                return None
            frame = self._codec.decode(line)
            if frame is not None:
                return frame

    def send_now(self, frame: Frame) -> bool:
        if not self.can_send:
            raise ChannelClosed("the server's input is closed")
        if self._stdin.transport.get_write_buffer_size() > BEHIND_BYTES:
            return False
        self._stdin.write(self._codec.encode(frame) + b"\n")
        return True

    async def send(self, frame: Frame) -> None:
        while not self.send_now(frame):
            try:
                await self._stdin.drain()
            except OSError as error:
                raise ChannelClosed("the server no longer reads") from error

    async def close(self, complaint: str | None = None) -> None:
        self._stdin.close()
        try:
            for step in (None, self.process.terminate, self.process.kill):
                if self.process.returncode is not None:
                    return
                if step is not None:
                    step()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_SECONDS):
                        await self.process.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                self.process.kill()
            raise


async def start_child(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> ChildChannel:
    """Start a server such as `codex app-server`; its stderr stays ours. Raises `OSError`."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE_BYTES,
    )
    return ChildChannel(process)


async def open_websocket(url: str, *, token: str | None = None) -> WebSocketChannel:
    """Connect to a server at `ws://…` or `wss://…`. Raises `CannotConnect`."""
    from websockets.asyncio.client import connect  # 60 ms, only for servers elsewhere

    opening = connect(
        url,
        additional_headers={"Authorization": f"Bearer {token}"} if token else {},
        ping_interval=PING_EVERY_SECONDS,
        ping_timeout=PONG_WITHIN_SECONDS,
        **_CLIENT_OPTIONS,
    )
    return await _opened(url, opening)


async def open_unix_socket(path: Path) -> WebSocketChannel:
    """Connect to a server's control socket. Raises `CannotConnect`."""
    from websockets.asyncio.client import unix_connect

    from app_server.rpc.unix_socket import within_reach

    try:
        with within_reach(path) as address:
            # the other end is on this machine: it cannot vanish without a word
            opening = unix_connect(
                address, "ws://localhost/", ping_interval=None, **_CLIENT_OPTIONS
            )
            return await _opened(str(path), opening)
    except OSError as error:
        raise CannotConnect(str(path), _reason(error)) from error


async def _opened(place: str, opening: Awaitable[Any]) -> WebSocketChannel:
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    from app_server.rpc.websocket import WebSocketChannel

    try:
        connection = await opening
    except InvalidStatus as error:
        reason = (error.response.body or b"").decode("utf-8", "replace").strip()
        status = error.response.status_code
        reason = reason or f"HTTP {status}"
        raise CannotConnect(place, reason, is_refused=status in (401, 403)) from error
    except (InvalidHandshake, InvalidURI, TimeoutError) as error:
        raise CannotConnect(place, str(error)) from error
    except OSError as error:
        raise CannotConnect(place, _reason(error)) from error
    return WebSocketChannel(connection, client_codec())


def _reason(error: OSError) -> str:
    """What the system said; asyncio words it its own way, and sums up where there were several."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if error.errno is not None:  # name lookups have numbers below 0
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error).removeprefix("Multiple exceptions: ")


_CLIENT_OPTIONS: dict[str, Any] = {
    "compression": None,
    "max_size": None,  # a thread's whole history may come in one message
    "proxy": None,
}
