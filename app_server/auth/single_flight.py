"""Work that several callers want at once is done once, and all of them get its outcome.

The work belongs to nobody who waits for it: a caller that is cancelled leaves it running, because
a renewal that the service has already answered must not be thrown away half-way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class SingleFlight:
    """One piece of work that never runs twice at the same time."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._flight: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Wait for the work that is going on, or begin it. Raises what the work raises."""
        flight = self._flight
        if flight is None:
            flight = self._flight = asyncio.get_running_loop().create_task(self._work())
            flight.add_done_callback(self._landed)
        await asyncio.shield(flight)

    async def finish(self, limit_seconds: float) -> None:
        """Let what is going on come to its end, for as long as that may take."""
        flight = self._flight
        if flight is None:
            return
        await asyncio.wait({flight}, timeout=limit_seconds)
        flight.cancel()

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # nobody may be waiting any more; then nobody is to be warned
