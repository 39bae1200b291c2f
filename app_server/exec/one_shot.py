"""One command from its start to its end, with a time limit and a cap on what is kept.

For calls that answer when the command is over: one-off commands of a client, the older shell tools.
Whatever ends the wait, a time-out or a cancellation included, nothing of the command is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from app_server import clock
from app_server.exec.environment import (
    Environment,
    ExitStatus,
    OutputChunk,
    RunningProcess,
    SpawnRequest,
)
from app_server.exec.head_tail import HeadTail

TIMED_OUT_CODE = 124
TIMEOUT_GRACE_SECONDS = 0.5
CANCEL_GRACE_SECONDS = 1.5
TRAILING_OUTPUT_SECONDS = 0.05
UNLIMITED_BYTES = 2**62


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended and what it wrote."""

    exit_code: int
    """124 after a time-out, 128 + signal for a killed one, -1 if unknown."""
    timed_out: bool
    sandbox_denied: bool | None = None
    """As `ExitStatus` has it."""
    stdout: bytes
    """Of a terminal: everything."""
    stderr: bytes
    dropped_bytes: int
    """What the cap cut out of the middle of the two."""
    duration_seconds: float


async def run_to_end(
    environment: Environment,
    request: SpawnRequest,
    *,
    on_started: Callable[[RunningProcess], None] | None = None,
    timeout_seconds: float | None = None,
    cap_bytes: int | None = None,
    on_output: Callable[[OutputChunk], Awaitable[None] | None] | None = None,
) -> CommandResult:
    """Run a command and wait for its end.

    `on_started` gets the process, to write to or resize. `cap_bytes` limits what is kept of each
    stream, head and tail; `on_output` hears everything, and what it returns is awaited before it
    hears more. Cancelling it ends the command's tree.
    Raises `CommandNotStarted` or `EnvironmentLost`.
    """
    began_at = clock.monotonic()
    cap = UNLIMITED_BYTES if cap_bytes is None else cap_bytes
    kept = {"stdout": HeadTail(cap), "stderr": HeadTail(cap)}

    async def read() -> None:
        async for chunk in process.output():
            if cap > 0:
                kept["stderr" if chunk.stream == "stderr" else "stdout"].add(chunk.data)
            if on_output is not None and (taken := on_output(chunk)) is not None:
                await taken

    process = await environment.spawn(request)
    if on_started is not None:
        on_started(process)
    reading = asyncio.ensure_future(read())
    timed_out = False
    try:
        status = await _ended(process, reading, timeout_seconds)
        if status is None:
            timed_out = True
            await process.terminate(TIMEOUT_GRACE_SECONDS)
            status = await _ended(process, reading, None) or ExitStatus()
        await asyncio.wait({reading}, timeout=TRAILING_OUTPUT_SECONDS)
        while process.has_unread_output and not reading.done():
            await asyncio.wait({reading}, timeout=TRAILING_OUTPUT_SECONDS)
        if reading.done():
            reading.result()
    except asyncio.CancelledError:
        await asyncio.shield(process.terminate(CANCEL_GRACE_SECONDS))
        raise
    finally:
        reading.cancel()
        process.discard_output()
    return CommandResult(
        exit_code=TIMED_OUT_CODE if timed_out else status.shell_code,
        timed_out=timed_out,
        sandbox_denied=status.sandbox_denied,
        stdout=kept["stdout"].joined(),
        stderr=kept["stderr"].joined(),
        dropped_bytes=sum(stream.dropped_bytes for stream in kept.values()),
        duration_seconds=clock.monotonic() - began_at,
    )


async def _ended(
    process: RunningProcess, reading: asyncio.Future[None], timeout_seconds: float | None
) -> ExitStatus | None:
    """Its end, or None after the time-out. What goes wrong while reading is raised here."""
    waiting = asyncio.ensure_future(process.wait())
    try:
        async with asyncio.timeout(timeout_seconds):
            while not waiting.done():
                open_ends: set[asyncio.Future[ExitStatus] | asyncio.Future[None]] = {waiting}
                if not reading.done():
                    open_ends.add(reading)
                await asyncio.wait(open_ends, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    reading.result()
    except TimeoutError:
        return None
    finally:
        waiting.cancel()
    return waiting.result()
