"""A client whose connection comes back: dials again after a loss and takes up its threads.

The same calls as `Client`, and two more events: `Reconnecting` before each wait, `Reconnected` once
the handshake is done and every thread heard before is resumed; what the threads look like by then
comes with it, and their questions are asked again. A call that was under way fails with
`ConnectionLost`, since nobody knows whether it arrived; one made meanwhile waits.
`Disconnected` comes when it is given up: after `GIVE_UP_SECONDS`, or at once when refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from app_server import clock
from app_server.client.client import Client
from app_server.client.errors import CannotConnect
from app_server.client.events import (
    Disconnected,
    Event,
    Notification,
    Reconnected,
    Reconnecting,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import ClientInfo, InitializeCapabilities, InitializeResponse
from app_server.protocol.method import ClientMethod
from app_server.protocol.thread import (
    THREAD_RESUME,
    OpenedThread,
    ThreadClosedNotification,
    ThreadResumeParams,
    ThreadResumeResponse,
    ThreadUnsubscribeParams,
)
from app_server.rpc.backoff import delays
from app_server.rpc.channel import Channel
from app_server.rpc.frames import RequestId
from app_server.rpc.peer import ConnectionLost

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

GIVE_UP_SECONDS = 600.0
"""A server that has not come back by then is not restarting."""

HANDSHAKE_SECONDS = 30.0
"""For dialling, the handshake and taking up the threads, each time."""

Dial = Callable[[], Awaitable[Channel]]
"""Opens a connection. Raises `CannotConnect`."""


class ReconnectingClient:
    """An async context manager; entering dials for the first time and raises what that raises."""

    def __init__(
        self, dial: Dial, info: ClientInfo, capabilities: InitializeCapabilities | None = None
    ) -> None:
        self._dial = dial
        self._info = info
        self._capabilities = capabilities
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._threads: dict[str, bool] = {}
        """Those that are heard, and whether their actions are to be kept."""
        self._events: deque[Event] = deque()
        self._arrival = asyncio.Event()
        self._connected = asyncio.Event()
        """Set while there is a connection, and for good once there will be none."""
        self._living: asyncio.Task[None] | None = None
        self._over: Disconnected | None = None
        self.server: InitializeResponse | None = None
        """What the server said in the latest handshake."""

    async def __aenter__(self) -> ReconnectingClient:
        client, stack = await self._open()
        self._take_over(client, stack)
        self._living = asyncio.create_task(self._live(), name="reconnecting client")
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._living is not None:
            self._living.cancel()
            await asyncio.wait([self._living])
        await self._stack.aclose()
        self._end("closed by the client")

    async def request(self, row: ClientMethod[P, R], params: P | None = None) -> R:
        """Call a method, once there is a connection. Raises `RpcError`, `ConnectionLost`."""
        client = await self._current()
        result = await client.request(row, params)
        self._note(params, result)
        return result

    async def answer(self, question_id: RequestId, result: msgspec.Struct) -> None:
        """Answer a `Question`; the server knows it by the same id after a loss."""
        await (await self._current()).answer(question_id, result)

    async def refuse(self, question_id: RequestId, error: RpcError) -> None:
        await (await self._current()).refuse(question_id, error)

    async def arrival(self) -> None:
        """Wait until at least one event waits to be read."""
        while not self._events:
            self._arrival.clear()
            await self._arrival.wait()

    def drain(self) -> list[Event]:
        """Everything that waits, oldest first."""
        events = list(self._events)
        self._events.clear()
        return events

    async def _current(self) -> Client:
        await self._connected.wait()
        if self._over is not None or self._client is None:
            raise ConnectionLost(self._over.reason if self._over else "not connected")
        return self._client

    async def _live(self) -> None:
        try:
            while True:
                reason = await self._hear()
                self._connected.clear()
                await self._stack.aclose()
                await self._come_back(reason)
        except (CannotConnect, RpcError) as error:
            self._end(str(error))
        except Exception as error:
            log.exception("coming back to the server failed")
            self._end(f"coming back to the server failed: {error}")

    async def _hear(self) -> str:
        """Pass events on until the connection is lost; why it was."""
        assert self._client is not None
        while True:
            await self._client.arrival()
            for event in self._client.drain():
                if isinstance(event, Disconnected):
                    return event.reason
                if isinstance(event, Notification) and isinstance(
                    event.params, ThreadClosedNotification
                ):
                    self._threads.pop(event.params.thread_id, None)
                self._tell(event)

    async def _come_back(self, reason: str) -> None:
        """Raises what keeps it from ever succeeding."""
        lost_at = clock.monotonic()
        for attempt, seconds in enumerate(delays(), start=1):
            log.info("connection lost (%s): attempt %d in %.1f s", reason, attempt, seconds)
            self._tell(Reconnecting(reason=reason, attempt=attempt, in_seconds=seconds))
            await asyncio.sleep(seconds)
            try:
                client, stack = await self._open()
                news = await self._take_up(client, stack, reason)
            except CannotConnect as error:
                if error.is_refused or clock.monotonic() - lost_at > GIVE_UP_SECONDS:
                    raise
                reason = error.reason
            except ConnectionLost as error:
                reason = error.message
            else:
                self._tell(news)
                self._take_over(client, stack)
                return

    async def _open(self) -> tuple[Client, AsyncExitStack]:
        """A client past its handshake, and what closes it."""
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(HANDSHAKE_SECONDS):
                    client = await stack.enter_async_context(Client(await self._dial()))
                    self.server = await client.initialize(self._info, self._capabilities)
            except TimeoutError:
                reason = f"no handshake within {HANDSHAKE_SECONDS:g} s"
                raise CannotConnect("the server", reason) from None
            return client, stack.pop_all()

    async def _take_up(self, client: Client, stack: AsyncExitStack, reason: str) -> Reconnected:
        """Resume every thread that was heard; those that are gone are named with why."""
        resumed: list[ThreadResumeResponse] = []
        lost: dict[str, str] = {}
        try:
            for thread_id, keeps_actions in list(self._threads.items()):
                params = ThreadResumeParams(
                    thread_id=thread_id, persist_extended_history=keeps_actions
                )
                try:
                    resumed.append(await client.request(THREAD_RESUME, params))
                except ConnectionLost:
                    raise
                except RpcError as error:
                    lost[thread_id] = error.message
                    del self._threads[thread_id]
        except BaseException:
            await stack.aclose()
            raise
        return Reconnected(reason=reason, resumed=tuple(resumed), lost=lost)

    def _take_over(self, client: Client, stack: AsyncExitStack) -> None:
        self._client, self._stack = client, stack
        self._connected.set()

    def _note(self, params: Any, result: Any) -> None:
        """Remember which threads this client hears."""
        if isinstance(result, OpenedThread):
            keeps_actions = getattr(params, "persist_extended_history", False)
            self._threads[result.thread.id] = keeps_actions
        elif isinstance(params, ThreadUnsubscribeParams):
            self._threads.pop(params.thread_id, None)

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        self._arrival.set()

    def _end(self, reason: str) -> None:
        if self._over is None:
            self._over = Disconnected(reason)
            self._tell(self._over)
            self._connected.set()
