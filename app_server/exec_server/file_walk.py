"""What lies below a folder, breadth first, within limits.

Other links than those to folders, and whatever is neither file nor folder, are left out; a folder
that several links lead to is entered once. A folder that cannot be read is told and passed over.
"""

from __future__ import annotations

import os
from collections import deque

from app_server.exec_server.file_methods import WalkEntry, WalkError, WalkParams, WalkResult
from app_server.exec_server.locations import URI_PREFIX, uri

MOST_ENTRIES = 100_000


def walk(params: WalkParams, root: str) -> WalkResult:
    """Raises `OSError` if there is nothing at `root`."""
    options = params.options
    named = uri if params.path.startswith(URI_PREFIX) else str
    most_entries = min(options.max_entries, MOST_ENTRIES)
    entries: list[WalkEntry] = []
    errors: list[WalkError] = []
    is_truncated = False
    seen = {_identity(root)}
    waiting = deque([(root, 1)]) if os.path.isdir(root) else deque()
    while waiting:
        folder, depth = waiting.popleft()
        try:
            with os.scandir(folder) as found:
                inside = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            errors.append(WalkError(path=named(folder), message=str(error.strerror)))
            continue
        for entry in inside:
            is_followed = entry.is_symlink() and options.follow_directory_symlinks
            is_folder = entry.is_dir(follow_symlinks=is_followed)
            if not is_folder and not entry.is_file(follow_symlinks=False):
                continue
            if len(entries) >= most_entries:
                return WalkResult(entries=entries, errors=errors, truncated=True)
            entries.append(
                WalkEntry(path=named(entry.path), kind="directory" if is_folder else "file")
            )
            if not is_folder or depth >= options.max_depth:
                continue
            if len(seen) >= options.max_directories:
                is_truncated = True
            elif (identity := _identity(entry.path)) not in seen:
                seen.add(identity)
                waiting.append((entry.path, depth + 1))
    return WalkResult(entries=entries, errors=errors, truncated=is_truncated)


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino
