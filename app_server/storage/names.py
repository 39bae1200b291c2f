"""Names of threads: `session_index.jsonl`, append only, the newest line of a thread counts.

Shared with the original and between servers: a line is appended whole, under a lock, and a line
somebody else wrote counts at once.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from app_server import clock

FILE_MODE = 0o600


class _NameLine(msgspec.Struct):
    id: str
    thread_name: str
    updated_at: str


_decoder = msgspec.json.Decoder(_NameLine)


def index_path(codex_home: Path) -> Path:
    return codex_home / "session_index.jsonl"


def set_name(codex_home: Path, thread_id: str, name: str) -> None:
    """Give a thread a name; "" takes it away. Raises OSError."""
    entry = _NameLine(id=thread_id, thread_name=name, updated_at=clock.utc_timestamp())
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(index_path(codex_home), flags, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size_bytes = os.fstat(descriptor).st_size
        is_torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
        line = msgspec.json.encode(entry) + b"\n"
        os.write(descriptor, b"\n" + line if is_torn else line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def current_names(codex_home: Path) -> dict[str, str]:
    """Thread id → name, for every thread that has one. The most recently named come last."""
    names: dict[str, str] = {}
    for entry in _entries(codex_home):
        names.pop(entry.id, None)
        names[entry.id] = entry.thread_name
    return {thread_id: name for thread_id, name in names.items() if name}


def name_of(codex_home: Path, thread_id: str) -> str | None:
    """The name of one thread; None if it has none."""
    return current_names(codex_home).get(thread_id)


def ids_named(codex_home: Path, name: str) -> list[str]:
    """The threads that bear this name now, the most recently named first."""
    current = current_names(codex_home)
    return [thread_id for thread_id in reversed(current) if current[thread_id] == name]


def _entries(codex_home: Path) -> list[_NameLine]:
    try:
        content = index_path(codex_home).read_bytes()
    except OSError:
        return []
    entries: list[_NameLine] = []
    for line in content.split(b"\n"):
        try:
            entries.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return entries
