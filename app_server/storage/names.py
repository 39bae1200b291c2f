"""Names of threads: `session_index.jsonl`, append only, the newest line of a thread counts.

Shared with the original and between servers.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from app_server import clock
from app_server.storage.appended import append_line, read_lines


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
    append_line(index_path(codex_home), entry)


def current_names(codex_home: Path) -> dict[str, str]:
    """Thread id → name, for every thread that has one. The most recently named come last."""
    names: dict[str, str] = {}
    for entry in read_lines(index_path(codex_home), _decoder):
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
