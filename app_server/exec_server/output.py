"""Output a process has written, kept in numbered chunks up to a limit.

Numbers start at 1, are never reused and never split a chunk. When the limit is passed whole chunks
go, oldest first, so that a reader sees from a gap in the numbers that something was lost.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from app_server.exec_server.protocol import Stream

RETAINED_BYTES = 1024 * 1024


class Chunk(NamedTuple):
    seq: int
    stream: Stream
    data: bytes


class RetainedOutput:
    """The most recent output of one process."""

    def __init__(self, limit_bytes: int = RETAINED_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._chunks: deque[Chunk] = deque()
        self._size_bytes = 0
        self._next_seq = 1
        self._has_dropped = False
        self._last_output_seq = 0

    @property
    def next_seq(self) -> int:
        """The number the next chunk will have."""
        return self._next_seq

    @property
    def last_output_seq(self) -> int:
        """The number of the newest chunk; 0 if there was none."""
        return self._last_output_seq

    @property
    def is_truncated(self) -> bool:
        """Whether anything was dropped so far."""
        return self._has_dropped

    def add(self, stream: Stream, data: bytes) -> Chunk:
        """Number a chunk and keep it as long as there is room."""
        chunk = Chunk(self._next_seq, stream, data)
        self._last_output_seq = chunk.seq
        self._next_seq += 1
        self._chunks.append(chunk)
        self._size_bytes += len(data)
        while self._size_bytes > self._limit_bytes:
            self._size_bytes -= len(self._chunks.popleft().data)
            self._has_dropped = True
        return chunk

    def take_number(self) -> int:
        """A number for something that is no output but has its place among it."""
        self._next_seq += 1
        return self._next_seq - 1

    def after(self, seq: int, max_bytes: int | None = None) -> list[Chunk]:
        """Chunks numbered above `seq`, until they hold `max_bytes`; always at least one."""
        found: list[Chunk] = []
        size_bytes = 0
        for chunk in self._chunks:
            if chunk.seq <= seq:
                continue
            if found and max_bytes is not None and size_bytes + len(chunk.data) > max_bytes:
                break
            found.append(chunk)
            size_bytes += len(chunk.data)
        return found

    def joined(self, stream: Stream) -> bytes:
        """What is kept of one stream."""
        return b"".join(chunk.data for chunk in self._chunks if chunk.stream == stream)
