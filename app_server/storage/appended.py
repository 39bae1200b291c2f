"""Files of one JSON object a line that several servers append to.

A line is appended whole, under a lock; one that was torn by a crash costs only itself; a line
somebody else wrote counts at once.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

FILE_MODE = 0o600

LineT = TypeVar("LineT")


def append_line(path: Path, entry: msgspec.Struct) -> None:
    """Append one entry; the file is made (0600) with the first. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size_bytes = os.fstat(descriptor).st_size
        is_torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
        line = msgspec.json.encode(entry) + b"\n"
        os.write(descriptor, b"\n" + line if is_torn else line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(path: Path, decoder: msgspec.json.Decoder[LineT]) -> list[LineT]:
    """All entries that can be read, oldest first; none without a file."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    entries: list[Any] = []
    for line in content.split(b"\n"):
        try:
            entries.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return entries
