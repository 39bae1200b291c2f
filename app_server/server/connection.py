"""One client: what it said about itself, what it asked, what it is still to be told.

A connection reads frames in order and gives each to the router; everything that goes out goes
through its outbox. It subscribes to threads as `threads.subscriptions.Subscriber`. When its client
leaves, answers it is still owed are finished if somebody may be reading, calls that have not begun
never begin, and what the connection owned is ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from app_server.protocol.experimental import without_experimental_fields
from app_server.protocol.initialize import InitializeCapabilities, InitializeParams
from app_server.protocol.method import ServerMethod, ServerNotification
from app_server.rpc.channel import Channel
from app_server.rpc.frames import NotificationFrame, RequestFrame
from app_server.server.outbox import Outbox

if TYPE_CHECKING:
    from app_server.server.server import Server

log = logging.getLogger(__name__)

T = TypeVar("T")

LAST_ANSWERS_SECONDS = 1.0
"""How long after the last answer a client that has stopped sending is given the next one of those
it is owed: calls that take longer are not worth holding up the exit."""

UNREAD_ANSWERS = 16 * 1024
"""Answers, refusals among them, that may wait for their reader before no more calls are read."""

BREATH_EVERY_CALLS = 64
"""Open calls after which reading pauses for one turn of the loop, so that they get on."""


class Connection:
    """The server's side of one channel."""

    def __init__(self, server: Server, channel: Channel, connection_id: int) -> None:
        self.server = server
        self.connection_id = connection_id
        self.initialized = False
        self.hears_broadcasts = False
        """Set once the notices that follow the handshake were queued."""
        self.experimental = False
        self.client_name = ""
        self.client_version = ""
        self.opted_out: frozenset[str] = frozenset()
        self.open_calls = 0
        self.gate_is_open = True
        """Whether calls that wait in a queue may still begin."""
        self._channel = channel
        self.outbox = Outbox(channel, on_overflow=self._reads_too_slowly)
        self._idle = asyncio.Event()
        self._idle.set()
        self._belongings: dict[Callable[[], Any], Any] = {}
        self._endings: list[Callable[[], Awaitable[None]]] = []

    def introduce(self, params: InitializeParams) -> None:
        """The client has said who it is and what it can take."""
        capabilities = params.capabilities or InitializeCapabilities()
        self.client_name = params.client_info.name
        self.client_version = params.client_info.version
        self.experimental = capabilities.experimental_api
        self.opted_out = frozenset(capabilities.opt_out_notification_methods or ())
        self.initialized = True

    async def serve(self) -> None:
        """Run the connection from its first frame to its end."""
        writer = self.server.tasks.start(self.outbox.write())
        try:
            await self._read()
            if self._channel.can_send:
                await self._finish_answers()
        finally:
            self.gate_is_open = False
            self.hears_broadcasts = False
            self.outbox.close()
            await self._channel.close()
            await self._end_what_it_owns()
            writer.cancel()

    def notify(self, row: ServerNotification[Any], params: Any) -> None:
        """Queue a notification, unless the client asked not to get this one."""
        if row.name not in self.opted_out:
            self.outbox.put(NotificationFrame(row.name, params))

    def ask(self, request_id: int, row: ServerMethod[Any, Any], params: Any) -> None:
        """Queue a question; its answer goes to `Questions.settle`."""
        if not self.experimental:
            params = without_experimental_fields(params)
        self.outbox.put(RequestFrame(request_id, row.name, params))

    def belonging(self, make: Callable[[], T]) -> T:
        """The one thing of this kind that lives as long as the connection, made when first asked
        for. A `close` method it has is awaited when the client has left.
        """
        found = self._belongings.get(make)
        if found is None:
            found = self._belongings[make] = make()
            close = getattr(found, "close", None)
            if close is not None:
                self.when_closed(close)
        return cast(T, found)

    def when_closed(self, ending: Callable[[], Awaitable[None]]) -> None:
        """Run `ending` when the client has left; for what lives no longer than the connection."""
        self._endings.append(ending)

    def call_opened(self) -> None:
        self.open_calls += 1
        self._idle.clear()

    def call_closed(self) -> None:
        self.open_calls -= 1
        if not self.open_calls:
            self._idle.set()

    async def close(self) -> None:
        """End the connection from this side, once what waits to be told was handed over."""
        self.gate_is_open = False
        try:
            async with asyncio.timeout(LAST_ANSWERS_SECONDS):
                await self.outbox.flushed()
                await self._channel.close()
        except TimeoutError:
            self._cut_off("the server is ending")

    def _cut_off(self, complaint: str) -> None:
        self.gate_is_open = False
        self.outbox.close()
        self.server.tasks.start(self._channel.close(complaint))

    def _reads_too_slowly(self) -> None:
        self._cut_off("too many messages are waiting to be read")

    async def _read(self) -> None:
        from app_server.server.router import route

        while (frame := await self._channel.receive()) is not None:
            await route(self, frame)
            frame = None  # a large one is not kept until the next comes
            if self.outbox.waiting_answers >= UNREAD_ANSWERS:
                await self.outbox.flushed()
            if self.open_calls >= BREATH_EVERY_CALLS:
                await asyncio.sleep(0)

    async def _finish_answers(self) -> None:
        owed = self._owed_answers + 1
        while self._owed_answers < owed:
            owed = self._owed_answers
            try:
                async with asyncio.timeout(LAST_ANSWERS_SECONDS):
                    await self._idle.wait()
                    await self.outbox.flushed()
                    return
            except TimeoutError:
                continue
        log.info("connection %s left with %d calls open", self.connection_id, self.open_calls)

    @property
    def _owed_answers(self) -> int:
        return self.open_calls + self.outbox.waiting_answers

    async def _end_what_it_owns(self) -> None:
        for ending in reversed(self._endings):
            try:
                await ending()
            except Exception:
                log.exception("connection %s: something it owned did not end", self.connection_id)
