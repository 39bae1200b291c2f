"""Which projects the user trusts, and where a project begins.

Trust stands in the user's file under `[projects."/abs/path"]`. It is looked up for the folder
itself, then for the project's root, then for the repository a worktree belongs to.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

TrustLevel: TypeAlias = Literal["trusted", "untrusted"]

DEFAULT_ROOT_MARKERS = (".git",)


def project_root(cwd: Path, markers: Iterable[str] = DEFAULT_ROOT_MARKERS) -> Path:
    """The nearest folder at or above `cwd` that holds one of the markers, else `cwd`."""
    names = tuple(markers)
    for folder in (cwd, *cwd.parents):
        if any(os.path.lexists(folder / name) for name in names):
            return folder
    return cwd


def repository_root(cwd: Path) -> Path | None:
    """The main working tree of the repository around `cwd`; None outside of repositories.

    A linked worktree answers with the tree it was made from.
    """
    root = project_root(cwd)
    dot_git = root / ".git"
    if dot_git.is_dir():
        return root
    try:
        pointer = dot_git.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not pointer.startswith("gitdir:"):
        return None
    git_folder = Path(os.path.normpath(root / pointer.removeprefix("gitdir:").strip()))
    if git_folder.parent.name == "worktrees":
        return git_folder.parent.parent.parent
    return root


def trust_key(folder: Path) -> str:
    """The key of a folder under `[projects]`."""
    return os.path.realpath(folder)


def decided_trust(
    projects: Mapping[str, Any], cwd: Path, markers: Iterable[str] = DEFAULT_ROOT_MARKERS
) -> TrustLevel | None:
    """What the table of projects says of `cwd`; None if nothing."""
    if not projects:
        return None
    root = project_root(cwd, markers)
    for folder in (cwd, root, repository_root(root)):
        if folder is None:
            continue
        for key in (trust_key(folder), str(folder)):
            entry = projects.get(key)
            level = entry.get("trust_level") if isinstance(entry, Mapping) else None
            if level == "trusted":
                return "trusted"
            if level == "untrusted":
                return "untrusted"
    return None


def trust_target(cwd: Path) -> Path:
    """The folder a decision about `cwd` is recorded for: its repository's root, else itself."""
    return repository_root(cwd) or cwd


def trust_level(codex_home: Path, cwd: Path) -> TrustLevel | None:
    """What the user decided about the project around `cwd`; None: nothing yet."""
    from app_server.config.load import load_config

    return load_config(codex_home, cwd).config.trust_level


def trust(codex_home: Path, cwd: Path, level: TrustLevel = "trusted") -> Path:
    """Record a decision in the user's file; returns the folder it holds for.

    Writes a file; call it off the loop.
    """
    from app_server.config.edit import Edit, edit_file  # with tomlkit, 30 ms, for writing only

    target = trust_target(cwd)
    edit_file(
        codex_home / "config.toml",
        [Edit(("projects", trust_key(target), "trust_level"), level)],
    )
    return target
