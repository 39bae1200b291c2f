"""One thread's file, kept open for hours while other programs may move, replace or delete it.

What is appended always reaches the file that readers find: a moved file is found again, one that
took its place is gone on with, and a deleted one is written again from what is still open. Knows of
lines only that each ends in a newline.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from app_server.paths import make_private_folder
from app_server.storage.files import moved_places

log = logging.getLogger(__name__)

FILE_MODE = 0o600
CHUNK_BYTES = 1024 * 1024


class HeldFile:
    def __init__(self, path: Path, *, creates: bool) -> None:
        """`creates`: the file is new; without it a file that is not there is an error."""
        self.path = path
        """Where it was last seen."""
        self._creates = creates
        self._descriptor: int | None = None
        self._may_be_torn = False

    @property
    def is_open(self) -> bool:
        return self._descriptor is not None

    def open(self) -> None:
        """Take hold of the file. Raises OSError."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        if self._creates:
            make_private_folder(self.path.parent)
            flags |= os.O_CREAT
        self._descriptor = os.open(self.path, flags, FILE_MODE)
        self._may_be_torn = True

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def seen_at(self) -> Path:
        """Where the file is now, as far as that can be told."""
        if self._descriptor is not None and _stat(self.path) is None:
            self._find(os.fstat(self._descriptor))
        return self.path

    def ready(self) -> tuple[int, bool]:
        """The descriptor to append to, at the start of a line, and whether the file was deleted
        and had to be written again. Raises OSError; nothing is lost by it."""
        if self._descriptor is None:
            self.open()
            was_deleted = False
        else:
            was_deleted = self._follow(self._descriptor)
        assert self._descriptor is not None
        if self._may_be_torn:
            self._end_torn_line(self._descriptor)
            self._may_be_torn = False
        return self._descriptor, was_deleted

    def _follow(self, descriptor: int) -> bool:
        held, named = os.fstat(descriptor), _stat(self.path)
        if named is not None:
            if not os.path.samestat(held, named):
                log.warning("%s was replaced by another file", self.path)
                self.open()  # if it can be: until then what is held is all there is
                os.close(descriptor)
            return False
        if held.st_nlink:
            self._find(held)
            return False
        self._write_again(descriptor)
        return True

    def _find(self, held: os.stat_result) -> None:
        for place in moved_places(self.path):
            found = _stat(place)
            if found is not None and os.path.samestat(held, found):
                log.info("%s was moved to %s", self.path, place)
                self.path = place

    def _write_again(self, descriptor: int) -> None:
        log.warning("%s was deleted while it was in use; it is written again", self.path)
        make_private_folder(self.path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        copy = os.open(self.path, flags, FILE_MODE)
        try:
            copied = 0
            while chunk := os.pread(descriptor, CHUNK_BYTES, copied):
                copied += os.write(copy, chunk)
        except OSError:
            os.close(copy)
            os.unlink(self.path)
            raise
        os.close(descriptor)
        self._descriptor = copy

    def _end_torn_line(self, descriptor: int) -> None:
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes and os.pread(descriptor, 1, size_bytes - 1) != b"\n":
            log.warning("%s ended in a torn line", self.path)
            os.write(descriptor, b"\n")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
