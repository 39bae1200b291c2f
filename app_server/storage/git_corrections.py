"""What clients have corrected of the repository a thread was begun in.

`thread_git.jsonl`, append only; the newest line of a thread counts, as a whole. A file of its own
because a thread's first line, which holds what was true at its beginning, never changes.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from app_server import clock
from app_server.protocol.thread_data import GitInfo
from app_server.storage.appended import append_line, read_lines


class _Line(msgspec.Struct):
    id: str
    git: GitInfo
    updated_at: str


_decoder = msgspec.json.Decoder(_Line)


def correct_git(codex_home: Path, thread_id: str, git: GitInfo) -> None:
    """Record all that is now known of a thread's repository. Raises OSError."""
    line = _Line(id=thread_id, git=git, updated_at=clock.utc_timestamp())
    append_line(_path(codex_home), line)


def corrected_git(codex_home: Path) -> dict[str, GitInfo]:
    """Thread id → its corrected facts, for every thread that was corrected."""
    return {line.id: line.git for line in read_lines(_path(codex_home), _decoder)}


def _path(codex_home: Path) -> Path:
    return codex_home / "thread_git.jsonl"
