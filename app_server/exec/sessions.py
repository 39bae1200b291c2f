"""Terminals of one thread: commands that may outlive the call that started them.

A call waits until its command ends or its yield window is over, and reports what came out since the
last report. A command that is still running then gets a session id under which it can be written to
and polled. At most 64 are kept: when one more is started, the least useful one is ended.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from app_server import clock
from app_server.exec.environment import Environment, SpawnRequest
from app_server.exec.errors import StdinClosed, UnknownSession
from app_server.exec.terminal import SessionEnd, Terminal
from app_server.exec.waiting import StoppableClock

__all__ = ["ExecOutcome", "SessionEnd", "SessionInfo", "TerminalSessions"]

DEFAULT_YIELD_MS = 10_000
DEFAULT_WRITE_YIELD_MS = 250
SHORTEST_YIELD_MS = 250
LONGEST_YIELD_MS = 30_000
SHORTEST_POLL_MS = 5_000
LONGEST_POLL_MS = 300_000

MOST_SESSIONS = 64
MANY_SESSIONS = 60
"""From so many open ones on, the caller is to be warned."""
PROTECTED_SESSIONS = 8
"""The most recently used ones, never ended to make room."""

INTERRUPT_GRACE_SECONDS = 1.5
"""Between the polite and the hard signal after an interrupt."""
INTERRUPT_WAIT_SECONDS = 0.1
"""How long an interrupt waits for the command's end before it reports without it."""
CLOSE_GRACE_SECONDS = 0.5
CLOSE_WAIT_SECONDS = 2.0
LAST_LINES = 3


class ExecOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a call reports."""

    chunk_id: str
    """Six hex digits, different for every report."""
    wall_seconds: float
    exit_code: int | None
    """None while it runs; 128 + signal for a killed one."""
    session_id: int | None
    """Where to go on; None once it has ended."""
    output: str
    """What came out since the last report, head and tail of at most 1 MiB."""
    original_token_count: int
    """Of `output` before any cut the caller makes: a quarter of its bytes, rounded up."""


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A running terminal, for lists."""

    session_id: int
    command: tuple[str, ...]
    cwd: str
    tty: bool
    pid: int | None
    running_seconds: float
    last_lines: tuple[str, ...]


class TerminalSessions:
    """The commands of one thread. An async context manager; leaving it ends them all."""

    def __init__(
        self,
        environment: Environment,
        longest_poll_ms: int = LONGEST_POLL_MS,
        time: StoppableClock | None = None,
    ) -> None:
        """`time` is what waiting goes by, for owners who have other reasons to let it stand."""
        self._environment = environment
        self._longest_poll_ms = longest_poll_ms
        self._terminals: dict[int, Terminal] = {}
        self._reserved: set[int] = set()
        self._starting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._clock = time or StoppableClock()

    async def __aenter__(self) -> TerminalSessions:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(
        self,
        request: SpawnRequest,
        *,
        yield_time_ms: int = DEFAULT_YIELD_MS,
        session_id: int | None = None,
        environment: Environment | None = None,
        on_started: Callable[[int, int | None], None] | None = None,
        on_output: Callable[[bytes], None] | None = None,
        on_exit: Callable[[SessionEnd], None] | None = None,
        display: tuple[str, ...] | None = None,
    ) -> ExecOutcome:
        """Run a command and wait until it ends or the window (clamped to 250 … 30 000) is over.

        `environment` is for another place than the usual one. `on_started(session_id, pid)` runs
        once it runs, before any output. `on_output` gets what it writes as it comes, also after
        this call has returned, never half a UTF-8 character; of a flood only the beginning.
        `on_exit` runs once, after the last `on_output`; if the command ends within the window,
        before this call returns. Cancelling this call ends the command's whole tree; `on_exit` has
        run by the time the cancellation leaves, though what ignores the polite signal may live on
        for the grace. Raises `CommandNotStarted` or `EnvironmentLost`.
        """
        began_at = clock.monotonic()
        session_id = self.reserve_id() if session_id is None else session_id
        self._starting += 1
        try:
            self._make_room()
            process = await (environment or self._environment).spawn(request)
        finally:
            self._starting -= 1
            self._reserved.discard(session_id)
        terminal = Terminal(
            session_id,
            process,
            display or request.argv,
            request.cwd,
            request.tty is not None,
            on_output,
            on_exit,
        )
        self._terminals[session_id] = terminal
        if on_started is not None:
            on_started(session_id, process.pid)
        self._run(terminal.follow())
        try:
            await self._clock.wait(
                terminal.ended, _clamp(yield_time_ms, SHORTEST_YIELD_MS, LONGEST_YIELD_MS) / 1000
            )
        except asyncio.CancelledError:
            await asyncio.shield(self._interrupt(terminal))
            raise
        return self._report(terminal, began_at)

    async def write(
        self, session_id: int, chars: str, *, yield_time_ms: int | None = None
    ) -> ExecOutcome:
        """Type `chars` and report what came out; no `chars` means only wait and report.

        Windows: 250 … 30 000 ms after typing, 5 000 … the longest poll without; an ended command
        is reported at once. Cancelling it leaves the command running. Raises `UnknownSession`,
        `StdinClosed` or `EnvironmentLost`.
        """
        began_at = clock.monotonic()
        terminal = self._known(session_id)
        terminal.used_at = began_at
        if chars:
            if not terminal.has_tty:
                raise StdinClosed
            if not terminal.ended.is_set():
                await terminal.process.write(chars.encode(errors="replace"))
            shortest, longest = SHORTEST_YIELD_MS, LONGEST_YIELD_MS
        else:
            shortest, longest = SHORTEST_POLL_MS, max(SHORTEST_POLL_MS, self._longest_poll_ms)
        wanted = DEFAULT_WRITE_YIELD_MS if yield_time_ms is None else yield_time_ms
        await self._clock.wait(terminal.ended, _clamp(wanted, shortest, longest) / 1000)
        return self._report(terminal, began_at)

    def reserve_id(self) -> int:
        """A session id nobody has, for a caller that must announce it before the start."""
        while True:
            session_id = random.randint(1000, 99_999)
            if session_id not in self._terminals and session_id not in self._reserved:
                self._reserved.add(session_id)
                return session_id

    @property
    def warning(self) -> str | None:
        """What the model should know when so many are open that some will soon be ended."""
        count = len(self._terminals)
        if count < MANY_SESSIONS:
            return None
        return (
            f"Warning: {count} terminals are open. At most {MOST_SESSIONS} are kept: one more "
            "command than that ends the terminal that was used least recently. End or poll those "
            "you no longer need, and do not start more than you need."
        )

    def knows(self, session_id: int) -> bool:
        """Whether this id can still be written to or polled."""
        return session_id in self._terminals

    def has_tty(self, session_id: int) -> bool:
        """Whether it can be typed into. Raises `UnknownSession`."""
        return self._known(session_id).has_tty

    def running(self) -> list[SessionInfo]:
        """The terminals that run, oldest first."""
        now = clock.monotonic()
        return [
            SessionInfo(
                session_id=terminal.session_id,
                command=terminal.command,
                cwd=terminal.cwd,
                tty=terminal.has_tty,
                pid=terminal.process.pid,
                running_seconds=now - terminal.started_at,
                last_lines=terminal.last_lines(LAST_LINES),
            )
            for terminal in self._terminals.values()
            if not terminal.ended.is_set()
        ]

    def pause_clock(self) -> None:
        """Let waiting time stand still, while a question to the user is open. Nests."""
        self._clock.pause()

    def resume_clock(self) -> None:
        """Undo one `pause_clock`."""
        self._clock.resume()

    async def terminate(self, session_id: int) -> bool:
        """End a terminal's whole tree; False if none of this id runs. Does not wait for the end."""
        terminal = self._terminals.get(session_id)
        if terminal is None or terminal.ended.is_set():
            return False
        terminal.ending_because("terminated")
        await terminal.process.terminate()
        return True

    async def close(self) -> None:
        """End all of them, bounded; every `on_exit` has run afterwards."""
        terminals = list(self._terminals.values())
        self._terminals.clear()
        alive = [terminal for terminal in terminals if not terminal.ended.is_set()]
        for terminal in alive:
            terminal.ending_because("closed")
            await terminal.process.terminate(CLOSE_GRACE_SECONDS)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_WAIT_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        for terminal in alive:
            terminal.tell_end()

    def _known(self, session_id: int) -> Terminal:
        terminal = self._terminals.get(session_id)
        if terminal is None:
            raise UnknownSession(session_id)
        return terminal

    def _report(self, terminal: Terminal, began_at: float) -> ExecOutcome:
        end = terminal.end
        if end is not None:
            self._terminals.pop(terminal.session_id, None)
        unread = terminal.take_unread()
        return ExecOutcome(
            chunk_id=secrets.token_hex(3),
            wall_seconds=clock.monotonic() - began_at,
            exit_code=None if end is None else end.exit_code,
            session_id=terminal.session_id if end is None else None,
            output=unread.decode(errors="replace"),
            original_token_count=-(-len(unread) // 4),
        )

    async def _interrupt(self, terminal: Terminal) -> None:
        """End a command whose caller has gone, and report it without waiting long."""
        self._terminals.pop(terminal.session_id, None)
        terminal.ending_because("interrupted")
        await terminal.process.terminate(INTERRUPT_GRACE_SECONDS)
        try:
            async with asyncio.timeout(INTERRUPT_WAIT_SECONDS):
                await terminal.ended.wait()
        except TimeoutError:
            terminal.tell_end()

    def _make_room(self) -> None:
        """Below the limit again: an ended session goes first, else the longest unused one."""
        while self._terminals and len(self._terminals) + self._starting > MOST_SESSIONS:
            by_use = sorted(self._terminals.values(), key=lambda terminal: terminal.used_at)
            candidates = by_use[: len(by_use) - PROTECTED_SESSIONS]
            ended = [terminal for terminal in candidates if terminal.ended.is_set()]
            if not candidates:
                return  # so many are starting at once that all others are protected
            terminal = (ended or candidates)[0]
            del self._terminals[terminal.session_id]
            if not terminal.ended.is_set():
                terminal.ending_because("pruned")
                self._run(terminal.process.terminate())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _clamp(value: int, shortest: int, longest: int) -> int:
    return max(shortest, min(value, longest))
