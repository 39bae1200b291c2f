"""Permission profiles: which one was chosen, and what its tables say of files and the network.

A profile of one's own becomes the protocol's form of it, and a sandbox mode that stands for it
where only modes are spoken of: the nearest that is not stricter. Keys that begin with a colon name
places; unknown ones are kept as such, since later releases may know them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from app_server.config.errors import ConfigInvalid
from app_server.config.trust import TrustLevel
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    FileSystemAccessMode,
    FileSystemPath,
    FileSystemSandboxEntry,
    FileSystemSpecialPath,
    GlobPatternFileSystemPath,
    ManagedPermissionProfile,
    MinimalFileSystemSpecialPath,
    PathFileSystemPath,
    PermissionProfile,
    PermissionProfileNetworkPermissions,
    ProjectRootsFileSystemSpecialPath,
    ReadOnlySandboxPolicy,
    RestrictedPermissionProfileFileSystemPermissions,
    RootFileSystemSpecialPath,
    SandboxMode,
    SandboxPolicy,
    SlashTmpFileSystemSpecialPath,
    SpecialFileSystemPath,
    TmpdirFileSystemSpecialPath,
    UnknownFileSystemSpecialPath,
    WorkspaceWriteSandboxPolicy,
)

Table: TypeAlias = Mapping[str, Any]

BUILT_IN: Mapping[str, SandboxMode] = {
    ":read-only": "read-only",
    ":workspace": "workspace-write",
    ":danger-no-sandbox": "danger-full-access",
    ":danger-full-access": "danger-full-access",
}
_PLACES: Mapping[str, FileSystemSpecialPath] = {
    ":root": RootFileSystemSpecialPath(),
    ":minimal": MinimalFileSystemSpecialPath(),
    ":tmpdir": TmpdirFileSystemSpecialPath(),
    ":slash_tmp": SlashTmpFileSystemSpecialPath(),
}
READ_ALL = ManagedPermissionProfile(
    network=PermissionProfileNetworkPermissions(enabled=False),
    file_system=RestrictedPermissionProfileFileSystemPermissions(
        entries=[
            FileSystemSandboxEntry(
                path=SpecialFileSystemPath(value=RootFileSystemSpecialPath()), access="read"
            )
        ]
    ),
)
"""`:read-only`, to be added to."""
_PROJECT = (":project_roots", ":workspace_roots")
_WILD = "*?["
_DEPTH = "glob_scan_max_depth"
_PROXIED = ("domains", "mode")
"""Keys that mean a network seen through the proxy."""
_NOT_HERE = (
    "allow_upstream_proxy",
    "dangerously_allow_non_loopback_proxy",
    "dangerously_allow_all_unix_sockets",
)


class ChosenPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    mode: SandboxMode
    name: str | None = None
    """Of the profile, a built-in one too; None where a mode was chosen."""
    profile: ManagedPermissionProfile | None = None
    """Of a profile that is not built in; it holds instead of the mode's policy."""
    network: Table | None = None
    """Its network table, if hosts are to be judged one by one."""


def chosen_permissions(
    table: Table, trust: TrustLevel | None, flags: Table, codex_home: Path, cwd: Path
) -> ChosenPermissions:
    """The mode or profile that was asked for; else a project with a decision may be written to,
    others not. Raises `ConfigInvalid` for a profile that is missing or cannot be kept."""
    name = table.get("default_permissions")
    if name is not None and not ("sandbox_mode" in flags and "default_permissions" not in flags):
        if name in BUILT_IN:
            return ChosenPermissions(mode=BUILT_IN[name], name=name)
        if name.startswith(":"):
            raise ConfigInvalid(f"default_permissions refers to unknown built-in profile `{name}`")
        if "permissions" not in table:
            raise ConfigInvalid("default_permissions requires a `[permissions]` table")
        if name not in table["permissions"]:
            raise ConfigInvalid(f"default_permissions refers to undefined profile `{name}`")
        profile = _profile(name, table["permissions"][name], codex_home, cwd)
        mode: SandboxMode = "workspace-write" if list(_written(profile)) else "read-only"
        network = table["permissions"][name].get("network", {})
        is_proxied = profile.network.enabled and any(key in network for key in _PROXIED)
        return ChosenPermissions(
            mode=mode, name=name, profile=profile, network=network if is_proxied else None
        )
    if table.get("sandbox_mode") is not None:
        return ChosenPermissions(mode=table["sandbox_mode"])
    if table.get("permissions"):
        raise ConfigInvalid(
            "config defines `[permissions]` profiles but does not set `default_permissions`"
        )
    name = ":read-only" if trust is None else ":workspace"
    return ChosenPermissions(mode=BUILT_IN[name], name=name)


def standing_for(profile: ManagedPermissionProfile) -> SandboxPolicy:
    """The policy to be told where a profile cannot be. Never what confines a command."""
    written = list(_written(profile))
    network = profile.network.enabled
    if not written:
        return ReadOnlySandboxPolicy(network_access=network)
    kinds = {type(path.value) for path in written if isinstance(path, SpecialFileSystemPath)}
    return WorkspaceWriteSandboxPolicy(
        writable_roots=[path.path for path in written if isinstance(path, PathFileSystemPath)],
        network_access=network,
        exclude_tmpdir_env_var=TmpdirFileSystemSpecialPath not in kinds,
        exclude_slash_tmp=SlashTmpFileSystemSpecialPath not in kinds,
    )


def nearest_policy(profile: PermissionProfile) -> SandboxPolicy:
    """The narrowest policy that opens no less than the profile."""
    if not isinstance(profile, ManagedPermissionProfile):
        return DangerFullAccessSandboxPolicy()
    files = profile.file_system
    root = SpecialFileSystemPath(value=RootFileSystemSpecialPath())
    if not isinstance(files, RestrictedPermissionProfileFileSystemPermissions) or any(
        path in (root, PathFileSystemPath(path="/")) for path in _written(profile)
    ):
        return DangerFullAccessSandboxPolicy()
    return standing_for(profile)


def needed_mode(profile: PermissionProfile) -> SandboxMode:
    """The mode that opens no less: what has to be allowed for the profile to be used."""
    match nearest_policy(profile):
        case ReadOnlySandboxPolicy():
            return "read-only"
        case WorkspaceWriteSandboxPolicy():
            return "workspace-write"
        case _:
            return "danger-full-access"


def with_writable(
    profile: ManagedPermissionProfile, folders: Sequence[str]
) -> ManagedPermissionProfile:
    """The same profile with further folders that may be written."""
    files = profile.file_system
    if not folders or not isinstance(files, RestrictedPermissionProfileFileSystemPermissions):
        return profile
    more = [_entry(PathFileSystemPath(path=folder), "write") for folder in folders]
    changed = msgspec.structs.replace(files, entries=[*files.entries, *more])
    return msgspec.structs.replace(profile, file_system=changed)


def without_network(profile: ManagedPermissionProfile) -> ManagedPermissionProfile:
    """The same profile for a command that has no way through the proxy."""
    closed = PermissionProfileNetworkPermissions(enabled=False)
    return msgspec.structs.replace(profile, network=closed)


def reading_only(profile: ManagedPermissionProfile) -> ManagedPermissionProfile | None:
    """The same profile for one who may look and nothing else: what it hides stays hidden.

    None where it hides nothing: then reading everything is meant.
    """
    files = profile.file_system
    if not isinstance(files, RestrictedPermissionProfileFileSystemPermissions):
        return None
    entries = [
        msgspec.structs.replace(entry, access="read") if entry.access == "write" else entry
        for entry in files.entries
    ]
    return msgspec.structs.replace(
        without_network(profile), file_system=msgspec.structs.replace(files, entries=entries)
    )


def _written(profile: ManagedPermissionProfile) -> Iterator[FileSystemPath]:
    files = profile.file_system
    if isinstance(files, RestrictedPermissionProfileFileSystemPermissions):
        for entry in files.entries:
            if entry.access == "write":
                yield entry.path


def _profile(name: str, table: Table, codex_home: Path, cwd: Path) -> ManagedPermissionProfile:
    files = dict(table.get("filesystem", {}))
    depth = files.pop(_DEPTH, None)
    entries = [
        entry for key, said in sorted(files.items()) for entry in _entries(name, key, said, cwd)
    ]
    if entries:
        memories = PathFileSystemPath(path=str(codex_home / "memories"))
        entries.append(_entry(memories, "write"))
    return ManagedPermissionProfile(
        network=PermissionProfileNetworkPermissions(enabled=_network(name, table)),
        file_system=RestrictedPermissionProfileFileSystemPermissions(
            entries=entries, glob_scan_max_depth=depth
        ),
    )


def _network(name: str, table: Table) -> bool:
    network = table.get("network", {})
    enabled = bool(network.get("enabled", False))
    unkept = [key for key in _NOT_HERE if network.get(key)]
    if "allow" in network.get("unix_sockets", {}).values():
        unkept.append("unix_sockets")
    if enabled and unkept:
        raise ConfigInvalid(
            f"`permissions.{name}.network.{unkept[0]}` cannot be kept: the proxy of this release "
            "reaches hosts by TCP, directly, and for its own command only",
            f"permissions.{name}.network.{unkept[0]}",
        )
    return enabled


def _entries(
    name: str, key: str, said: str | Mapping[str, str], cwd: Path
) -> Iterator[FileSystemSandboxEntry]:
    where = f"permissions.{name}.filesystem.{key}"
    if isinstance(said, str):
        yield _at(where, key, None, said, cwd)
        return
    if key.startswith(":") and key not in _PROJECT:
        raise ConfigInvalid(f"filesystem path `{key}` does not support nested entries", where)
    for below, access in sorted(said.items()):
        if below == ".":
            yield _at(where, key, None, access, cwd)
        elif any(part in ("", ".", "..") for part in below.split("/")):
            raise ConfigInvalid(
                f"filesystem subpath `{below}` must be a descendant path without `.` or `..` "
                "components",
                where,
            )
        else:
            yield _at(where, key, below, access, cwd)


def _at(where: str, key: str, below: str | None, said: str, cwd: Path) -> FileSystemSandboxEntry:
    access: FileSystemAccessMode = said  # type: ignore[assignment]  # the schema allows no other
    below = _whole_folder(below, access)
    if key in _PROJECT and not _is_pattern(below):
        return _entry(_special(ProjectRootsFileSystemSpecialPath(subpath=below)), access)
    if key == ":minimal" and access != "read":
        raise ConfigInvalid("filesystem path `:minimal` can only be read", where)
    if key in _PLACES:
        return _entry(_special(_PLACES[key]), access)
    if key.startswith(":") and key not in _PROJECT:
        if access == "none":
            raise ConfigInvalid(
                f"nothing is known of the place `{key}`, which is to be hidden", where
            )
        return _entry(_special(UnknownFileSystemSpecialPath(path=key)), access)
    base = str(cwd) if key in _PROJECT else os.path.expanduser(_whole_folder(key, access) or key)
    if not os.path.isabs(base):
        raise ConfigInvalid(
            f"filesystem path `{key}` must be absolute, use `~/...`, or start with `:`", where
        )
    path = os.path.join(base, below) if below else base
    if not _is_pattern(path):
        return _entry(PathFileSystemPath(path=os.path.normpath(path)), access)
    if access != "none":
        raise ConfigInvalid(
            f"filesystem glob path `{below or key}` only supports `none` access; use an exact path "
            f"or trailing `/**` for `{access}` subtree access",
            where,
        )
    return _entry(GlobPatternFileSystemPath(pattern=path), access)


def _whole_folder(path: str | None, access: FileSystemAccessMode) -> str | None:
    """`docs/**` means the folder, unless it is to hide what is in it."""
    return path.removesuffix("/**") if path and access != "none" else path


def _is_pattern(path: str | None) -> bool:
    return path is not None and any(letter in path for letter in _WILD)


def _special(place: FileSystemSpecialPath) -> SpecialFileSystemPath:
    return SpecialFileSystemPath(value=place)


def _entry(path: FileSystemPath, access: FileSystemAccessMode) -> FileSystemSandboxEntry:
    return FileSystemSandboxEntry(path=path, access=access)
