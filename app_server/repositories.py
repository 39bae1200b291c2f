"""Telling a git repository from a place that only looks like one."""

import os
from pathlib import Path


def holds_repository(folder: Path) -> bool:
    """Whether `.git` in a folder is a repository's: a folder with a HEAD, or a file that points on.

    An empty folder of that name is none. Git ignores it too, and a sandbox leaves one wherever a
    writable folder has no repository, for as long as a command runs.
    """
    dot_git = folder / ".git"
    return os.path.lexists(dot_git / "HEAD") or os.path.isfile(dot_git)
