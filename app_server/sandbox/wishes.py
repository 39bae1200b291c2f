"""What a policy or a permission profile asks for, as lists of places; nothing is looked up yet.

A policy is the short way to say it, a profile the long one: grants for paths, for patterns and for
places known by name. Where grants meet in one place the strictest holds, and deeper ones hold
against those above them. What cannot be kept is refused, never widened. The protocol's own types
are read by `typed_wishes`, which costs a program that only runs one command too much.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from app_server.sandbox.errors import SandboxUnavailable

if TYPE_CHECKING:
    from app_server.protocol.permissions import PermissionProfile, SandboxPolicy

GrantedAccess: TypeAlias = Literal["read", "write", "none"]
Where: TypeAlias = Literal[
    "path", "pattern", "root", "minimal", "project_roots", "tmpdir", "slash_tmp", "unknown"
]


class Grant(NamedTuple):
    """What may be done in one place."""

    access: GrantedAccess
    where: Where
    text: str = ""
    """The path or pattern, the part of the project, or an unknown place's name."""


class Grants(NamedTuple):
    """A permission profile that is kept here."""

    grants: tuple[Grant, ...]
    network_allowed: bool
    pattern_depth: int | None = None


Permissions: TypeAlias = "SandboxPolicy | PermissionProfile | Grants"

MINIMAL = (
    *("/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/opt"),
    *("/nix/store", "/run/current-system/sw", "/sys/devices/system/cpu"),
)
"""What programs need to start at all."""

_STRICTNESS: dict[GrantedAccess, int] = {"read": 0, "write": 1, "none": 2}
"""Which of two entries for one place holds, as Codex orders them."""


class Wishes(NamedTuple):
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
    if isinstance(permissions, Grants):
        return of_grants(permissions, cwd, env, extra_writable)
    from app_server.sandbox.typed_wishes import typed_wishes

    return typed_wishes(permissions, cwd, env, extra_writable, codex_home)


def of_grants(
    profile: Grants, cwd: str, env: Mapping[str, str], extra_writable: Sequence[str]
) -> Wishes:
    places: dict[str, GrantedAccess] = {}
    patterns: list[str] = []
    for grant in profile.grants:
        if grant.where == "pattern":
            if grant.access != "none":
                raise _refused(f"`{grant.access}` for the pattern {grant.text}")
            patterns.append(os.path.join(cwd, grant.text))
            continue
        for path in _paths(grant, cwd, env):
            before = places.get(path)
            if before is None or _STRICTNESS[grant.access] > _STRICTNESS[before]:
                places[path] = grant.access
    whole = places.pop("/", "none")
    named = {mode: tuple(p for p in places if places[p] == mode) for mode in _STRICTNESS}
    writable = (*named["write"], *extra_writable)
    if whole == "write":
        writable = ("/", *writable)
    return Wishes(
        network_allowed=profile.network_allowed,
        workspace=cwd if places.get(cwd) == "write" else None,
        writable=writable,
        read_only=named["read"],
        hidden=named["none"],
        hidden_patterns=tuple(patterns),
        pattern_depth=profile.pattern_depth,
        readable=(*named["read"], *writable) if whole == "none" else None,
    )


def _paths(grant: Grant, cwd: str, env: Mapping[str, str]) -> Sequence[str]:
    """The absolute paths a grant speaks of; none for a place this machine does not have."""
    match grant.where:
        case "path":
            if not os.path.isabs(grant.text):
                raise _refused(f"the relative path {grant.text}")
            return (os.path.normpath(grant.text),)
        case "root":
            return ("/",)
        case "minimal":
            if grant.access != "read":
                raise _refused(f"`{grant.access}` for :minimal")
            return MINIMAL
        case "project_roots":
            return (os.path.normpath(os.path.join(cwd, grant.text or ".")),)
        case "slash_tmp":
            return ("/tmp",)
        case "tmpdir":
            folder = env.get("TMPDIR", "")
            return (os.path.normpath(folder),) if os.path.isabs(folder) else ()
        case _:
            if grant.access == "none":
                raise _refused(f"the unknown place {grant.text}")
            return ()


def _refused(what: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the permission profile asks for {what}",
        "Name absolute paths, or one of :root, :minimal, :project_roots, :tmpdir and :slash_tmp.",
    )
