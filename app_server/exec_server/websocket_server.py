"""The process service behind a websocket listener: every connection is a client of its own.

On loopback anybody on this machine is a client, unless credentials are configured; elsewhere they
must be. Offers of compression are declined.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import deque
from typing import TYPE_CHECKING

from app_server.exec_server import messages, protocol
from app_server.exec_server.connection import Connection
from app_server.exec_server.gate import answer_to
from app_server.exec_server.guardian import guarded
from app_server.exec_server.handler import ExecHandler
from app_server.exec_server.limits import Limits
from app_server.exec_server.listen import WebSocketAddress
from app_server.exec_server.sessions import Sessions
from app_server.rpc.ws_gate import ChecksCredentials

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024
UNSENT_HIGH_BYTES = 4 * 1024 * 1024
UNSENT_LOW_BYTES = 1024 * 1024
CLOSE_TIMEOUT_SECONDS = 1.0
ENDING_CHECK_SECONDS = 0.005
LONGEST_ENDING_SECONDS = 1.5


def serve_websocket(
    address: WebSocketAddress,
    limits: Limits | None = None,
    credentials: ChecksCredentials | None = None,
) -> int:
    """Listen until a signal asks to end; returns the exit status. Forks at once."""
    if credentials is None and not address.is_loopback:
        sys.stderr.write(
            f"codex-exec-server: refusing to listen on {address.url} without credentials: whoever "
            "reaches it can run commands. Use a loopback address, or `--ws-auth capability-token` "
            "or `--ws-auth signed-bearer-token`.\n"
        )
        return 1
    return guarded(lambda: asyncio.run(_Listener(limits, credentials).run(address)))


class _Listener:
    def __init__(self, limits: Limits | None, credentials: ChecksCredentials | None) -> None:
        self._limits = limits
        self._credentials = credentials
        self._sessions: Sessions | None = None

    async def run(self, address: WebSocketAddress) -> int:
        from websockets.asyncio.server import serve  # some 60 ms, and of no use to stdio

        asked_to_end = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._sessions = sessions = Sessions(loop, self._limits)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, asked_to_end.set)
        try:
            server = await serve(
                self._converse,
                address.host,
                address.port,
                process_request=self._look_at_request,
                compression=None,
                max_size=LARGEST_MESSAGE_BYTES,
                close_timeout=CLOSE_TIMEOUT_SECONDS,
            )
        except OSError as error:
            sys.stderr.write(f"codex-exec-server: {error.strerror or error}\n")
            return 1
        sys.stderr.write(f"codex-exec-server listening on {_url(server)}\n")
        sys.stderr.flush()
        await asked_to_end.wait()
        server.close()
        await server.wait_closed()
        sessions.end_all()
        await _ended(sessions)
        return 0

    def _look_at_request(self, socket: ServerConnection, request: Request) -> Response | None:
        answer = answer_to(request.path, request.headers, self._credentials)
        return None if answer is None else socket.respond(*answer)

    async def _converse(self, socket: ServerConnection) -> None:
        """One client, from its upgrade to its end."""
        outbox = _Outbox(socket)
        connection = Connection(asyncio.get_running_loop(), outbox.put, sessions=self._sessions)
        outbox.handler = connection.handler
        sending = asyncio.ensure_future(outbox.run())
        try:
            await _receive(socket, connection)
        finally:
            sending.cancel()
            connection.handler.leave()


async def _ended(sessions: Sessions) -> None:
    for _ in range(round(LONGEST_ENDING_SECONDS / ENDING_CHECK_SECONDS)):
        if sessions.has_ended:
            return
        await asyncio.sleep(ENDING_CHECK_SECONDS)


async def _receive(socket: ServerConnection, connection: Connection) -> None:
    from websockets.exceptions import ConnectionClosed

    label = f"exec-server websocket {_peer(socket)}"
    has_room = asyncio.Event()
    connection.on_room = has_room.set
    try:
        async for text in socket:
            data = text.encode() if isinstance(text, str) else text
            try:
                try:
                    message = messages.read_message(data)
                except ValueError as error:
                    connection.receive_garbage(
                        f"failed to parse websocket JSON-RPC message from {label}: {error}"
                    )
                    continue
                connection.receive(message)
            except protocol.ProtocolViolation as violation:
                _note(str(violation))
                return
            if connection.is_full:
                has_room.clear()
                await has_room.wait()
    except ConnectionClosed as error:
        _note(f"failed to read websocket JSON-RPC message from {label}: {error}")


class _Outbox:
    """What waits to be sent to one client; a client that is behind pauses its processes."""

    def __init__(self, socket: ServerConnection) -> None:
        self.handler: ExecHandler | None = None
        self._socket = socket
        self._lines: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._is_behind = False
        self._has_lines = asyncio.Event()

    def put(self, line: bytes) -> None:
        self._lines.append(line)
        self._unsent_bytes += len(line)
        self._has_lines.set()
        if not self._is_behind and self._unsent_bytes > UNSENT_HIGH_BYTES:
            self._is_behind = True
            if self.handler is not None:
                self.handler.pause_output()

    async def run(self) -> None:
        """Send what comes, until the connection ends."""
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                while self._lines:
                    line = self._lines.popleft()
                    await self._socket.send(line[:-1], text=True)
                    self._unsent_bytes -= len(line)
                    if self._is_behind and self._unsent_bytes < UNSENT_LOW_BYTES:
                        self._is_behind = False
                        if self.handler is not None:
                            self.handler.resume_output()
                self._has_lines.clear()
                await self._has_lines.wait()
        except ConnectionClosed:
            pass  # the receiving half notices it, too, and ends the conversation


def _url(server: Server) -> str:
    host, port = next(iter(server.sockets)).getsockname()[:2]
    return WebSocketAddress(host, port).url


def _peer(socket: ServerConnection) -> str:
    address = socket.remote_address
    return f"{address[0]}:{address[1]}" if address else "?"


def _note(text: str) -> None:
    sys.stderr.write(f"codex-exec-server: {text}\n")
