"""The interface's clock: one value to freeze in tests."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any


class Clock:
    """Unix seconds for what is shown and kept, monotonic seconds for waiting."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[Any]:
        """A bound for a wait: `TimeoutError` where it takes longer."""
        return asyncio.timeout(seconds)


class FrozenClock(Clock):
    """Stands still until told otherwise; no wait takes too long meanwhile."""

    def __init__(self, at: float = 1_770_000_000.0) -> None:
        self._at = at
        self._waits: list[tuple[float, asyncio.Timeout]] = []
        """Those under way, by when they end."""

    def now(self) -> float:
        return self._at

    def monotonic(self) -> float:
        return self._at

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as bound:
            wait = (self._at + seconds, bound)
            self._waits.append(wait)
            try:
                yield
            finally:
                self._waits.remove(wait)

    def go_on(self, seconds: float) -> None:
        """Let time go by; waits that take longer end."""
        self._at += seconds
        for ends_at, bound in self._waits:
            if ends_at <= self._at:
                bound.reschedule(0)
