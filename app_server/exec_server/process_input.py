"""What a process is told: bytes that wait until it takes them, and the end of its input.

The descriptor may be that of a terminal, which is also read from; then it is closed by whoever
reads it. Nobody is told of input that a process does not want.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

from app_server.exec_server.loop import Loop

BACKLOG_BYTES = 1024 * 1024
"""Input not yet taken by the process above which a write is answered later."""


class ProcessInput:
    """One descriptor written to without blocking."""

    def __init__(self, loop: Loop, fd: int | None) -> None:
        self.fd = fd
        """None once there is nothing to write to."""
        self._loop = loop
        self._pieces: deque[memoryview] = deque()
        self._waiting_bytes = 0
        self._is_ending = False
        self._waiters: list[Callable[[], None]] = []
        self.on_dropped: Callable[[int], None] = os.close
        """Gets the descriptor once it is no longer written to."""

    @property
    def is_open(self) -> bool:
        return self.fd is not None and not self._is_ending

    def write(self, data: bytes, on_taken: Callable[[], None]) -> None:
        """Queue input; `on_taken` runs when the backlog is small."""
        if data:
            self._pieces.append(memoryview(data))
            self._waiting_bytes += len(data)
            self._flush()
        if self._waiting_bytes <= BACKLOG_BYTES:
            on_taken()
        else:
            self._waiters.append(on_taken)

    def end(self) -> None:
        """Close it once everything is written."""
        if self.fd is not None:
            self._is_ending = True
            self._flush()

    def drop(self) -> None:
        """Write no more; what waits is lost."""
        fd, self.fd = self.fd, None
        self._pieces.clear()
        self._waiting_bytes = 0
        self._answer()
        if fd is not None:
            self._loop.remove_writer(fd)
            self.on_dropped(fd)

    def _flush(self) -> None:
        if self.fd is None:
            return
        try:
            while self._pieces:
                piece = self._pieces[0]
                written = os.write(self.fd, piece)
                self._waiting_bytes -= written
                if written == len(piece):
                    self._pieces.popleft()
                else:
                    self._pieces[0] = piece[written:]
        except BlockingIOError:
            self._loop.add_writer(self.fd, self._flush)
        except OSError:
            # Nobody reads it any more, which a process may choose at any time.
            self.drop()
        else:
            self._loop.remove_writer(self.fd)
            if self._is_ending:
                self.drop()
        if self._waiting_bytes <= BACKLOG_BYTES:
            self._answer()

    def _answer(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter()
