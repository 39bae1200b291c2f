"""Tells a client once when something appears where nothing was, as release 0.169 wants to know.

A client has one watch at a time: a newer one, which has a higher number, takes its place. One path
that is there can be watched along with the missing ones, for going away or being written. It is all
kept by looking, some times a second: that works on every file system and costs nothing to set up.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import TypeAlias

from app_server.exec_server.file_methods import WatchMissingParams, WatchMissingResult
from app_server.exec_server.files import absolute_path
from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.protocol import MissingChangedNotification

LOOKS_EVERY_SECONDS = 0.25
MOST_PATHS = 256
"""More are not watched; the client is told, and has to look itself."""


class MissingWatch:
    """The watch of one client."""

    def __init__(self, loop: Loop, tell: Callable[[MissingChangedNotification], None]) -> None:
        self._loop = loop
        self._tell = tell
        self._last_id = -1
        self._gaps: list[str] = []
        self._present: str | None = None
        self._seen: _Seen | None = None
        self._timer: Timer | None = None

    def watch(self, params: WatchMissingParams) -> WatchMissingResult:
        """Begin a watch; none begins when things are not as named, or the number is an old one."""
        missing = [absolute_path(path) for path in params.missing]
        present = None if params.present is None else absolute_path(params.present)
        if params.watch_id <= self._last_id:
            return WatchMissingResult(watching=False)
        self.stop()
        self._last_id = params.watch_id
        self._present = present
        self._seen = None if present is None else _seen(present)
        if not 1 <= len(missing) <= MOST_PATHS or any(map(_seen, missing)):
            return WatchMissingResult(watching=False)
        if present is not None and self._seen is None:
            return WatchMissingResult(watching=False)
        self._gaps = [_first_missing(path) for path in missing]
        self._look_later()
        return WatchMissingResult(watching=True)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._timer = self._loop.call_later(LOOKS_EVERY_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        is_other = self._present is not None and _seen(self._present) != self._seen
        if is_other or any(map(_seen, self._gaps)):
            self._tell(MissingChangedNotification(watch_id=self._last_id))
        else:
            self._look_later()


_Seen: TypeAlias = tuple[int, ...]


def _seen(path: str) -> _Seen | None:
    """What tells a thing from another and a file from its later self; None for nothing."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):  # a NUL: nothing can be called that
        return None
    if stat.S_ISDIR(found.st_mode):
        return found.st_dev, found.st_ino
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _first_missing(path: str) -> str:
    """The part of a path that has to appear first."""
    while not _seen(parent := os.path.dirname(path)):
        path = parent
    return path
