"""Running the calls of one model answer: together where allowed, answered in call order.

A call starts the moment it is complete, while the rest of the answer is still being read. Calls of
tools that only look share a lock; any other call has it alone. The lock is fair: calls get it in
the order they were made. Whatever goes wrong inside a tool becomes text for the model.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.agent.history import output_for
from app_server.agent.tools.registry import ToolRegistry
from app_server.agent.tools.spec import LOCAL_SHELL, ToolCall, ToolError
from app_server.protocol.response_item import (
    CustomToolCallResponseItem,
    FunctionCallOutputBody,
    FunctionCallResponseItem,
    LocalShellCallResponseItem,
    ResponseItem,
)

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)


class ToolDispatch:
    """The calls of one answer. Their tasks belong to `group`."""

    def __init__(self, turn: Turn, registry: ToolRegistry, group: asyncio.TaskGroup) -> None:
        self._turn = turn
        self._registry = registry
        self._group = group
        self._lock = SharedLock()
        self._running: deque[RunningCall] = deque()

    def __bool__(self) -> bool:
        return bool(self._running)

    def start(self, item: ResponseItem) -> None:
        """Begin the call `item` makes."""
        place = self._lock.queue(shared=self._registry.runs_in_parallel(item))
        task = self._group.create_task(self._run(item, place))
        self._running.append(RunningCall(item, task))

    async def results(self) -> AsyncIterator[ResponseItem]:
        """The outputs in call order, each as soon as it and all before it are there."""
        while self._running:
            call = self._running[0]
            body = await call.task
            self._running.popleft()
            output = output_for(call.item, body)
            if output is not None:
                yield output

    def abandon(self) -> list[ResponseItem]:
        """Outputs for every call whose result was not taken yet: the real one or "aborted"."""
        outputs: list[ResponseItem] = []
        for call in self._running:
            output = output_for(call.item, call.body_when_abandoned())
            if output is not None:
                outputs.append(output)
        self._running.clear()
        return outputs

    async def _run(self, item: ResponseItem, place: Place) -> FunctionCallOutputBody:
        call = as_call(item)
        if call is None:
            self._lock.release(place)
            return "unsupported call"
        async with self._lock.hold(place):
            try:
                return await self._registry.run(call, self._turn)
            except ToolError as error:
                return error.told
            except Exception:
                log.exception("turn %s: tool %s failed", self._turn.id, call.name)
                return f"{call.name} failed: internal error"


class RunningCall:
    """A call and the task that works on it."""

    def __init__(self, item: ResponseItem, task: asyncio.Task[FunctionCallOutputBody]) -> None:
        self.item = item
        self.task = task
        self._began = clock.monotonic()

    def body_when_abandoned(self) -> FunctionCallOutputBody:
        if self.task.done() and not self.task.cancelled() and self.task.exception() is None:
            return self.task.result()
        return f"aborted by user after {clock.monotonic() - self._began:.1f}s"


def as_call(item: ResponseItem) -> ToolCall | None:
    """The call an item makes; None for items that call nothing of ours."""
    match item:
        case FunctionCallResponseItem():
            return ToolCall(call_id=item.call_id, name=item.name, payload=item.arguments)
        case CustomToolCallResponseItem():
            return ToolCall(call_id=item.call_id, name=item.name, payload=item.input)
        case LocalShellCallResponseItem(call_id=str() as call_id, action=action):
            wishes = {
                "command": action.command,
                "timeout_ms": action.timeout_ms,
                "workdir": action.working_directory,
            }
            payload = msgspec.json.encode(wishes).decode()
            return ToolCall(call_id=call_id, name=LOCAL_SHELL, payload=payload)
        case _:
            return None


class Place:
    """A place in the lock's queue."""

    def __init__(self, shared: bool) -> None:
        self.shared = shared
        self.granted = asyncio.Event()


class SharedLock:
    """Many shared holders or one exclusive holder, first come first served."""

    def __init__(self) -> None:
        self._queue: deque[Place] = deque()
        self._holders: list[Place] = []

    def queue(self, *, shared: bool) -> Place:
        """Take a place now; `hold` waits for its turn."""
        place = Place(shared)
        self._queue.append(place)
        self._grant()
        return place

    @asynccontextmanager
    async def hold(self, place: Place) -> AsyncIterator[None]:
        try:
            await place.granted.wait()
            yield
        finally:
            self.release(place)

    def release(self, place: Place) -> None:
        """Give up the lock, or a place that was never reached."""
        if place in self._holders:
            self._holders.remove(place)
        elif place in self._queue:
            self._queue.remove(place)
        self._grant()

    def _grant(self) -> None:
        while self._queue:
            first = self._queue[0]
            alone = not self._holders
            if not (alone or (first.shared and all(holder.shared for holder in self._holders))):
                return
            self._holders.append(self._queue.popleft())
            first.granted.set()
