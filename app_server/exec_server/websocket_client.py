"""A process service elsewhere, reached through a websocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from app_server.exec_server.client import ExecServerClient, ExecServerError, TransportClosed

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

CONNECT_TIMEOUT_SECONDS = 10.0
INITIALIZE_TIMEOUT_SECONDS = 10.0
LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024


async def connect_websocket(
    url: str,
    client_name: str = "codex-core",
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    initialize_timeout_seconds: float = INITIALIZE_TIMEOUT_SECONDS,
    bearer_token: str | None = None,
) -> ExecServerClient:
    """Connect and shake hands. Raises `ExecServerError`."""
    from websockets.asyncio.client import connect  # some 60 ms, only for remote environments
    from websockets.exceptions import InvalidHandshake, InvalidURI

    headers = {} if bearer_token is None else {"Authorization": f"Bearer {bearer_token}"}
    try:
        async with asyncio.timeout(connect_timeout_seconds):
            # The original drops connections that offer compression.
            socket = await connect(
                url,
                additional_headers=headers,
                compression=None,
                max_size=LARGEST_MESSAGE_BYTES,
                open_timeout=None,
                proxy=None,
            )
    except TimeoutError:
        raise ExecServerError(
            f"timed out connecting to exec-server websocket `{url}` "
            f"after {connect_timeout_seconds:g}s"
        ) from None
    except (OSError, InvalidHandshake, InvalidURI) as error:
        raise ExecServerError(
            f"failed to connect to exec-server websocket `{url}`: {error}"
        ) from error
    client = ExecServerClient(WebSocketTransport(socket))
    try:
        await client.initialize(client_name, initialize_timeout_seconds)
    except BaseException:
        await asyncio.shield(client.close())
        raise
    return client


class WebSocketTransport:
    """One message per text frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._reading: asyncio.Task[None] | None = None

    def open(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._reading = asyncio.get_running_loop().create_task(self._read(on_message, on_end))

    async def send(self, line: bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._socket.send(line.rstrip(b"\n"), text=True)
        except ConnectionClosed as error:
            raise TransportClosed from error

    def pause(self) -> None:
        self._may_read.clear()

    def resume(self) -> None:
        self._may_read.set()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        await self._socket.close()

    async def _read(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await self._may_read.wait()
                on_message(await self._socket.recv(decode=False))
        except ConnectionClosed:
            on_end()
