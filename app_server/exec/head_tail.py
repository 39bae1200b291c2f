"""The beginning and the end of a stream of bytes, within a limit; the middle is lost."""

from __future__ import annotations

from collections import deque


class HeadTail:
    """Keeps the first and the last half of `limit_bytes`. Pieces may be of any size."""

    def __init__(self, limit_bytes: int) -> None:
        self._head_room = limit_bytes // 2
        self._tail_limit = limit_bytes - self._head_room
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self.dropped_bytes = 0
        """How much of the middle is missing."""

    def add(self, data: bytes) -> None:
        if self._head_room > 0 and data:
            part = data[: self._head_room]
            self._head.append(part)
            self._head_room -= len(part)
            data = data[len(part) :]
        if not data:
            return
        self._tail.append(data)
        self._tail_bytes += len(data)
        while self._tail_bytes > self._tail_limit:
            surplus = self._tail_bytes - self._tail_limit
            oldest = self._tail.popleft()
            if len(oldest) > surplus:
                self._tail.appendleft(oldest[surplus:])
                surplus_dropped = surplus
            else:
                surplus_dropped = len(oldest)
            self._tail_bytes -= surplus_dropped
            self.dropped_bytes += surplus_dropped

    def joined(self) -> bytes:
        return b"".join((*self._head, *self._tail))

    def last_bytes(self, count: int) -> bytes:
        """At most `count` bytes from the end."""
        found: list[bytes] = []
        for piece in (*reversed(self._tail), *reversed(self._head)):
            if count <= 0:
                break
            found.append(piece[-count:])
            count -= len(piece)
        return b"".join(reversed(found))


def whole_characters(data: bytes) -> tuple[bytes, bytes]:
    """Split off an unfinished UTF-8 character at the end, if there is one.

    Bytes that are no UTF-8 at all stay in the first part.
    """
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return (data[:-back], data[-back:]) if length > back else (data, b"")
    return data, b""
