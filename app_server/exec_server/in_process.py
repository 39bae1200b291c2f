"""A process service inside the caller's own process: the same client, no wire between.

Messages are handed over as values' JSON, since that is what `ExecServerClient` speaks; nothing is
written or read. Starting a command forks, so this belongs into a program without other threads;
and nobody ends what is left if that program is killed. Codex itself launches a service instead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from app_server.exec_server import messages, protocol
from app_server.exec_server.client import ExecServerClient
from app_server.exec_server.connection import Connection
from app_server.exec_server.limits import Limits

CLIENT_NAME = "codex-core"
INITIALIZE_TIMEOUT_SECONDS = 10.0
ENDING_CHECK_SECONDS = 0.005
LONGEST_ENDING_SECONDS = 1.5
WAITING_MESSAGES = 256
"""Messages to the client above which its processes are paused."""


async def connect_in_process(
    limits: Limits | None = None, client_name: str = CLIENT_NAME
) -> ExecServerClient:
    """A client of a service of its own. Belongs to the running event loop."""
    client = ExecServerClient(InProcessTransport(limits))
    await client.initialize(client_name, INITIALIZE_TIMEOUT_SECONDS)
    return client


class InProcessTransport:
    """Both ends of a connection."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(self._loop, self._put, limits)
        self._on_message: Callable[[bytes], None] = lambda line: None
        self._on_end: Callable[[], None] = lambda: None
        self._waiting: deque[bytes] = deque()
        self._is_paused = False
        self._is_open = True
        self._is_behind = False
        self._is_delivering = False
        self._has_room = asyncio.Event()
        self._connection.on_room = self._has_room.set

    def open(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_end = on_end

    async def send(self, line: bytes) -> None:
        """Hand a message to the service; waits while many are not begun yet."""
        while self._is_open and self._connection.is_full:
            self._has_room.clear()
            await self._has_room.wait()
        if not self._is_open:
            return
        try:
            self._connection.receive(messages.read_message(line))
        except (ValueError, protocol.ProtocolViolation):
            self._connection.handler.close()
            self._is_open = False
            self._on_end()

    def pause(self) -> None:
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        self._deliver_soon()

    async def close(self) -> None:
        """End what runs. Bounded; what outlives its grace goes on to be ended by its keeper."""
        if not self._is_open:
            return
        self._is_open = False
        self._has_room.set()
        handler = self._connection.handler
        handler.close()
        for _ in range(round(LONGEST_ENDING_SECONDS / ENDING_CHECK_SECONDS)):
            if handler.has_ended:
                return
            await asyncio.sleep(ENDING_CHECK_SECONDS)

    def _put(self, line: bytes) -> None:
        self._waiting.append(line)
        if not self._is_behind and len(self._waiting) > WAITING_MESSAGES:
            self._is_behind = True
            self._connection.handler.pause_output()
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        if not self._is_delivering:
            self._is_delivering = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._is_delivering = False
        while self._waiting and not self._is_paused and self._is_open:
            self._on_message(self._waiting.popleft())
        if self._is_behind and not self._waiting:
            self._is_behind = False
            self._connection.handler.resume_output()
