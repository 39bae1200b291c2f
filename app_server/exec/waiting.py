"""Waiting for something up to a time that can be made to stand still."""

from __future__ import annotations

import asyncio
import contextlib

from app_server import clock


class StoppableClock:
    """Time that does not pass while it is paused. Pauses nest."""

    def __init__(self) -> None:
        self._pauses = 0
        self._changed = asyncio.Event()

    def pause(self) -> None:
        self._pauses += 1
        self._tell()

    def resume(self) -> None:
        self._pauses -= 1
        self._tell()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, at most for so long; whether it came."""
        left = seconds
        while not event.is_set() and left > 0:
            began_at, is_paused, changed = clock.monotonic(), self._pauses > 0, self._changed
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if is_paused else left):
                    await _either(event, changed)
            if not is_paused:
                left -= clock.monotonic() - began_at
        return event.is_set()

    def _tell(self) -> None:
        """Wake those who wait, so that they reckon anew."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    tasks = {asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
