"""A request's body, kept so that it can be sent again: in memory while small, on disk beyond that.

The file has no name, so it is gone with the process, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from app_server.bridges.errors import unreadable_body

IN_MEMORY_BYTES = 1 << 20
PIECE_BYTES = 1 << 16


class HeldBody:
    """What was received; `pieces` can be read any number of times."""

    def __init__(self, file: IO[bytes], size_bytes: int) -> None:
        self._file = file
        self.size_bytes = size_bytes

    async def pieces(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self._file.seek, 0)
        while piece := await asyncio.to_thread(self._file.read, PIECE_BYTES):
            yield piece


@asynccontextmanager
async def held(arriving: AsyncIterable[bytes]) -> AsyncIterator[HeldBody]:
    """Take in the whole body; forgotten on leaving. Raises `BridgeRefusal` for a full disk."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        size_bytes = 0
        async for piece in arriving:
            try:
                await asyncio.to_thread(file.write, piece)
            except OSError as failure:
                raise unreadable_body(failure.strerror or str(failure)) from failure
            size_bytes += len(piece)
        yield HeldBody(file, size_bytes)
