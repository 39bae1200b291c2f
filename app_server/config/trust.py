"""Which projects the user trusts, and where a project begins.

Trust stands in the user's file under `[projects."/abs/path"]`. It is looked up for the folder
itself, then for the project's root, then for the repository a worktree belongs to.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from app_server.regular_files import read_regular_file
from app_server.repositories import holds_repository

TrustLevel: TypeAlias = Literal["trusted", "untrusted"]

DEFAULT_ROOT_MARKERS = (".git",)
_POINTER_BYTES = 8192


def project_root(cwd: Path, markers: Iterable[str] = DEFAULT_ROOT_MARKERS) -> Path:
    """The nearest folder at or above `cwd` that holds one of the markers, else `cwd`."""
    names = tuple(markers)
    for folder in (cwd, *cwd.parents):
        if any(_marks_top(folder, name) for name in names):
            return folder
    return cwd


def _marks_top(folder: Path, name: str) -> bool:
    return holds_repository(folder) if name == ".git" else os.path.lexists(folder / name)


def repository_root(cwd: Path) -> Path | None:
    """The main working tree of the repository around `cwd`; None outside of repositories.

    A linked worktree answers with the tree it was made from, provided that repository knows the
    worktree, too: a folder from anywhere must not pass for a part of one the user trusts.
    """
    root = project_root(cwd)
    dot_git = root / ".git"
    if dot_git.is_dir():
        return root
    pointer = _pointer(dot_git)
    if pointer is None or not pointer.startswith("gitdir:"):
        return None
    git_folder = Path(os.path.normpath(root / pointer.removeprefix("gitdir:").strip()))
    if git_folder.parent.name != "worktrees":
        return root
    back = _pointer(git_folder / "gitdir")
    if back is None or os.path.realpath(git_folder / back) != os.path.realpath(dot_git):
        return root
    return git_folder.parent.parent.parent


def _pointer(path: Path) -> str | None:
    """The text of one of git's small files; None where it is not one."""
    try:
        return read_regular_file(path, _POINTER_BYTES).decode("utf-8").strip()
    except (OSError, ValueError):
        return None


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
