"""A small HTTP listener on this machine's loopback address, for whoever has pages to answer there.

    async with LoopbackListener(app, bind_loopback()) as listener:
        show(listener.base_url)

`app` is any ASGI application; the listener speaks HTTP/1.1 for it on 127.0.0.1 and nowhere else.
It handles no signal, keeps no access log, adds no header, and runs no timer while nobody asks.
Leaving stops accepting, closes idle connections, lets running requests finish within the grace
given, and cuts what is left. Knows nothing of what is served.

Importing this costs 60 ms for uvicorn: do it where a listener is opened, not before.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from types import TracebackType
from typing import TYPE_CHECKING, Any

from h11 import IDLE
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from app_server.accepting import stop_accepting

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

HOST = "127.0.0.1"

HEAD_SECONDS = 30.0
"""How long a client may take to send the head of a request; loopback itself takes none."""

IDLE_SECONDS = 15
"""How long a connection stays open for a next request."""

GRACE_SECONDS = 5.0
"""How long running requests may take to finish once the listener ends."""

MAX_CONNECTIONS = 256
"""More are answered 503: whoever opens so many on one machine has lost count."""


def bind_loopback(port: int = 0) -> socket.socket:
    """A socket on 127.0.0.1, at a free port for 0. Raises `OSError`, as when the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


class LoopbackListener:
    """An async context manager that serves `app` on a bound socket, which it then owns."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self._bound = bound
        self._grace_seconds = grace_seconds
        self.port: int = bound.getsockname()[1]
        self._app = app
        self._config = Config(
            self._answer,
            http=_Connection,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._server = Server(self._config)

    @property
    def base_url(self) -> str:
        """Without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> LoopbackListener:
        try:
            self._config.load()
            self._server.lifespan = self._config.lifespan_class(self._config)
            # `serve` would take over the signals of the process and tick ten times a second
            await self._server.startup(sockets=[self._bound])
        except BaseException:
            self._bound.close()
            raise
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*map(stop_accepting, self._server.servers))
        state = self._server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        try:
            if state.tasks:
                await asyncio.wait(state.tasks, timeout=self._grace_seconds)
        finally:
            left = list(state.tasks)
            for connection in list(state.connections):
                # what was answered whole may still be on its way out
                connection.transport.abort() if left else connection.transport.close()
            await asyncio.sleep(0)  # the cut connections must know it before their requests end
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            log.info("a request was cut as the listener ended")


class _Connection(H11Protocol):
    """One client; let go if the head of its request does not come."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.access_log = False
        self._waiting_for_head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_watching()

    def _watch_head(self) -> None:
        if self.conn.their_state is not IDLE:
            self._stop_watching()
        elif self._waiting_for_head is None:
            self._waiting_for_head = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_watching(self) -> None:
        if self._waiting_for_head is not None:
            self._waiting_for_head.cancel()
            self._waiting_for_head = None
