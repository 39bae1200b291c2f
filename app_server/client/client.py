"""A client of an app-server, over any channel.

    async with Client(channel) as client:
        await client.initialize(ClientInfo(name="mine", version="1"))
        started = await client.request(THREAD_START, ThreadStartParams(cwd="/work"))
        async for event in client.events(): ...

Calls are typed by their rows. Events come in the order the server sent them and are kept until
read. While very many wait and no answer is awaited, reading pauses, so that the pressure is the
server's, which merges what it can; nothing is dropped here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, TypeVar, cast

import msgspec

from app_server.client.events import Disconnected, Event, Notification, Question
from app_server.protocol.decode import decode_result
from app_server.protocol.errors import InternalError, RpcError
from app_server.protocol.initialize import (
    INITIALIZE,
    INITIALIZED,
    ClientInfo,
    InitializeCapabilities,
    InitializeParams,
    InitializeResponse,
)
from app_server.protocol.method import ClientMethod, ClientNotification
from app_server.rpc.channel import Channel, ChannelClosed
from app_server.rpc.frames import (
    ErrorFrame,
    Frame,
    NotificationFrame,
    RequestFrame,
    RequestId,
    ResultFrame,
    UnreadableRequest,
)
from app_server.rpc.peer import ConnectionLost, Peer

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

EVENTS_BEFORE_PAUSE = 8192
FRAMES_BEFORE_BREATH = 128
"""Frames taken in a row before other tasks of the loop get a turn."""


class Client:
    """One connection, from the client's side. Lives on the loop it was entered on."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._peer: Peer[asyncio.Future[Any]] = Peer(first_id=1)
        self._events: deque[Event] = deque()
        self._arrival = asyncio.Event()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._disconnected: Disconnected | None = None
        self._sending = asyncio.Lock()
        self._waiting_to_send = 0

    async def __aenter__(self) -> Client:
        self._reader = asyncio.create_task(self._read(), name="client reader")
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._channel.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        self._lost("closed by the client")

    async def initialize(
        self, info: ClientInfo, capabilities: InitializeCapabilities | None = None
    ) -> InitializeResponse:
        """The handshake; before it every other call is refused."""
        params = InitializeParams(client_info=info, capabilities=capabilities)
        response = await self.request(INITIALIZE, params)
        await self.notify(INITIALIZED)
        return response

    async def request(self, row: ClientMethod[P, R], params: P | None = None) -> R:
        """Call a method and wait for its result.

        Raises the server's `RpcError`, `ConnectionLost` when there is no server any more. A
        cancelled call goes on at the server; its answer is dropped.
        """
        if self._disconnected is not None:
            raise ConnectionLost(self._disconnected.reason)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        frame = self._peer.call(row, params, answer)
        self._room.set()
        try:
            await self._send(frame)
            return cast(R, await answer)
        finally:
            self._peer.cancel(frame.id)

    async def notify(self, row: ClientNotification[P], params: P | None = None) -> None:
        await self._send(NotificationFrame(row.name, params))

    async def answer(self, question_id: RequestId, result: msgspec.Struct) -> None:
        """Answer a `Question` with the result type of its row."""
        await self._send(ResultFrame(question_id, result))

    async def refuse(self, question_id: RequestId, error: RpcError) -> None:
        """Answer a `Question` with an error, which counts as declining."""
        await self._send(ErrorFrame(question_id, error))

    async def events(self) -> AsyncIterator[Event]:
        """Events as they come; ends after `Disconnected`."""
        while True:
            await self.arrival()
            event = self._take_one()
            yield event
            if isinstance(event, Disconnected):
                return

    async def arrival(self) -> None:
        """Wait until at least one event waits to be read."""
        while not self._events:
            self._arrival.clear()
            await self._arrival.wait()

    def drain(self) -> list[Event]:
        """Everything that waits, oldest first, without waiting for more."""
        events = list(self._events)
        self._events.clear()
        self._room.set()
        return events

    def _take_one(self) -> Event:
        self._room.set()
        return self._events.popleft()

    async def _send(self, frame: Frame) -> None:
        try:
            if not self._waiting_to_send and self._channel.send_now(frame):
                return
            self._waiting_to_send += 1
            try:
                async with self._sending:  # in the order of the calls, one at a time
                    await self._channel.send(frame)
            finally:
                self._waiting_to_send -= 1
        except ChannelClosed as error:
            raise ConnectionLost(error.reason) from error

    async def _read(self) -> None:
        reason = "the server closed the connection"
        try:
            taken = 0
            while (frame := await self._channel.receive()) is not None:
                await self._take(frame)
                taken += 1
                if taken % FRAMES_BEFORE_BREATH == 0:
                    await asyncio.sleep(0)
                while len(self._events) >= EVENTS_BEFORE_PAUSE and not len(self._peer):
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            log.exception("reading from the server failed")
            reason = f"reading from the server failed: {error}"
        finally:
            self._lost(reason)

    async def _take(self, frame: Frame) -> None:
        match frame:
            case NotificationFrame():
                self._tell(Notification(frame.method, cast("msgspec.Struct", frame.params)))
            case ResultFrame() | ErrorFrame():
                self._settle(frame)
            case RequestFrame():
                self._tell(Question(frame.id, frame.method, cast("msgspec.Struct", frame.params)))
            case UnreadableRequest():
                log.warning("could not read a question of the server: %s", frame.error)
                await self._send(ErrorFrame(frame.id, frame.error))

    def _settle(self, reply: ResultFrame | ErrorFrame) -> None:
        call = self._peer.settle(reply)
        if call is None or call.waiter.done():
            log.debug("a late reply to call %r", reply.id)
            return
        if isinstance(reply, ErrorFrame):
            call.waiter.set_exception(reply.error)
            return
        result = reply.result
        if isinstance(result, msgspec.Raw):
            try:
                result = decode_result(call.row, result)
            except RpcError as error:
                call.waiter.set_exception(
                    InternalError(f"{call.row.name} response decode error: {error.message}")
                )
                return
        call.waiter.set_result(result)

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        self._arrival.set()

    def _lost(self, reason: str) -> None:
        if self._disconnected is not None:
            return
        self._disconnected = Disconnected(reason)
        for call in self._peer.close():
            if not call.waiter.done():
                call.waiter.set_exception(ConnectionLost(reason))
        self._tell(self._disconnected)
