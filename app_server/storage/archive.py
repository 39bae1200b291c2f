"""Moving threads out of sight and back."""

from __future__ import annotations

import os
from pathlib import Path

from app_server.paths import make_private_folder
from app_server.storage.errors import RolloutNotFound
from app_server.storage.files import archive_folder, dated_path, find_active, find_archived


def archive(codex_home: Path, thread_id: str) -> Path:
    """Move a thread's file into the archive; returns where it is now.

    Raises `RolloutNotFound` if there is no file outside of the archive.
    """
    path = find_active(codex_home, thread_id)
    if path is None:
        raise RolloutNotFound(thread_id)
    target = archive_folder(codex_home) / path.name
    make_private_folder(target.parent)
    os.rename(path, target)
    return target


def unarchive(codex_home: Path, thread_id: str) -> Path:
    """Move a thread's file back to its date's folder and mark it as just changed.

    Raises `RolloutNotFound` if it is not in the archive.
    """
    path = find_archived(codex_home, thread_id)
    if path is None:
        raise RolloutNotFound(thread_id)
    target = dated_path(codex_home, path.name)
    make_private_folder(target.parent)
    os.rename(path, target)
    os.utime(target)
    return target
