"""Following a path by hand: where it leads, and every symbolic link on the way.

`os.path.realpath` tells where a path leads today. A sandbox also has to know which links decided
that, since whoever can replace one of them decides where the path leads tomorrow.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MOST_LINKS = 40
"""As many as the kernel follows."""


class Trace(NamedTuple):
    """Where a path leads."""

    real: str
    """Free of links; of a missing path the part that exists, and the first missing name."""
    kind: int | None
    """The file type bits (`stat.S_IFMT`) of what is there; None if it does not exist."""
    links: tuple[str, ...]
    """The links followed, each by its own link-free path."""
    is_endless: bool = False
    """The links lead round in a circle."""

    @property
    def is_directory(self) -> bool:
        return self.kind == stat.S_IFDIR

    @property
    def is_file(self) -> bool:
        return self.kind == stat.S_IFREG


def trace(path: str) -> Trace:
    """Follow an absolute path. Raises `OSError` where a directory on the way cannot be searched."""
    waiting = [name for name in reversed(path.split("/")) if name]
    here = "/"
    kind: int | None = stat.S_IFDIR
    links: list[str] = []
    while waiting:
        name = waiting.pop()
        if name == ".":
            continue
        if name == "..":
            here = os.path.dirname(here)
            continue
        step = os.path.join(here, name)
        try:
            kind = stat.S_IFMT(os.lstat(step).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return Trace(real=step, kind=None, links=tuple(links))
        if kind != stat.S_IFLNK:
            here = step
            continue
        links.append(step)
        if len(links) > _MOST_LINKS:
            return Trace(real=step, kind=kind, links=tuple(links), is_endless=True)
        target = os.readlink(step)
        if target.startswith("/"):
            here = "/"
        waiting += [part for part in reversed(target.split("/")) if part]
        kind = stat.S_IFDIR
    if here == "/":
        kind = stat.S_IFDIR
    return Trace(real=here, kind=kind, links=tuple(links))


def is_below(path: str, folder: str) -> bool:
    """Whether a link-free path is `folder` or lies in it."""
    return path == folder or path.startswith(folder if folder.endswith("/") else folder + "/")


def is_below_any(path: str, folders: Iterable[str]) -> bool:
    return any(is_below(path, folder) for folder in folders)


def parents(path: str) -> Iterator[str]:
    """The folders a path lies in, nearest first, without `/`."""
    parent = os.path.dirname(path)
    while parent != "/":
        yield parent
        parent = os.path.dirname(parent)
