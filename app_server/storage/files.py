"""Where threads lie on disk: names of files, finding one by its id, all of them newest first.

`sessions/YYYY/MM/DD/rollout-{local date}T{local time}-{thread id}.jsonl`; archived ones lie flat in
`archived_sessions/`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from app_server import ids

SCAN_LIMIT = 10_000
"""Files looked at for one list; older ones are out of sight."""

_NAME = re.compile(
    r"rollout-(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})-"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl",
    re.IGNORECASE,
)


def sessions_folder(codex_home: Path) -> Path:
    return codex_home / "sessions"


def archive_folder(codex_home: Path) -> Path:
    return codex_home / "archived_sessions"


def rollout_path(codex_home: Path, thread_id: str, created_at: float) -> Path:
    """The file of a new thread; its folders may not exist yet."""
    local = time.localtime(created_at)
    name = f"rollout-{time.strftime('%Y-%m-%dT%H-%M-%S', local)}-{thread_id}.jsonl"
    return sessions_folder(codex_home) / time.strftime("%Y/%m/%d", local) / name


def dated_path(codex_home: Path, name: str) -> Path:
    """Where a file of this name lies when it is not archived."""
    return sessions_folder(codex_home) / name[8:12] / name[13:15] / name[16:18] / name


def moved_places(path: Path) -> tuple[Path, ...]:
    """Where a thread's file may be when it is not at `path`: put away, or brought back."""
    is_archived = path.parent.name == "archived_sessions"
    above = path.parents[1:2] if is_archived else path.parents[4:5]
    return tuple(
        place
        for home in above
        for place in (dated_path(home, path.name), archive_folder(home) / path.name)
        if place != path
    )


def thread_id_of(path: Path) -> str | None:
    """The thread id in a file's name; None if it is no thread's file."""
    match = _NAME.fullmatch(path.name)
    return match[2].lower() if match else None


def created_ms(path: Path) -> int:
    """When the thread was made, from its id, else from the time in the name; 0 if neither says."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return 0
    if match[2][14] == "7":
        return int(match[2].replace("-", "")[:12], 16)
    try:
        local = time.strptime(match[1], "%Y-%m-%dT%H-%M-%S")
        return int(time.mktime(local)) * 1000
    except (ValueError, OverflowError):
        return 0


def find_active(codex_home: Path, thread_id: str) -> Path | None:
    """The file of a thread that is not archived; None if there is none."""
    if not ids.is_uuid(thread_id):
        return None
    wanted = f"-{thread_id.lower()}.jsonl"
    return next((p for p in active_files(codex_home) if p.name.lower().endswith(wanted)), None)


def find_archived(codex_home: Path, thread_id: str) -> Path | None:
    if not ids.is_uuid(thread_id):
        return None
    wanted = f"-{thread_id.lower()}.jsonl"
    return next((p for p in archived_files(codex_home) if p.name.lower().endswith(wanted)), None)


def find(codex_home: Path, thread_id: str) -> Path | None:
    """The file of a thread, archived or not; None if there is none."""
    return find_active(codex_home, thread_id) or find_archived(codex_home, thread_id)


def active_files(codex_home: Path) -> Iterator[Path]:
    """All threads that are not archived, newest first by the time in their names."""
    for year in _descending(sessions_folder(codex_home), 4):
        for month in _descending(year, 2):
            for day in _descending(month, 2):
                yield from _threads(day)


def archived_files(codex_home: Path) -> Iterator[Path]:
    yield from _threads(archive_folder(codex_home))


def _descending(folder: Path, digits: int) -> list[Path]:
    try:
        names = [name for name in os.listdir(folder) if name.isdigit() and len(name) == digits]
    except OSError:
        return []
    return [folder / name for name in sorted(names, reverse=True)]


def _threads(folder: Path) -> list[Path]:
    try:
        names = [name for name in os.listdir(folder) if _NAME.fullmatch(name)]
    except OSError:
        return []
    return [folder / name for name in sorted(names, reverse=True)]
