"""A conversation with a thread, as tests hold it: say something, wait for what follows.

Every wait is bounded, and everything heard is kept in `heard`, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from app_server.client.client import Client
from app_server.client.events import Disconnected, Event, Notification, Question
from app_server.protocol.method import ClientMethod, ServerMethod, ServerNotification
from app_server.protocol.thread import THREAD_START, ThreadStartParams, ThreadStartResponse
from app_server.protocol.thread_data import Turn
from app_server.protocol.turn import (
    TURN_COMPLETED,
    TURN_INTERRUPT,
    TURN_START,
    TurnInterruptParams,
    TurnStartParams,
)
from app_server.protocol.user_input import TextUserInput

WAIT_SECONDS = 30.0
PROCESS_WAIT_SECONDS = 30.0

NOISE = {
    "thread/tokenUsage/updated",
    "account/rateLimits/updated",
    "remoteControl/status/changed",
    "thread/started",
    "configWarning",
}


class Conversation:
    """One client talking to one thread."""

    def __init__(self, client: Client, started: ThreadStartResponse | None = None) -> None:
        self.client = client
        self.started = started
        self.thread_id = started.thread.id if started else ""
        self.heard: list[Event] = []
        self._read = 0

    @classmethod
    async def begin(cls, client: Client, **settings: Any) -> Conversation:
        return cls(client, await client.request(THREAD_START, ThreadStartParams(**settings)))

    @property
    def path(self) -> Path:
        assert self.started is not None
        assert self.started.thread.path is not None
        return Path(self.started.thread.path)

    async def say(self, *texts: str, **settings: Any) -> str:
        """Start a turn; returns its id."""
        params = TurnStartParams(
            thread_id=self.thread_id,
            input=[TextUserInput(text=text) for text in texts],
            **settings,
        )
        return (await self.client.request(TURN_START, params)).turn.id

    async def interrupt(self, turn_id: str) -> None:
        params = TurnInterruptParams(thread_id=self.thread_id, turn_id=turn_id)
        await self.client.request(TURN_INTERRUPT, params)

    async def call(self, row: ClientMethod[Any, Any], params: Any) -> Any:
        return await self.client.request(row, params)

    async def until(
        self,
        row: ServerNotification[Any] | ServerMethod[Any, Any],
        where: Callable[[Any], bool] = lambda params: True,
        within_seconds: float = WAIT_SECONDS,
    ) -> Any:
        """The params of the next such event after the last one; for a question the `Question`."""
        async with asyncio.timeout(within_seconds):
            while True:
                while self._read < len(self.heard):
                    event = self.heard[self._read]
                    self._read += 1
                    if isinstance(event, Disconnected) or event.method != row.name:
                        continue
                    if where(event.params):
                        return event if isinstance(event, Question) else event.params
                await self.client.arrival()
                self.heard += self.client.drain()

    async def ended(self, within_seconds: float = WAIT_SECONDS) -> Turn:
        """The turn that ends next."""
        done: Turn = (await self.until(TURN_COMPLETED, within_seconds=within_seconds)).turn
        return done

    def told(self, *, without: set[str] = NOISE) -> list[str]:
        """What was heard so far, one short line each."""
        return [
            _line(event)
            for event in self.heard
            if isinstance(event, Notification | Question) and event.method not in without
        ]

    def params_of(self, row: ServerNotification[Any] | ServerMethod[Any, Any]) -> list[Any]:
        """The params of every such event heard so far."""
        return [
            event.params
            for event in self.heard
            if isinstance(event, Notification | Question) and event.method == row.name
        ]


def _line(event: Notification | Question) -> str:
    params = msgspec.to_builtins(event.params)
    words = [event.method]
    for key in ("item", "turn", "status"):
        value = params.get(key)
        if isinstance(value, dict):
            words += [str(value[k]) for k in ("type", "status") if isinstance(value.get(k), str)]
            words += value.get("activeFlags", [])
    if "delta" in params:
        words.append(repr(params["delta"]))
    return " ".join(words)
