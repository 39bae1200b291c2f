"""The sandbox a client of release 0.128 or later demands, as a policy of ours.

A demand is a permission profile: entries that open places to reading and writing, or hide them.
Ours read everything else, write below roots and keep places there as they are, `.git`, `.agents`
and `.codex` in any case. A profile that asks for less than can be promised that way is refused,
never widened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from app_server.exec_server.locations import URI_PREFIX, local_path
from app_server.exec_server.protocol import INVALID_PARAMS, ServiceError

if TYPE_CHECKING:
    from app_server.sandbox.wishes import Grant, Permissions


class Confinement(msgspec.Struct, frozen=True):
    """What holds for a command or a file."""

    policy: Permissions
    folder: str
    """The folder the policy speaks of."""
    protected: tuple[str, ...] = ()
    """Places below the writable ones that stay as they are, besides those of every policy."""
    hides: bool = False
    """Whether some places are not even to be read."""


class _Special(msgspec.Struct):
    kind: str
    subpath: str | None = None


class _Place(msgspec.Struct):
    type: str
    value: _Special | None = None
    path: str | None = None
    pattern: str | None = None


class _Entry(msgspec.Struct):
    path: _Place
    access: Literal["read", "write", "none"]
    missing_path_behavior: str | None = None
    """`skip`: where there is nothing, nothing is kept."""


class _Files(msgspec.Struct):
    type: str
    entries: list[_Entry] = []
    glob_scan_max_depth: int | None = None


class _Permissions(msgspec.Struct):
    type: Literal["disabled", "external", "managed"]
    file_system: _Files | None = None
    network: Literal["restricted", "enabled"] = "restricted"


class _Demand(msgspec.Struct, rename="camel"):
    permissions: _Permissions
    cwd: str | None = None
    workspace_roots: list[str] = []


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
    folders = [_absolute(path) for path in demand.workspace_roots or [demand.cwd or cwd or ""]]
    is_networked = permissions.network == "enabled"
    if any(entry.access == "none" for entry in permissions.file_system.entries):
        return _hiding(permissions.file_system, folders, is_networked)
    return _confinement(permissions.file_system.entries, folders, is_networked)


def check_reading(sandbox: msgspec.Raw) -> None:
    """Raises `ServiceError` unless everything may be read under what a request demands: looking at
    files is not confined."""
    demand = demanded(sandbox)
    if demand is not None and demand.hides:
        raise _refusal("looking at files where some are hidden")


def _confinement(entries: list[_Entry], folders: list[str], is_networked: bool) -> Confinement:
    """`folders` are the project's; the first is the one the policy speaks of."""
    from app_server.protocol.permissions import (
        ReadOnlySandboxPolicy,
        WorkspaceWriteSandboxPolicy,
    )

    opened: set[str] = set()
    roots: list[str] = []
    kept: list[str] = []
    reads_all = False
    for entry in entries:
        special = entry.path.value if entry.path.type == "special" else None
        kind = None if special is None else special.kind
        subpath = None if special is None else special.subpath
        match entry.access, kind:
            case "read", "root":
                reads_all = True
            case "read", "minimal":
                pass
            case "read", "project_roots" if subpath is not None:
                kept += _missing_skipped(entry, [_below(folder, subpath) for folder in folders])
            case "write", "project_roots" | "slash_tmp" | "tmpdir" if subpath is None and kind:
                opened.add(kind)
            case "write", None if entry.path.type == "path":
                roots.append(_absolute(entry.path.path or ""))
            case "read", None if entry.path.type == "path":
                kept += _missing_skipped(entry, [_absolute(entry.path.path or "")])
            case _:
                raise _refusal(f"{entry.access} access to {_named(entry.path)}")
    if not reads_all:
        raise _refusal("a profile that does not let everything be read")
    if not opened and not roots:
        return Confinement(ReadOnlySandboxPolicy(network_access=is_networked), folders[0])
    if "project_roots" not in opened:
        raise _refusal("writing outside the workspace and not in it")
    policy = WorkspaceWriteSandboxPolicy(
        writable_roots=[*folders[1:], *roots],
        network_access=is_networked,
        exclude_slash_tmp="slash_tmp" not in opened,
        exclude_tmpdir_env_var="tmpdir" not in opened,
    )
    return Confinement(policy, folders[0], tuple(dict.fromkeys(kept)))


def _hiding(files: _Files, folders: list[str], is_networked: bool) -> Confinement:
    """The same for a profile that hides places."""
    from app_server.sandbox.wishes import Grants

    grants = [grant for entry in files.entries for grant in _granted(entry, folders)]
    if not any(grant.where == "root" and grant.access == "read" for grant in grants):
        raise _refusal("a profile that does not let everything else be read")
    depth = files.glob_scan_max_depth
    return Confinement(Grants(tuple(grants), is_networked, depth), folders[0], hides=True)


def _granted(entry: _Entry, folders: list[str]) -> Iterator[Grant]:
    from app_server.sandbox.wishes import Grant

    place, access = entry.path, entry.access
    kind = None if place.value is None else place.value.kind
    subpath = None if place.value is None else place.value.subpath
    if place.type == "glob_pattern" and access == "none" and place.pattern:
        if place.pattern.startswith(URI_PREFIX):
            raise _refusal(f"the pattern {place.pattern}")
        for folder in folders:
            yield Grant(access, "pattern", os.path.join(folder, place.pattern))
        return
    match place.type, kind:
        case "path", _:
            paths = [_absolute(place.path or "")]
        case "special", "project_roots":
            paths = [_below(each, subpath) if subpath else each for each in folders]
        case "special", "root" | "minimal" | "slash_tmp" | "tmpdir" if subpath is None:
            yield Grant(access, kind)
            return
        case _:
            raise _refusal(f"{access} access to {_named(place)}")
    for path in _missing_skipped(entry, paths):
        yield Grant(access, "path", path)


def _missing_skipped(entry: _Entry, paths: list[str]) -> list[str]:
    if entry.missing_path_behavior != "skip":
        return paths
    return [path for path in paths if os.path.lexists(path)]


def _below(folder: str, subpath: str) -> str:
    path = os.path.normpath(os.path.join(folder, subpath))
    if not path.startswith(folder.rstrip("/") + "/"):
        raise _refusal(f"a place that is not in the workspace: {subpath}")
    return path


def _absolute(text: str) -> str:
    path = local_path(text)
    if path is None:
        raise _refusal(f"a place that is not absolute: {text}")
    return os.path.normpath(path)


def _named(place: _Place) -> str:
    if place.value is None:
        return place.path or place.pattern or place.type
    below = place.value.subpath
    return place.value.kind if below is None else f"{place.value.kind}/{below}"


def _refusal(what: str) -> ServiceError:
    return ServiceError(INVALID_PARAMS, f"this sandbox cannot be kept here: {what}")
