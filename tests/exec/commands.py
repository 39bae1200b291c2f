"""Requests the tests run, and waiting for what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app_server.exec.environment import RunningProcess, SpawnRequest, TtySize

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
LONGEST_WAIT_SECONDS = 30.0


def shell(line: str, **more: Any) -> SpawnRequest:
    """A request that runs one line."""
    fields: dict[str, Any] = {"argv": ("/bin/sh", "-c", line), "cwd": "/", "env": ENVIRONMENT}
    return SpawnRequest(**(fields | more))


def typed(line: str) -> SpawnRequest:
    """The same in a terminal."""
    return shell(line, tty=TtySize())


async def everything(process: RunningProcess) -> bytes:
    return b"".join([chunk.data async for chunk in process.output()])


async def eventually(condition: Callable[[], Any]) -> Any:
    """Poll until the condition holds; bounded."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not (value := condition()):  # noqa: ASYNC110 - what processes do sets no event here
            await asyncio.sleep(0.005)
    return value


def is_running(pid: int) -> bool:
    """Whether this process still runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


async def pids_in(path: Path, count: int = 1) -> list[int]:
    """Wait until a command has written so many pids; returns them."""

    def written() -> list[int] | None:
        try:
            words = path.read_text().split()
        except OSError:
            return None
        return [int(word) for word in words] if len(words) >= count else None

    found: list[int] = await eventually(written)
    return found
