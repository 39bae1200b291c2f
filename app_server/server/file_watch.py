"""Tells when a file or the content of a folder changes; not what is deeper inside.

Looks once a tick instead of asking the kernel: one `stat`, or one listing with a `stat` each, off
the event loop. That works on every file system and for paths that do not exist yet. Changes within
one tick are told together. Knows no clients.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TypeAlias

from app_server.side_threads import SideThreads

TICK_SECONDS = 0.2
"""Clients are told at most this often, as `codex app-server` does."""

Facts: TypeAlias = tuple[int, int, int]
"""Inode, size, time of change in nanoseconds."""

Snapshot: TypeAlias = dict[str, Facts]

WATCHING = SideThreads("file-watch", 2)


class FileWatch:
    """One watched path, from `begin` until it is closed."""

    def __init__(self, path: str, on_change: Callable[[list[str]], None]) -> None:
        self._path = path
        self._on_change = on_change
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    async def begin(self) -> None:
        """What is there now is known when this returns; anything later is a change."""
        before = await WATCHING.run(lambda: snapshot(self._path))
        if self._is_closed:
            return  # its client has left meanwhile
        self._looking = asyncio.create_task(self._look(before))

    async def close(self) -> None:
        """Nothing is told afterwards."""
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look(self, before: Snapshot) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = await WATCHING.run(lambda: snapshot(self._path))
            changed = differences(before, now)
            before = now
            if changed:
                self._on_change(changed)


def snapshot(path: str) -> Snapshot:
    """The path and, if it is a folder, what is directly inside; missing things are left out."""
    found: Snapshot = {}
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return found
    found[path] = _facts(facts)
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                try:
                    found[entry.path] = _facts(entry.stat(follow_symlinks=False))
                except OSError:
                    continue
    except OSError:
        pass  # a file, or a folder that may not be read
    return found


def differences(before: Snapshot, now: Snapshot) -> list[str]:
    """The paths that appeared, went or changed, sorted; a folder only if nothing in it did."""
    changed = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    inside = {os.path.dirname(path) for path in changed}
    return sorted(changed - inside) if len(changed) > 1 else sorted(changed)


def _facts(found: os.stat_result) -> Facts:
    return found.st_ino, found.st_size, found.st_mtime_ns
