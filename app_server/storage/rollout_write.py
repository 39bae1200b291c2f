"""Appends lines to one thread's file: every append has reached the kernel when it returns.

A new thread's file appears with the first append (the first turn), although its path is known from
the start; the opening lines go in front. A file that does not end in a newline gets one first, so
a torn line never swallows a new one. When the disk refuses, a half-written line is taken back, the
lines stay in memory in their order, and the next append or `flush` tries them again.

Appends are synchronous and small; they are made on the event loop so that nothing is announced
before it is stored. One writer per file.
"""

from __future__ import annotations

import errno
import logging
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from app_server import clock
from app_server.paths import make_private_folder
from app_server.storage.rollout import RolloutItem, RolloutLine, encode_line

log = logging.getLogger(__name__)

FILE_MODE = 0o600


class RolloutWriter:
    """The one writer of a thread's file.

    `opening` are the lines a new file starts with: its `SessionMeta`, and for a fork the parent's
    lines. For an existing file give none.
    """

    def __init__(self, path: Path, opening: Sequence[RolloutItem | RolloutLine] = ()) -> None:
        self.path = path
        self._unwritten: deque[bytes] = deque()
        self._descriptor: int | None = None
        self._creates = bool(opening)
        self._was_appended_to = False
        self._keep(opening)

    @property
    def has_unwritten(self) -> bool:
        """Whether lines wait in memory: nothing was appended yet, or the disk refused."""
        return bool(self._unwritten)

    def begin(self) -> None:
        """Write the opening lines without waiting for a first append. Raises OSError."""
        self.flush()

    def append(self, items: Sequence[RolloutItem | RolloutLine]) -> None:
        """Write the items as lines and hand them to the kernel.

        Raises OSError when that fails; the items are kept and tried again with the next call.
        """
        self._was_appended_to = True
        self._keep(items)
        self.flush()

    def flush(self) -> None:
        """Write what is waiting. Raises OSError when that fails; nothing is lost by it."""
        if not self._unwritten:
            return
        descriptor = self._descriptor if self._descriptor is not None else self._open()
        while self._unwritten:
            batch = list(self._unwritten)
            written_lines = _write_whole_lines(descriptor, batch)
            for _ in range(written_lines):
                self._unwritten.popleft()

    def close(self) -> None:
        """Write what is waiting and let go of the file.

        A thread that never had a turn leaves no file. Raises OSError when lines remain unwritten.
        """
        try:
            if self._was_appended_to or self._descriptor is not None:
                self.flush()
        finally:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _keep(self, items: Sequence[RolloutItem | RolloutLine]) -> None:
        timestamp = clock.utc_timestamp()
        self._unwritten.extend(encode_line(item, timestamp) for item in items)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        if self._creates:
            make_private_folder(self.path.parent)
            flags |= os.O_CREAT
        descriptor = os.open(self.path, flags, FILE_MODE)
        try:
            size_bytes = os.fstat(descriptor).st_size
            if size_bytes and os.pread(descriptor, 1, size_bytes - 1) != b"\n":
                log.warning("%s ended in a torn line", self.path)
                _write_whole_lines(descriptor, [b"\n"])
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return descriptor


def _write_whole_lines(descriptor: int, lines: list[bytes]) -> int:
    """Append as many of the lines as possible with one write; returns how many are whole.

    What was written of a further line is cut off again. Raises OSError when not even one line fits.
    """
    before = os.fstat(descriptor).st_size
    written = os.write(descriptor, b"".join(lines))
    count = 0
    whole_bytes = 0
    for line in lines:
        if whole_bytes + len(line) > written:
            break
        whole_bytes += len(line)
        count += 1
    if whole_bytes < written:
        os.ftruncate(descriptor, before + whole_bytes)
    if not count:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return count
