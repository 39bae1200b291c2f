"""The protocol's policies and permission profiles as wishes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    DisabledPermissionProfile,
    ExternalPermissionProfile,
    ExternalSandboxSandboxPolicy,
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
    TmpdirFileSystemSpecialPath,
    UnrestrictedPermissionProfileFileSystemPermissions,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox.wishes import Grant, Grants, Wishes, of_grants


def typed_wishes(
    permissions: SandboxPolicy | PermissionProfile,
    cwd: str,
    env: Mapping[str, str],
    extra_writable: Sequence[str],
    codex_home: str | None,
) -> Wishes:
    """See `wishes`."""
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
    grants = tuple(map(_grant, files.entries))
    return of_grants(Grants(grants, network, files.glob_scan_max_depth), cwd, env, extra_writable)


def _grant(entry: FileSystemSandboxEntry) -> Grant:
    path = entry.path
    if isinstance(path, GlobPatternFileSystemPath):
        return Grant(entry.access, "pattern", path.pattern)
    if isinstance(path, PathFileSystemPath):
        return Grant(entry.access, "path", path.path)
    match path.value:
        case RootFileSystemSpecialPath():
            return Grant(entry.access, "root")
        case MinimalFileSystemSpecialPath():
            return Grant(entry.access, "minimal")
        case ProjectRootsFileSystemSpecialPath(subpath=subpath):
            return Grant(entry.access, "project_roots", subpath or "")
        case SlashTmpFileSystemSpecialPath():
            return Grant(entry.access, "slash_tmp")
        case TmpdirFileSystemSpecialPath():
            return Grant(entry.access, "tmpdir")
        case unknown:
            return Grant(entry.access, "unknown", unknown.path)
