"""The sandbox a client of release 0.128 or later demands, as a policy of ours.

A demand is a permission profile: entries that open places to reading and writing. Ours read
everything, write below roots and keep `.git`, `.agents` and `.codex` there as they are. A profile
that asks for less than can be promised that way is refused, never widened.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import msgspec

from app_server.exec_server.locations import local_path
from app_server.exec_server.protocol import INVALID_PARAMS, ServiceError

if TYPE_CHECKING:
    from app_server.protocol.permissions import SandboxPolicy

KEPT_NAMES = frozenset({".git", ".agents", ".codex"})
"""What our sandbox leaves as it is below every writable root."""


class Confinement(msgspec.Struct, frozen=True):
    """What holds for a command or a file."""

    policy: SandboxPolicy
    folder: str
    """The folder the policy speaks of."""


class _Special(msgspec.Struct):
    kind: str
    subpath: str | None = None


class _Place(msgspec.Struct):
    type: str
    value: _Special | None = None
    path: str | None = None


class _Entry(msgspec.Struct):
    path: _Place
    access: str


class _Files(msgspec.Struct):
    type: str
    entries: list[_Entry] = []


class _Permissions(msgspec.Struct):
    type: Literal["disabled", "external", "managed"]
    file_system: _Files | None = None
    network: Literal["restricted", "enabled"] = "restricted"


class _Demand(msgspec.Struct):
    permissions: _Permissions
    cwd: str | None = None


_decoder = msgspec.json.Decoder(_Demand | None)


def demanded(sandbox: msgspec.Raw, cwd: str | None = None) -> Confinement | None:
    """What a request's `sandbox` demands; None for nothing.

    `cwd` is the folder meant where the demand names none. Raises `ServiceError` if it cannot be
    kept.
    """
    try:
        demand = _decoder.decode(bytes(sandbox) or b"null")
    except msgspec.MsgspecError as error:
        raise _refusal(str(error)) from None
    if demand is None or demand.permissions.type == "disabled":
        return None
    permissions = demand.permissions
    if permissions.type != "managed" or permissions.file_system is None:
        raise _refusal(f"permissions of the type `{permissions.type}`")
    if permissions.file_system.type != "restricted":
        raise _refusal(f"a file system of the type `{permissions.file_system.type}`")
    folder = local_path(demand.cwd or cwd or "")
    if folder is None:
        raise _refusal("a sandbox without a folder")
    is_networked = permissions.network == "enabled"
    return Confinement(_policy(permissions.file_system.entries, folder, is_networked), folder)


def _policy(entries: list[_Entry], folder: str, is_networked: bool) -> SandboxPolicy:
    from app_server.protocol.permissions import (
        ReadOnlySandboxPolicy,
        WorkspaceWriteSandboxPolicy,
    )

    opened: set[str] = set()
    roots: list[str] = []
    kept: list[str] = []
    reads_all = False
    for entry in entries:
        place = entry.path
        special = place.value if place.type == "special" else None
        kind = None if special is None else special.kind
        subpath = None if special is None else special.subpath
        match entry.access, kind:
            case "read", "root":
                reads_all = True
            case "read", "project_roots" if subpath in KEPT_NAMES:
                pass
            case "read", "minimal":
                pass
            case "write", "project_roots" | "slash_tmp" | "tmpdir" if subpath is None and kind:
                opened.add(kind)
            case "write", None if place.type == "path":
                roots.append(_root(place))
            case "read", None if place.type == "path":
                kept.append(_root(place))
            case _:
                raise _refusal(f"{entry.access} access to {_named(place)}")
    writable = [*roots, *_places(opened, folder)]
    for path in kept:
        if not _stays_as_it_is(path, writable):
            raise _refusal(f"read access to {path}")
    if not reads_all:
        raise _refusal("a profile that does not let everything be read")
    if not opened and not roots:
        return ReadOnlySandboxPolicy(network_access=is_networked)
    if "project_roots" not in opened:
        raise _refusal("writing outside the workspace and not in it")
    return WorkspaceWriteSandboxPolicy(
        writable_roots=roots,
        network_access=is_networked,
        exclude_slash_tmp="slash_tmp" not in opened,
        exclude_tmpdir_env_var="tmpdir" not in opened,
    )


def _root(place: _Place) -> str:
    path = local_path(place.path or "")
    if path is None:
        raise _refusal(f"a place that is not absolute: {place.path}")
    return path


def _places(opened: set[str], folder: str) -> list[str]:
    places = {"project_roots": folder, "slash_tmp": "/tmp", "tmpdir": os.environ.get("TMPDIR", "")}
    return [places[kind] for kind in opened if places[kind]]


def _stays_as_it_is(path: str, writable: list[str]) -> bool:
    """Whether our sandbox keeps this path: it is below no root, or one of the names kept there."""
    real = os.path.realpath(path)
    roots = [os.path.realpath(root) for root in writable]
    above = [root for root in roots if real == root or real.startswith(root.rstrip("/") + "/")]
    return all(
        os.path.dirname(real) == root and os.path.basename(real) in KEPT_NAMES for root in above
    )


def _named(place: _Place) -> str:
    if place.value is None:
        return place.path or place.type
    below = place.value.subpath
    return place.value.kind if below is None else f"{place.value.kind}/{below}"


def _refusal(what: str) -> ServiceError:
    return ServiceError(INVALID_PARAMS, f"this sandbox cannot be kept here: {what}")
