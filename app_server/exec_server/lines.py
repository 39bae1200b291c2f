"""Lines over descriptors, without blocking: what both ends of a stdio conversation need."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

from app_server.exec_server.loop import Loop

READ_BYTES = 256 * 1024
WRITE_PIECES = 64
HIGH_WATER_BYTES = 1024 * 1024
LOW_WATER_BYTES = 512 * 1024


class LineReader:
    """Splits what arrives on a descriptor into lines, blank ones left out."""

    def __init__(
        self,
        loop: Loop,
        fd: int,
        on_line: Callable[[bytes], None],
        on_end: Callable[[str | None], None],
    ) -> None:
        self._loop = loop
        self._fd = fd
        self._on_line = on_line
        self._on_end = on_end
        self._pieces: list[bytes] = []
        self._is_reading = False
        self._has_ended = False
        self.resume()

    def resume(self) -> None:
        if not self._is_reading and not self._has_ended:
            self._is_reading = True
            self._loop.add_reader(self._fd, self._read)

    def pause(self) -> None:
        """Read no more for now. Lines of the piece being read still come."""
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._fd)

    def stop(self) -> None:
        """Read no more for good; `on_end` is not called."""
        self.pause()
        self._has_ended = True

    def _read(self) -> None:
        try:
            piece = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        if not piece:
            last = b"".join(self._pieces)
            self._pieces.clear()
            if last.strip():
                self._on_line(last)
            if not self._has_ended:
                self._end(None)
            return
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            line = piece[start:end]
            start = end + 1
            if self._pieces:
                self._pieces.append(line)
                line = b"".join(self._pieces)
                self._pieces.clear()
            if line and not line.isspace():
                self._on_line(line)
                if self._has_ended:
                    return
        if start < len(piece):
            self._pieces.append(piece[start:])

    def _end(self, problem: str | None) -> None:
        self.stop()
        self._on_end(problem)


class LineWriter:
    """Writes lines to a descriptor as fast as it takes them, and says when it is behind."""

    def __init__(
        self,
        loop: Loop,
        fd: int,
        on_pressure: Callable[[bool], None],
        on_broken: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._fd = fd
        self._on_pressure = on_pressure
        self._on_broken = on_broken
        self._waiting: deque[bytes | memoryview] = deque()
        self._waiting_bytes = 0
        self._is_writing = False
        self._is_behind = False
        self._is_broken = False

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def write(self, line: bytes) -> None:
        """Queue a line. What follows in the same round is written together with it."""
        if self._is_broken:
            return
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        if not self._is_writing:
            self._is_writing = True
            self._loop.add_writer(self._fd, self._flush)
        if not self._is_behind and self._waiting_bytes > HIGH_WATER_BYTES:
            self._is_behind = True
            self._on_pressure(True)

    def stop(self) -> None:
        """Write no more."""
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._fd)
        self._is_broken = True
        self._waiting.clear()
        self._waiting_bytes = 0

    def _flush(self) -> None:
        try:
            while self._waiting:
                pieces = [
                    self._waiting[index] for index in range(min(len(self._waiting), WRITE_PIECES))
                ]
                self._written(os.writev(self._fd, pieces))
        except BlockingIOError:
            pass
        except OSError as error:
            self.stop()
            self._on_broken(error.strerror or str(error))
            return
        if not self._waiting and self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._fd)
        if self._is_behind and self._waiting_bytes < LOW_WATER_BYTES:
            self._is_behind = False
            self._on_pressure(False)

    def _written(self, count: int) -> None:
        self._waiting_bytes -= count
        while count:
            piece = self._waiting[0]
            if count < len(piece):
                self._waiting[0] = memoryview(piece)[count:]
                return
            count -= len(piece)
            self._waiting.popleft()
