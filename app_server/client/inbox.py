"""What waits for one reader: events in order, growing texts joined while the reader is behind.

One reader at a time. While very many wait, a further piece of the same text is added to the last
one instead of lying behind it; nothing is dropped. Closing lets the reader finish what waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

WAITING_BEFORE_JOINING = 1024


class Inbox(Generic[T]):
    """Of protocol values and questions."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._arrival = asyncio.Event()
        self._is_closed = False
        self._error: Exception | None = None

    def put(self, event: T) -> None:
        if self._is_closed:
            return
        if len(self._waiting) >= WAITING_BEFORE_JOINING:
            joined = _joined(self._waiting[-1], event)
            if joined is not None:
                self._waiting[-1] = joined
                return
        self._waiting.append(event)
        self._arrival.set()

    def close(self, error: Exception | None = None) -> None:
        """Nothing more comes; with an error, the reader gets that after the last event."""
        if not self._is_closed:
            self._is_closed = True
            self._error = error
            self._arrival.set()

    async def get(self) -> T | None:
        """The next event; None at the end. Raises what the inbox was closed with."""
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._is_closed:
                return None
            self._arrival.clear()
            await self._arrival.wait()
        return self._waiting.popleft()


def _joined(earlier: T, later: T) -> T | None:
    """Two pieces of one text as one; None if they are none."""
    if not isinstance(later, msgspec.Struct) or type(earlier) is not type(later):
        return None
    texts = getattr(earlier, "delta", None), getattr(later, "delta", None)
    if not (isinstance(texts[0], str) and isinstance(texts[1], str)):
        return None
    for name in later.__struct_fields__:
        if name != "delta" and getattr(earlier, name) != getattr(later, name):
            return None
    return msgspec.structs.replace(later, delta=texts[0] + texts[1])
