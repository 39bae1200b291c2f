"""Small pieces of output joined to larger ones before anybody is told.

A terminal delivers everything in small pieces, and so does a pipe that is filled slowly. What comes
after a pause is told at once; what follows within a moment is told together.
"""

from __future__ import annotations

from collections.abc import Callable

from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.protocol import Stream

GATHERED_BYTES = 128 * 1024
GATHERING_SECONDS = 0.002


class Gathering:
    """Output of one process on its way to `tell`, in order."""

    def __init__(self, loop: Loop, tell: Callable[[Stream, bytes], None]) -> None:
        self._loop = loop
        self._tell = tell
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self._stream: Stream = "stdout"
        self._timer: Timer | None = None

    def add(self, stream: Stream, data: bytes) -> None:
        if stream != self._stream:
            self.flush()
            self._stream = stream
        self._pieces.append(data)
        self._size_bytes += len(data)
        if self._size_bytes >= GATHERED_BYTES:
            self.flush()
        elif self._timer is None:
            self.flush()
            self._timer = self._loop.call_later(GATHERING_SECONDS, self._moment_over)

    def flush(self) -> None:
        """Tell what has been gathered."""
        if not self._pieces:
            return
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size_bytes = 0
        self._tell(self._stream, data)

    def _moment_over(self) -> None:
        self._timer = None
        if self._pieces:
            self.flush()
            self._timer = self._loop.call_later(GATHERING_SECONDS, self._moment_over)
