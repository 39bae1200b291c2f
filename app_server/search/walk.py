"""The files and folders below a root, without what its repository ignores.

Inside a git repository git itself is asked, so every ignore rule counts; elsewhere the folders are
walked. Hidden entries are listed, `.git` never is. Links are listed, not followed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app_server.repositories import holds_repository

MAX_ENTRIES = 200_000
GIT_TIMEOUT_SECONDS = 20.0


class Entry(msgspec.Struct, frozen=True):
    """A path below the root, with `/` between its parts."""

    path: str
    is_folder: bool


def walk(root: Path) -> list[Entry]:
    """All entries, at most `MAX_ENTRIES`. Blocks on the disk; call it off the event loop."""
    files = _asked_from_git(root)
    if files is None:
        return list(_walked(root))
    return _with_folders(files)


def _asked_from_git(root: Path) -> list[str] | None:
    """The files git would show; None outside of a repository."""
    if not any(holds_repository(folder) for folder in (root, *root.parents)):
        return None
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard", "--deduplicate"]
    try:
        listed = subprocess.run(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if listed.returncode != 0:
        return None
    names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    return [name for name in names[:MAX_ENTRIES] if os.path.lexists(root / name)]


def _with_folders(files: list[str]) -> list[Entry]:
    folders: dict[str, None] = {}
    for name in files:
        folder = os.path.dirname(name)
        while folder and folder not in folders:
            folders[folder] = None
            folder = os.path.dirname(folder)
    entries = [Entry(name.rstrip("/"), name.endswith("/")) for name in files]
    return entries + [Entry(folder, True) for folder in folders]


def _walked(root: Path) -> Iterator[Entry]:
    left = MAX_ENTRIES
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        prefix = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if prefix == "." else prefix + "/"
        for names, are_folders in ((folders, True), (sorted(files), False)):
            for name in names:
                if not left:
                    return
                left -= 1
                yield Entry(prefix + name, are_folders)
