"""Appends lines to one thread's file: every append has reached the kernel when it returns.

A new thread's file appears with the first append (the first turn), although its path is known from
the start; the opening lines go in front. A file that does not end in a newline gets one first, so
a torn line never swallows a new one. When the disk refuses, a half-written line is taken back, the
lines stay in memory in their order, and the next append or `flush` tries them again. Where the file
goes, the lines follow (`HeldFile`).

Appends are synchronous and small; they are made on the event loop so that nothing is announced
before it is stored. One writer per file.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app_server import clock
from app_server.storage.held_file import HeldFile
from app_server.storage.rollout import RolloutItem, RolloutLine, encode_line


class RolloutWriter:
    """The one writer of a thread's file.

    `opening` are the lines a new file starts with: its `SessionMeta`, and for a fork the parent's
    lines. For an existing file give none.
    """

    def __init__(self, path: Path, opening: Sequence[RolloutItem | RolloutLine] = ()) -> None:
        self._file = HeldFile(path, creates=bool(opening))
        self._unwritten: deque[bytes] = deque()
        self._was_appended_to = False
        self._keep(opening)

    @property
    def path(self) -> Path:
        """Where the file is now, as far as is known."""
        return self._file.seen_at()

    def moved_to(self, path: Path) -> None:
        """Go on there: whoever calls this has moved the file."""
        self._file.path = path

    def hold(self) -> None:
        """Keep an existing file within reach, whatever others do to it before the next append.

        One that cannot be opened for writing is tried again with the append.
        """
        with suppress(OSError):
            self._file.open()

    @property
    def has_unwritten(self) -> bool:
        """Whether lines wait in memory: nothing was appended yet, or the disk refused."""
        return bool(self._unwritten)

    def begin(self) -> None:
        """Write the opening lines without waiting for a first append. Raises OSError."""
        self.flush()

    def append(self, items: Sequence[RolloutItem | RolloutLine]) -> bool:
        """Write the items as lines and hand them to the kernel.

        Returns whether the file had been deleted and was written again. Raises OSError when that
        fails; the items are kept and tried again with the next call.
        """
        self._was_appended_to = True
        self._keep(items)
        return self.flush()

    def flush(self) -> bool:
        """Write what is waiting; answers and raises as `append`."""
        if not self._unwritten:
            return False
        descriptor, was_deleted = self._file.ready()
        while self._unwritten:
            batch = list(self._unwritten)
            written_lines = _write_whole_lines(descriptor, batch)
            for _ in range(written_lines):
                self._unwritten.popleft()
        return was_deleted

    def close(self) -> None:
        """Write what is waiting and let go of the file.

        A thread that never had a turn leaves no file. Raises OSError when lines remain unwritten.
        """
        try:
            if self._was_appended_to or self._file.is_open:
                self.flush()
        finally:
            self._file.close()

    def _keep(self, items: Sequence[RolloutItem | RolloutLine]) -> None:
        timestamp = clock.utc_timestamp()
        self._unwritten.extend(encode_line(item, timestamp) for item in items)


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
