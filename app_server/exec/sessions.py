"""Terminals of one thread: commands that may outlive the call that started them.

A call waits until its command ends or its yield window is over, and reports what came out since the
last report. A command that is still running then gets a session id under which it can be written to
and polled. At most 64 run at once: when one more is started, the least useful one is ended.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from app_server.exec.environment import Environment, SpawnRequest

DEFAULT_YIELD_MS = 10_000
DEFAULT_WRITE_YIELD_MS = 250
DEFAULT_POLL_YIELD_MS = 5_000
LONGEST_POLL_MS = 300_000


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


class SessionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended, told once per started command."""

    session_id: int
    exit_code: int
    """128 + signal for a killed one, -1 if unknown."""
    signal: int | None
    output: str
    """Everything it wrote, head and tail of at most 1 MiB."""
    duration_seconds: float
    reason: str
    """"exited"; "interrupted", "pruned", "terminated", "closed" where we ended it; "lost"."""


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

    def __init__(self, environment: Environment, longest_poll_ms: int = LONGEST_POLL_MS) -> None:
        raise NotImplementedError

    async def start(
        self,
        request: SpawnRequest,
        *,
        yield_time_ms: int = DEFAULT_YIELD_MS,
        session_id: int | None = None,
        on_started: Callable[[int, int | None], None] | None = None,
        on_output: Callable[[bytes], None] | None = None,
        on_exit: Callable[[SessionEnd], None] | None = None,
        display: tuple[str, ...] | None = None,
    ) -> ExecOutcome:
        """Run a command and wait until it ends or the window (clamped to 250 … 30 000) is over.

        `on_started(session_id, pid)` runs once it runs, before any output. `on_output` gets what it
        writes as it comes, also after this call has returned, never half a UTF-8 character.
        `on_exit` runs once, after the last `on_output`; if the command ends within the window,
        before this call returns. Cancelling this call ends the command's whole tree; `on_exit` has
        run by the time the cancellation leaves. Raises `CommandNotStarted`.
        """
        raise NotImplementedError

    async def write(
        self, session_id: int, chars: str, *, yield_time_ms: int | None = None
    ) -> ExecOutcome:
        """Type `chars` and report what came out; no `chars` means only wait and report.

        Windows: 250 … 30 000 ms after typing, 5 000 … the longest poll without. Cancelling it
        leaves the command running. Raises `UnknownSession`, `StdinClosed`.
        """
        raise NotImplementedError

    def reserve_id(self) -> int:
        """A session id nobody has, for a caller that must announce it before the start."""
        raise NotImplementedError

    def knows(self, session_id: int) -> bool:
        """Whether this id can still be written to or polled."""
        raise NotImplementedError

    def command_of(self, session_id: int) -> tuple[str, ...]:
        """The command behind a session, for display. Raises `UnknownSession`."""
        raise NotImplementedError

    def running(self) -> list[SessionInfo]:
        """The terminals that run, oldest first."""
        raise NotImplementedError

    def pause_clock(self) -> None:
        """Let waiting time stand still, while a question to the user is open. Nests."""
        raise NotImplementedError

    def resume_clock(self) -> None:
        """Undo one `pause_clock`."""
        raise NotImplementedError

    async def terminate(self, session_id: int) -> bool:
        """End a terminal's whole tree; False if there is none of this id."""
        raise NotImplementedError

    async def close(self) -> None:
        """End all of them, bounded; every `on_exit` has run afterwards."""
        raise NotImplementedError
