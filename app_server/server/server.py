"""The server: owns services and threads, and serves any number of connections.

An async context manager: entering costs nothing, leaving ends connections, threads and services,
each within a bounded time. Lives on one event loop; to run it on a thread of its own see `embed`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from app_server.protocol.method import ServerNotification
from app_server.rpc.channel import Channel
from app_server.server.connection import Connection
from app_server.server.identity import host_name
from app_server.server.options import ServerOptions
from app_server.server.ordering import Queues
from app_server.server.services import Services
from app_server.server.tasks import Tasks

if TYPE_CHECKING:
    from app_server.auth.host_tokens import HostTokens
    from app_server.server.questions import Questions
    from app_server.threads.manager import ThreadManager

log = logging.getLogger(__name__)

THREADS_CLOSE_SECONDS = 1.5
"""Running turns get this long to end their commands and write their history."""

REST_CLOSE_SECONDS = 0.5
"""Connections and services hold nothing that is lost."""


class Server:
    """One app-server."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.services = Services(options, self._ask_host, self._other_sign_in)
        self.tasks = Tasks()
        self.queues = Queues(self.tasks.start)
        self.broadcast_listeners: list[Callable[[ServerNotification[Any], Any], None]] = []
        """Called after everybody was told; they must not block."""
        self._connections: dict[int, Connection] = {}
        self._connection_ids = itertools.count()
        self._warm_up: asyncio.Task[None] | None = None

    @cached_property
    def questions(self) -> Questions:
        from app_server.server.questions import Questions

        return Questions()

    @cached_property
    def threads(self) -> ThreadManager:
        from app_server.threads.manager import ThreadManager

        return ThreadManager(self.services, questions=self.questions, broadcast=self.broadcast)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def connections(self) -> list[Connection]:
        """Those being served, oldest first."""
        return list(self._connections.values())

    @property
    def running_turns(self) -> int:
        """How many turns run at this moment."""
        return self.threads.running_turns if "threads" in self.__dict__ else 0

    async def serve(self, channel: Channel) -> None:
        """Serve one client until it leaves or the server closes."""
        connection = Connection(self, channel, next(self._connection_ids))
        self._connections[connection.connection_id] = connection
        try:
            await connection.serve()
        finally:
            del self._connections[connection.connection_id]
            if "questions" in self.__dict__:
                self.questions.connection_closed(connection.connection_id)
            if "threads" in self.__dict__:
                self.threads.connection_closed(connection)

    def broadcast(self, row: ServerNotification[Any], params: Any) -> None:
        """Tell every client that has finished its handshake."""
        for connection in self.connections:
            if connection.hears_broadcasts:
                connection.notify(row, params)
        for listener in list(self.broadcast_listeners):
            listener(row, params)

    async def _ask_host(self, account_id: str | None) -> HostTokens:
        from app_server.server.lent_tokens import TokenLender

        return await TokenLender(self)(account_id)

    def _other_sign_in(self) -> None:
        from app_server.server.handlers.login import tell_who_is_signed_in

        tell_who_is_signed_in(self)

    async def welcome(self, connection: Connection) -> None:
        """What a client hears first, once it has introduced itself."""
        await asyncio.sleep(0)  # the answer leaves before anything more is loaded
        from app_server.protocol.remote_control import (
            REMOTE_CONTROL_STATUS_CHANGED,
            RemoteControlStatusChangedNotification,
        )
        from app_server.server.startup import config_warnings

        for row, warning in await config_warnings(self):
            connection.notify(row, warning)
        status = RemoteControlStatusChangedNotification(
            status="disabled",
            server_name=host_name(),
            installation_id=self.services.installation_id,
        )
        connection.notify(REMOTE_CONTROL_STATUS_CHANGED, status)
        connection.hears_broadcasts = True
        if self._warm_up is None:
            from app_server.server.startup import warm_up

            self._warm_up = self.tasks.start(warm_up(self))

    async def close(self) -> None:
        """End everything; safe to call twice."""
        if "threads" in self.__dict__:
            with suppress(TimeoutError):
                async with asyncio.timeout(THREADS_CLOSE_SECONDS):
                    await self.threads.close()
        await asyncio.gather(*(connection.close() for connection in self.connections))
        await self.services.finish_renewal()
        await self.tasks.close(REST_CLOSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(REST_CLOSE_SECONDS):
                await self.services.close()
