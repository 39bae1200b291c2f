"""One command of a thread: takes what it writes, keeps what was not reported, notices its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from app_server import clock
from app_server.exec.environment import ExitStatus, OutputStream, RunningProcess
from app_server.exec.head_tail import HeadTail, whole_characters

log = logging.getLogger(__name__)

KEPT_OUTPUT_BYTES = 1024 * 1024
LIVE_OUTPUT_BYTES = 8 * 1024 * 1024
"""What is told of a command's output as it comes: no person reads more, and no reader of the
thread should fall behind for it. Its end brings beginning and end of the whole.
"""
TRAILING_OUTPUT_SECONDS = 0.05
"""After the exit, for output somebody else still writes into the same streams."""


class SessionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended, told once per started command."""

    session_id: int
    exit_code: int
    """128 + signal for a killed one, -1 if unknown."""
    signal: int | None
    sandbox_denied: bool | None = None
    """As `ExitStatus` has it."""
    output: str
    """Everything it wrote, head and tail of at most 1 MiB."""
    duration_seconds: float
    reason: str
    """"exited"; "interrupted", "pruned", "terminated" or "closed" where we ended it; "lost"."""


class Terminal:
    """A started command. `follow` is run as a task by whoever owns it."""

    def __init__(
        self,
        session_id: int,
        process: RunningProcess,
        command: tuple[str, ...],
        cwd: str,
        has_tty: bool,
        on_output: Callable[[bytes], None] | None,
        on_exit: Callable[[SessionEnd], None] | None,
    ) -> None:
        self.session_id = session_id
        self.process = process
        self.command = command
        self.cwd = cwd
        self.has_tty = has_tty
        self.started_at = self.used_at = clock.monotonic()
        self.ended = asyncio.Event()
        """Its end is known and was told."""
        self.end: SessionEnd | None = None
        self._on_output = on_output
        self._on_exit = on_exit
        self._unread = HeadTail(KEPT_OUTPUT_BYTES)
        self._everything = HeadTail(KEPT_OUTPUT_BYTES)
        self._live_left_bytes = LIVE_OUTPUT_BYTES
        self._unfinished: dict[OutputStream, bytes] = {}
        self._reason = "exited"

    async def follow(self) -> None:
        """Take output until the command has ended, then tell its end."""
        reading = asyncio.ensure_future(self._read())
        try:
            status = await self.process.wait()
            # What was written before the exit is here already; this is for what others still write.
            await asyncio.wait({reading}, timeout=TRAILING_OUTPUT_SECONDS)
        finally:
            reading.cancel()
            self.process.discard_output()
        self.tell_end(status)

    def ending_because(self, reason: str) -> None:
        """Note why it is being ended, for its report."""
        if self._reason == "exited":
            self._reason = reason

    def tell_end(self, status: ExitStatus | None = None) -> None:
        """Report its end, once. Without a status the process could not be waited for."""
        if self.end is not None:
            return
        for stream, data in self._unfinished.items():
            if data:
                self._took(stream, data)
        self._unfinished.clear()
        reason = self._reason
        if reason == "exited" and (status is None or not status.is_known):
            reason = "lost"
        self.end = SessionEnd(
            session_id=self.session_id,
            exit_code=-1 if status is None else status.shell_code,
            signal=None if status is None else status.signal,
            sandbox_denied=None if status is None else status.sandbox_denied,
            output=self._everything.joined().decode(errors="replace"),
            duration_seconds=clock.monotonic() - self.started_at,
            reason=reason,
        )
        self.ended.set()
        if self._on_exit is not None:
            try:
                self._on_exit(self.end)
            except Exception:
                log.exception("reporting the end of session %d", self.session_id)

    def take_unread(self) -> bytes:
        """What came out since the last report."""
        unread, self._unread = self._unread.joined(), HeadTail(KEPT_OUTPUT_BYTES)
        return unread

    def last_lines(self, count: int) -> tuple[str, ...]:
        text = self._everything.last_bytes(4096).decode(errors="replace")
        return tuple(text.splitlines()[-count:])

    async def _read(self) -> None:
        async for chunk in self.process.output():
            if self.end is not None:
                return
            data, rest = whole_characters(self._unfinished.pop(chunk.stream, b"") + chunk.data)
            if rest:
                self._unfinished[chunk.stream] = rest
            if data:
                self._took(chunk.stream, data)

    def _took(self, stream: OutputStream, data: bytes) -> None:
        self._unread.add(data)
        self._everything.add(data)
        if self._on_output is not None and self._live_left_bytes > 0:
            self._live_left_bytes -= len(data)
            try:
                self._on_output(data)
            except Exception:
                log.exception("passing on %s of session %d", stream, self.session_id)
                self._on_output = None
