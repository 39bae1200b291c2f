"""Searches that follow the typing: one index per session, the newest query wins.

For each query that is not overtaken by a newer one the caller hears `on_updated` once and then
`on_completed`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from app_server.protocol.file_search import FuzzyFileSearchResult
from app_server.search.find import SEARCHING, FileIndex

OnUpdated = Callable[[str, list[FuzzyFileSearchResult]], None]
OnCompleted = Callable[[], None]


class SearchSession:
    """One session; a context manager that leaves nothing running."""

    def __init__(
        self, roots: Sequence[str], on_updated: OnUpdated, on_completed: OnCompleted
    ) -> None:
        self._roots = list(roots)
        self._on_updated = on_updated
        self._on_completed = on_completed
        self._index: FileIndex | None = None
        self._indexing = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None
        self._overtaken = threading.Event()

    def update(self, query: str) -> None:
        """Search for something else; an answer still on its way is dropped."""
        self._overtaken.set()
        self._overtaken = overtaken = threading.Event()
        earlier = self._running
        self._running = asyncio.create_task(self._search(query, overtaken, earlier))

    async def close(self) -> None:
        """Stop; nothing is heard afterwards."""
        self._overtaken.set()
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def __aenter__(self) -> SearchSession:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _search(
        self, query: str, overtaken: threading.Event, earlier: asyncio.Task[None] | None
    ) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        if overtaken.is_set():
            return
        async with self._indexing:
            if self._index is None:
                self._index = await SEARCHING.run(lambda: FileIndex(self._roots))
        index = self._index
        files = await SEARCHING.run(lambda: index.search(query, is_cancelled=overtaken.is_set))
        if overtaken.is_set():
            return
        self._on_updated(query, files)
        self._on_completed()
