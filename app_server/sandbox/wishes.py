"""What a policy or a permission profile asks for, as lists of places; nothing is looked up yet.

A policy is the short way to say it, a profile the long one: entries for paths, for patterns and for
places known by name. Where entries meet in one place the strictest holds, and deeper entries hold
against those above them. What cannot be kept is refused, never widened.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    DisabledPermissionProfile,
    ExternalPermissionProfile,
    ExternalSandboxSandboxPolicy,
    FileSystemAccessMode,
    FileSystemSandboxEntry,
    GlobPatternFileSystemPath,
    ManagedPermissionProfile,
    MinimalFileSystemSpecialPath,
    PathFileSystemPath,
    PermissionProfile,
    ProjectRootsFileSystemSpecialPath,
    RootFileSystemSpecialPath,
    SandboxPolicy,
    SlashTmpFileSystemSpecialPath,
    SpecialFileSystemPath,
    TmpdirFileSystemSpecialPath,
    UnrestrictedPermissionProfileFileSystemPermissions,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox.errors import SandboxUnavailable

Permissions: TypeAlias = SandboxPolicy | PermissionProfile

MINIMAL = (
    *("/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/opt"),
    *("/nix/store", "/run/current-system/sw", "/sys/devices/system/cpu"),
)
"""What programs need to start at all."""

_STRICTNESS: dict[FileSystemAccessMode, int] = {"read": 0, "write": 1, "none": 2}
"""Which of two entries for one place holds, as Codex orders them."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """All paths are absolute, and as they were named."""

    confined_by: Literal["nothing", "somebody else", "us"] = "us"
    network_allowed: bool = False
    workspace: str | None = None
    """A folder to be written in, wherever it leads."""
    writable: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    """To stay as they are although something above them may be written."""
    hidden: tuple[str, ...] = ()
    """Not even to be read."""
    hidden_patterns: tuple[str, ...] = ()
    pattern_depth: int | None = None
    """How many levels of folders the patterns are looked for in; None for all."""
    readable: tuple[str, ...] | None = None
    """All that may be read; None for everything."""
    keeps_names: bool = True
    """Whether what decides on later runs (`.git` and such) is kept from writing."""


def wishes(
    permissions: Permissions,
    cwd: str,
    env: Mapping[str, str],
    extra_writable: Sequence[str] = (),
    codex_home: str | None = None,
) -> Wishes:
    """Read a policy or profile for a command in `cwd` with this environment (its TMPDIR).

    Raises `SandboxUnavailable` for entries that cannot be understood or kept.
    """
    match permissions:
        case DangerFullAccessSandboxPolicy() | DisabledPermissionProfile():
            return Wishes(confined_by="nothing", network_allowed=True)
        case ExternalSandboxSandboxPolicy():
            enabled = permissions.network_access == "enabled"
            return Wishes(confined_by="somebody else", network_allowed=enabled)
        case ExternalPermissionProfile():
            enabled = permissions.network.enabled
            return Wishes(confined_by="somebody else", network_allowed=enabled)
        case ManagedPermissionProfile():
            return _of_profile(permissions, cwd, env, extra_writable)
        case WorkspaceWriteSandboxPolicy():
            writable = [*permissions.writable_roots, *extra_writable]
            if codex_home is not None:
                writable.append(os.path.join(codex_home, "memories"))
            if not permissions.exclude_slash_tmp:
                writable.append("/tmp")
            if not permissions.exclude_tmpdir_env_var:
                writable.append(env.get("TMPDIR", ""))
            return Wishes(
                network_allowed=permissions.network_access,
                workspace=cwd,
                writable=tuple(writable),
            )
        case _:
            return Wishes(
                network_allowed=permissions.network_access, writable=tuple(extra_writable)
            )


def _of_profile(
    profile: ManagedPermissionProfile,
    cwd: str,
    env: Mapping[str, str],
    extra_writable: Sequence[str],
) -> Wishes:
    network = profile.network.enabled
    files = profile.file_system
    if isinstance(files, UnrestrictedPermissionProfileFileSystemPermissions):
        if network:
            return Wishes(confined_by="nothing", network_allowed=True)
        return Wishes(writable=("/",), keeps_names=False)
    places: dict[str, FileSystemAccessMode] = {}
    patterns: list[str] = []
    for entry in files.entries:
        if isinstance(entry.path, GlobPatternFileSystemPath):
            if entry.access != "none":
                raise _refused(f"`{entry.access}` for the pattern {entry.path.pattern}")
            patterns.append(os.path.join(cwd, entry.path.pattern))
            continue
        for path in _paths(entry, cwd, env):
            before = places.get(path)
            if before is None or _STRICTNESS[entry.access] > _STRICTNESS[before]:
                places[path] = entry.access
    whole = places.pop("/", "none")
    named = {mode: tuple(p for p in places if places[p] == mode) for mode in _STRICTNESS}
    writable = (*named["write"], *extra_writable)
    if whole == "write":
        writable = ("/", *writable)
    return Wishes(
        network_allowed=network,
        workspace=cwd if places.get(cwd) == "write" else None,
        writable=writable,
        read_only=named["read"],
        hidden=named["none"],
        hidden_patterns=tuple(patterns),
        pattern_depth=files.glob_scan_max_depth,
        readable=(*named["read"], *writable) if whole == "none" else None,
    )


def _paths(entry: FileSystemSandboxEntry, cwd: str, env: Mapping[str, str]) -> Sequence[str]:
    """The absolute paths an entry speaks of; none for a place this machine does not have."""
    path = entry.path
    if isinstance(path, PathFileSystemPath):
        if not os.path.isabs(path.path):
            raise _refused(f"the relative path {path.path}")
        return (os.path.normpath(path.path),)
    assert isinstance(path, SpecialFileSystemPath)
    match path.value:
        case RootFileSystemSpecialPath():
            return ("/",)
        case MinimalFileSystemSpecialPath():
            if entry.access != "read":
                raise _refused(f"`{entry.access}` for :minimal")
            return MINIMAL
        case ProjectRootsFileSystemSpecialPath(subpath=subpath):
            return (os.path.normpath(os.path.join(cwd, subpath or ".")),)
        case SlashTmpFileSystemSpecialPath():
            return ("/tmp",)
        case TmpdirFileSystemSpecialPath():
            folder = env.get("TMPDIR", "")
            return (os.path.normpath(folder),) if os.path.isabs(folder) else ()
        case unknown:
            if entry.access == "none":
                raise _refused(f"the unknown place {unknown.path}")
            return ()


def _refused(what: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the permission profile asks for {what}",
        "Name absolute paths, or one of :root, :minimal, :project_roots, :tmpdir and :slash_tmp.",
    )
