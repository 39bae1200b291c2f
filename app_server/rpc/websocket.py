"""Websockets: one JSON object per text frame, on one port with the health probes.

`WebSocketChannel` is one conversation, from either end. `WebSocketListener` accepts them: what
`ws_gate` lets in is upgraded and handed to its server. Binary frames are ignored, compression is
not offered, a message may have 16 MiB. A client on a port is asked now and then whether it is still
there; over a socket file the system tells.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from app_server.accepting import stop_accepting
from app_server.rpc.channel import Channel, ChannelClosed
from app_server.rpc.codec import Codec, server_codec
from app_server.rpc.frames import Frame
from app_server.rpc.unix_socket import peer_uid
from app_server.rpc.ws_gate import ChecksCredentials, answer_to

if TYPE_CHECKING:
    from websockets.asyncio.connection import Connection
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

log = logging.getLogger(__name__)

LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024
FRAMES_READ_AHEAD = 16
BEHIND_BYTES = 64 * 1024
"""Text that may wait unwritten before the reader counts as behind."""

HANDSHAKE_SECONDS = 10.0

CLOSE_SECONDS = 1.0
"""How long a closing peer is given to say goodbye."""

PING_EVERY_SECONDS = 20.0

PONG_WITHIN_SECONDS = 60.0
"""Websocket libraries answer a ping by themselves, but only once what was sent before it was read:
long enough for a large history over a slow line."""

TOO_SLOW = 1013
GOING_AWAY = 1001


class WebSocketChannel:
    """A channel over an open websocket, which it owns from then on."""

    def __init__(self, connection: Connection, codec: Codec) -> None:
        self._connection = connection
        self._codec = codec
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._broken = False
        self._arrival = asyncio.Event()
        self._room = asyncio.Event()
        self._writing = asyncio.create_task(self._write())

    @property
    def can_send(self) -> bool:
        return not self._broken

    async def receive(self) -> Frame | None:
        from websockets.exceptions import ConnectionClosed

        while True:
            try:
                message = await self._connection.recv()
            except ConnectionClosed:
                self._break()
                return None
            if isinstance(message, bytes):
                log.warning("ignored a binary frame of %d bytes", len(message))
                continue
            frame = self._codec.decode(message.encode())
            if frame is not None:
                return frame

    def send_now(self, frame: Frame) -> bool:
        if self._broken:
            raise ChannelClosed("the other side has left")
        if self._unsent_bytes >= BEHIND_BYTES:
            return False
        text = self._codec.encode(frame)
        self._unsent.append(text)
        self._unsent_bytes += len(text)
        self._arrival.set()
        return True

    async def send(self, frame: Frame) -> None:
        while not self.send_now(frame):
            self._room.clear()
            await self._room.wait()

    async def close(self, complaint: str | None = None) -> None:
        if complaint is None and not self._broken:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    while self._unsent_bytes:
                        self._room.clear()
                        await self._room.wait()
            except TimeoutError:
                log.info("%d bytes were never read by the other side", self._unsent_bytes)
        self._break()
        self._writing.cancel()
        code = GOING_AWAY if complaint is None else TOO_SLOW
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.close(code, complaint or "")
        except TimeoutError:
            self._connection.transport.abort()

    async def _write(self) -> None:
        from websockets.exceptions import ConnectionClosed

        while not self._broken:
            await self._arrival.wait()
            self._arrival.clear()
            while self._unsent:
                text = self._unsent.popleft()
                try:
                    await self._connection.send(text, text=True)
                except ConnectionClosed:
                    self._break()
                    return
                self._unsent_bytes -= len(text)
                if self._unsent_bytes < BEHIND_BYTES:
                    self._room.set()

    def _break(self) -> None:
        self._broken = True
        self._unsent.clear()
        self._unsent_bytes = 0
        self._arrival.set()
        self._room.set()


class WebSocketListener:
    """Accepts websockets on a bound socket; an async context manager.

    Every client is handed to `serve` as a channel, for as long as that runs.
    """

    def __init__(
        self,
        bound: socket.socket,
        serve: Callable[[Channel], Awaitable[None]],
        credentials: ChecksCredentials | None = None,
    ) -> None:
        self._bound = bound
        self._serve = serve
        self._credentials = credentials
        self._is_socket_file = bound.family == socket.AF_UNIX
        self._connections: WeakSet[ServerConnection] = WeakSet()
        self._server: Server | None = None

    async def __aenter__(self) -> WebSocketListener:
        from websockets.asyncio.server import serve  # 60 ms, of no use to other transports

        self._server = await serve(
            self._talk,
            sock=self._bound,
            create_connection=self._made,  # type: ignore[arg-type]  # any maker will do
            process_request=self._look_at_request,
            compression=None,
            max_size=LARGEST_MESSAGE_BYTES,
            max_queue=FRAMES_READ_AHEAD,
            ping_interval=None if self._is_socket_file else PING_EVERY_SECONDS,
            ping_timeout=PONG_WITHIN_SECONDS,
            open_timeout=HANDSHAKE_SECONDS,
            close_timeout=CLOSE_SECONDS,
            server_header=None,
            logger=_silent_logger(),
        )
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        from websockets.protocol import State

        await stop_accepting(self._server.server)
        for connection in self._connections:
            if connection.protocol.state is State.CONNECTING:
                connection.transport.abort()  # the library would wait long for its handshake
        self._server.close()
        await self._server.wait_closed()

    def _made(self, *given: Any, **named: Any) -> ServerConnection:
        from websockets.asyncio.server import ServerConnection

        connection = ServerConnection(*given, **named)
        self._connections.add(connection)
        return connection

    async def _talk(self, connection: ServerConnection) -> None:
        try:
            await self._serve(WebSocketChannel(connection, server_codec()))
        except Exception:
            log.exception("serving a client failed")

    def _look_at_request(self, connection: ServerConnection, request: Request) -> Response | None:
        if self._is_socket_file and not _is_same_user(connection):
            log.warning("refused a client of another user")
            return connection.respond(HTTPStatus.FORBIDDEN, "")
        answer = answer_to(
            request.method,
            request.path,
            request.headers,
            self._credentials,
            on_a_port=not self._is_socket_file,
        )
        if answer is None:
            return None
        if answer.complaint is not None:
            log.warning("refused a request: %s", answer.complaint)
        return connection.respond(answer.status, answer.text)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on a literal address. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _silent_logger() -> logging.Logger:
    """For the library, which logs headers and messages, and a traceback for each odd request."""
    logger = logging.getLogger(f"{__name__}.library")
    logger.disabled = True
    return logger


def _is_same_user(connection: ServerConnection) -> bool:
    """Whether the other end of a socket file runs as us or as root, as far as can be told."""
    uid = peer_uid(connection.transport.get_extra_info("socket"))
    return uid is None or uid in (0, os.getuid())
