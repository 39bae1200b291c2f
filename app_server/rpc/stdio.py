"""Newline-delimited JSON over two file descriptors: one object per line, UTF-8.

`claim_stdio` takes the process's own stdin and stdout away from everybody else: stray prints, also
those of child processes, go to stderr and cannot break the stream. Reading and writing happen on
the event loop when the descriptors are ready, without blocking and without a thread. The blocking
mode of the descriptors, which other processes may share, stays as it is: a pipe is opened anew for
us alone, anything else is written in pieces it takes at once. A line that cannot be read costs
itself only.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import select
import stat
import sys
from collections import deque

from app_server.rpc.channel import ChannelClosed
from app_server.rpc.codec import Codec
from app_server.rpc.frames import ErrorFrame, Frame, RequestId, ResultFrame
from app_server.rpc.lines import LineSplitter

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
WRITE_BYTES = select.PIPE_BUF
"""A descriptor that polls writable takes this much without blocking."""

PIPE_BYTES = 256 * 1024
"""So large, a pipe takes whole pieces of a flood, and reader and writer wake each other less."""

BEHIND_BYTES = 64 * 1024
"""Text that may wait unwritten before the reader counts as behind."""

LAST_WORDS_SECONDS = 1.0
"""How long closing waits for a reader that has not taken everything yet."""


def claim_stdio() -> tuple[int, int]:
    """Private descriptors of stdin and stdout; fd 1 becomes stderr and fd 0 empty."""
    sys.stdout.flush()
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stdin, stdout


class StdioChannel:
    """A channel over a readable and a writable descriptor, which it owns from then on.

    `said` was read from the other side before; `answered` names a call in it whose answer has left.
    """

    def __init__(
        self,
        readable: int,
        writable: int,
        codec: Codec,
        *,
        said: bytes = b"",
        answered: RequestId | None = None,
    ) -> None:
        self._readable = readable
        self._writable = _our_own(writable)
        self._codec = codec
        self._loop = asyncio.get_running_loop()
        self._lines = LineSplitter()
        self._frames: deque[Frame] = deque()
        self._ended = False
        self._unwritten = bytearray()
        self._flush_is_due = False
        self._waits_for_reader = False
        self._broken = False
        self._closed = False
        self._reading: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._answered = answered
        self._take(self._lines.feed(said))

    @property
    def can_send(self) -> bool:
        return not self._broken

    async def receive(self) -> Frame | None:
        while not self._frames:
            if self._ended:
                return None
            await self._readable_now()
            if not self._ended:
                self._read()
        return self._frames.popleft()

    def send_now(self, frame: Frame) -> bool:
        if self._broken:
            raise ChannelClosed("the other side no longer reads")
        if len(self._unwritten) >= BEHIND_BYTES:
            return False
        if self._answered is not None and isinstance(frame, ResultFrame | ErrorFrame):
            is_answered = frame.id == self._answered
            self._answered = None
            if is_answered:
                return True
        self._unwritten += self._codec.encode(frame)
        self._unwritten += b"\n"
        if not self._flush_is_due and not self._waits_for_reader:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)
        return True

    async def send(self, frame: Frame) -> None:
        while not self.send_now(frame):
            self._room.clear()
            await self._room.wait()

    async def close(self, complaint: str | None = None) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS if complaint is None else 0):
                while self._unwritten and not self._broken:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            log.warning("%d bytes were never read by the other side", len(self._unwritten))
        if self._closed:
            return
        self._closed = self._broken = self._ended = True
        self._stop_waiting_for_reader()
        self._loop.remove_reader(self._readable)
        if self._reading is not None:
            _settle(self._reading)
        for descriptor in {self._readable, self._writable}:
            os.close(descriptor)

    async def _readable_now(self) -> None:
        self._reading = self._loop.create_future()
        try:
            self._loop.add_reader(self._readable, _settle, self._reading)
        except OSError:
            await asyncio.sleep(0)  # a plain file, which is always ready and cannot be polled
            return
        try:
            await self._reading
        finally:
            self._reading = None
            if not self._closed:
                self._loop.remove_reader(self._readable)

    def _read(self) -> None:
        try:
            piece = os.read(self._readable, READ_BYTES)
        except OSError as error:
            log.info("stdin ended: %s", error)
            piece = b""
        lines = self._lines.feed(piece)
        if not piece:
            self._ended = True
            lines = [line] if (line := self._lines.last()) else []
        self._take(lines)

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            frame = self._codec.decode(line)
            if frame is not None:
                self._frames.append(frame)

    def _flush(self) -> None:
        """Write as much as the reader takes without making us wait."""
        self._flush_is_due = False
        try:
            with memoryview(self._unwritten) as text:
                written = _write_what_fits(self._writable, text)
        except OSError as error:
            log.info("the other side no longer reads: %s", error)
            self._broken = True
            self._unwritten.clear()
            self._stop_waiting_for_reader()
            self._room.set()
            return
        del self._unwritten[:written]
        if self._unwritten:
            self._wait_for_reader()
        else:
            self._stop_waiting_for_reader()
        if len(self._unwritten) < BEHIND_BYTES:
            self._room.set()

    def _wait_for_reader(self) -> None:
        if not self._waits_for_reader:
            self._waits_for_reader = True
            self._loop.add_writer(self._writable, self._flush)

    def _stop_waiting_for_reader(self) -> None:
        if self._waits_for_reader:
            self._waits_for_reader = False
            self._loop.remove_writer(self._writable)


def _our_own(descriptor: int) -> int:
    """The same pipe opened once more, non-blocking, in place of the descriptor; else itself."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return descriptor
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        ours = os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:
        return descriptor
    os.close(descriptor)
    try:
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # the user's share of pipe memory is used up; the usual size works as well
    return ours


def _write_what_fits(descriptor: int, text: memoryview) -> int:
    written = 0
    try:
        if not os.get_blocking(descriptor):
            while written < len(text):
                written += os.write(descriptor, text[written:])
        while written < len(text) and _is_writable(descriptor):
            written += os.write(descriptor, text[written : written + WRITE_BYTES])
    except BlockingIOError:
        pass  # the descriptor is non-blocking, and full
    return written


def _is_writable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
