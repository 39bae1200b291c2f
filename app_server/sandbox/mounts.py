"""The order in which places are opened and closed: from the root downwards, deeper ones last."""

from __future__ import annotations

from typing import Literal, TypeAlias

from app_server.sandbox.policy import Access

MountKind: TypeAlias = Literal["write", "read", "link", "close", "cover", "pass"]
"""A writable tree, a read-only one, a symbolic link that is to stay, a socket to be covered, a
folder to be covered, and what stays to be seen of it."""


def mounts(access: Access) -> list[tuple[str, MountKind]]:
    """Every place to be mounted over, once each, parents before what lies in them."""
    held = access.protection
    kinds: dict[str, MountKind] = {}
    kinds.update((path, "write") for path in held.anchors)
    kinds.update((path, "read") for path in (*held.read_only, *held.missing))
    kinds.update((path, "link") for path in held.links)
    kinds.update((root.path, "write") for root in access.writable_roots)
    kinds.update((path, "cover") for path in access.closed.folders)
    kinds.update((path, "pass") for path in access.closed.let_through)
    kinds.update((path, "close") for path in access.closed.files)
    return sorted(kinds.items(), key=lambda entry: entry[0].split("/"))
