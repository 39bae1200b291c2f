"""What lies in a writable place and must stay as it is, and what it takes to hold it there.

Under every writable root `.git`, `.codex` and `.agents` decide what runs later, outside. Holding
such a path takes more than making it read-only: a missing one must not come into being, a link must
neither be replaced nor lead to something writable, a `.git` file's real folder counts as well, and
no folder on the way may be renamed with everything in it. Where a path lies in an outer root and
in an inner one, the folders between them count, too. Pure reading; the mechanisms do the holding.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app_server.regular_files import read_regular_file
from app_server.sandbox.trace import Trace, is_below, is_below_any, parents, trace

PROTECTED_NAMES = (".git", ".codex", ".agents")
"""Metadata that stays read-only under every writable root: it decides what runs later."""

_LONGEST_GIT_FILE_BYTES = 8192


class Protection(NamedTuple):
    """How to hold what is protected. All paths are link-free, and sorted."""

    read_only: tuple[str, ...] = ()
    """Existing paths to be made read-only."""
    missing: tuple[str, ...] = ()
    """Paths that do not exist, or are empty directories that may be another command's cover: to be
    covered by an empty read-only directory."""
    links: tuple[str, ...] = ()
    """Symbolic links that must not be replaced."""
    anchors: tuple[str, ...] = ()
    """Directories that may be written but not be renamed, because something held lies in them."""


def protect(roots: Sequence[str], also: Iterable[str] = (), *, names: bool = True) -> Protection:
    """What is to be held under these link-free roots; `also` names further paths to keep, `names`
    says whether the metadata is held."""
    survey = _Survey(roots)
    for root in roots:
        for name in PROTECTED_NAMES if names else ():
            survey.keep(os.path.join(root, name))
        survey.anchor(root)
    for path in also:
        survey.keep(path)
    return survey.result()


class _Survey:
    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._read_only: set[str] = set()
        self._missing: set[str] = set()
        self._links: set[str] = set()
        self._anchors: set[str] = set()
        self._seen: set[str] = set()

    def result(self) -> Protection:
        opened = set(self._roots)
        return Protection(
            read_only=tuple(sorted(self._read_only - opened)),
            missing=tuple(sorted(self._missing)),
            links=tuple(sorted(self._links)),
            anchors=tuple(sorted(filter(self._is_writable, self._anchors - opened))),
        )

    def _is_writable(self, folder: str) -> bool:
        """Whether the nearest of what was opened and what is held around a folder opens it."""
        held = self._read_only | self._missing
        around = [path for path in (*self._roots, *held) if is_below(folder, path)]
        return max(around, key=len, default="") not in held - set(self._roots)

    def keep(self, path: str) -> None:
        """Hold one path, whatever it is now."""
        if path in self._seen:
            return
        self._seen.add(path)
        try:
            found = trace(path)
        except OSError:
            return  # we may not look, and a command has our rights at most
        for link in found.links:
            if is_below_any(link, self._roots) and _can_be_replaced(link):
                self._links.add(link)
                self.anchor(link)
        if found.is_endless:
            return
        if is_below_any(found.real, self._roots):
            self._hold(found)
        if os.path.basename(path) == ".git" and found.is_file:
            self._keep_git_folder(found.real)

    def _hold(self, found: Trace) -> None:
        if found.kind is None:
            if not _can_be_created(found.real):
                return
            self._missing.add(found.real)
        elif found.is_directory and _is_empty_and_readable(found.real):
            self._missing.add(found.real)
        else:
            self._read_only.add(found.real)
        self.anchor(found.real)

    def anchor(self, path: str) -> None:
        """Keep the writable folders a path lies in from being renamed."""
        self._anchors.update(
            parent for parent in parents(path) if is_below_any(parent, self._roots)
        )

    def _keep_git_folder(self, git_file: str) -> None:
        """A `.git` file says where the real folder is; a worktree's folder, where the rest is."""
        folder = _pointed_to(git_file, prefix="gitdir:")
        if folder is None:
            return
        self.keep(folder)
        common = _pointed_to(os.path.join(folder, "commondir"))
        if common is not None:
            self.keep(common)


def _pointed_to(path: str, prefix: str = "") -> str | None:
    """The path a small text file consists of, made absolute against the file's own folder."""
    try:
        line = os.fsdecode(read_regular_file(path, _LONGEST_GIT_FILE_BYTES)).strip()
    except OSError:
        return None
    if not line.startswith(prefix):
        return None
    target = line.removeprefix(prefix).strip()
    return os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else None


def _can_be_created(path: str) -> bool:
    return os.access(os.path.dirname(path), os.W_OK | os.X_OK, effective_ids=True)


def _can_be_replaced(link: str) -> bool:
    """Whether a process of this user, without privileges, could remove the link."""
    folder = os.path.dirname(link)
    if not _can_be_created(link):
        return False
    try:
        around, itself = os.stat(folder), os.lstat(link)
    except OSError:
        return True
    is_sticky = bool(around.st_mode & stat.S_ISVTX)
    return not is_sticky or os.geteuid() in (around.st_uid, itself.st_uid)


def _is_empty_and_readable(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False
