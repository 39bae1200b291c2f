"""The order in which places are opened and closed: from the root downwards, deeper ones last."""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

from app_server.sandbox.policy import Access
from app_server.sandbox.trace import is_below, is_below_any

MountKind: TypeAlias = Literal["write", "read", "link", "close", "cover", "hide", "veil", "pass"]
"""A writable tree, a read-only one, a symbolic link that is to stay, a file or socket to be closed,
a folder to be covered, one nobody may look into, one that is only a way to what was opened in it,
and what stays to be seen of a covered folder."""

EMPTY_FOLDERS = frozenset(("cover", "hide", "veil"))
"""Kinds that are empty file systems, to be made read-only when all in them is there."""


def mounts(access: Access) -> list[tuple[str, MountKind]]:
    """Every place to be mounted over, once each, parents before what lies in them."""
    held = access.protection
    kinds: dict[str, MountKind] = {}
    kinds.update((path, "write") for path in held.anchors)
    kinds.update((path, "read") for path in (*held.read_only, *held.missing, *access.shown))
    kinds.update((path, "link") for path in held.links)
    kinds.update((root.path, "write") for root in access.writable_roots)
    kinds.update((path, "cover") for path in access.closed.folders)
    kinds.update((path, "pass") for path in access.closed.let_through)
    kinds.update((path, "close") for path in access.closed.files)
    kinds = {path: kind for path, kind in kinds.items() if _is_seen(path, access)}
    for path in access.hidden:
        if not os.path.isdir(path):
            kinds[path] = "close"
        elif any(is_below(other, path) and other != path for other in kinds):
            kinds[path] = "veil"
        else:
            kinds[path] = "hide"
    return sorted(kinds.items(), key=lambda entry: entry[0].split("/"))


def _is_seen(path: str, access: Access) -> bool:
    """Whether a place is there for the command at all: nothing brings back what is hidden but what
    was opened in it."""
    if access.readable is not None and not is_below_any(path, access.readable):
        return False
    hiding = [len(hidden) for hidden in access.hidden if is_below(path, hidden) and path != hidden]
    if not hiding:
        return True
    opened = (*(root.path for root in access.writable_roots), *access.shown)
    showing = (len(place) for place in opened if is_below(path, place))
    return max(showing, default=0) > max(hiding)
