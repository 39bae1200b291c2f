"""Policies and profiles as other programs spell them: release after release, in rollouts, on argv.

What is understood comes out as the protocol's own types; what is not is refused with its place in
the text, since leaving a rule out would widen what a command may do.
"""

from __future__ import annotations

from typing import Any

import msgspec

from app_server.protocol.permissions import (
    ManagedPermissionProfile,
    PermissionProfile,
    SandboxPolicy,
)
from app_server.sandbox.errors import SandboxError

_POLICY_TYPES = {
    "read-only": "readOnly",
    "workspace-write": "workspaceWrite",
    "danger-full-access": "dangerFullAccess",
    "external-sandbox": "externalSandbox",
}
_FIELDS = {
    "writable_roots": "writableRoots",
    "network_access": "networkAccess",
    "exclude_tmpdir_env_var": "excludeTmpdirEnvVar",
    "exclude_slash_tmp": "excludeSlashTmp",
    "file_system": "fileSystem",
    "glob_scan_max_depth": "globScanMaxDepth",
}
_ACCESS = {"deny": "none"}
_PLACES = {"current_working_directory": "project_roots"}
_KNOWN_PLACES = ("root", "minimal", "project_roots", "tmpdir", "slash_tmp", "unknown")
_RESTRICTED_READING = ("access", "read_only_access")
"""Fields by which releases around 0.110 narrowed what a policy lets be read."""


class NotUnderstood(SandboxError):
    """A text that is no policy or profile."""


def read_policy(text: str | bytes) -> SandboxPolicy:
    """`{"type":"workspace-write","writable_roots":[…]}` and its spelling on the wire."""
    value = _object(text, "sandbox policy")
    for field in _RESTRICTED_READING:
        access = value.get(field)
        if isinstance(access, dict) and access.get("type") != "full-access":
            raise NotUnderstood(f"sandbox policy: `{field}` other than full-access at `{field}`")
    value["type"] = _POLICY_TYPES.get(value.get("type", ""), value.get("type"))
    policy: SandboxPolicy = _converted(value, SandboxPolicy, "sandbox policy")
    return policy


def read_profile(text: str | bytes) -> PermissionProfile:
    """`{"type":"managed","file_system":{…},"network":"enabled"}` and its spelling on the wire."""
    value = _object(text, "permission profile")
    if "network" in value:
        value["network"] = _network(value["network"])
    if isinstance(value.get("fileSystem"), dict):
        value["fileSystem"] = _file_system(value["fileSystem"])
    profile: PermissionProfile = _converted(value, PermissionProfile, "permission profile")
    return profile


def read_split(file_system: str | bytes, network: str | bytes) -> PermissionProfile:
    """The two halves that releases before 0.128 hand over one by one."""
    files = _file_system(_object(file_system, "file system policy"))
    if files.get("type") in ("external-sandbox", "externalSandbox"):
        raise NotUnderstood("file system policy: somebody else's sandbox cannot be set up here")
    value = {
        "type": "managed",
        "fileSystem": files,
        "network": _network(_json(network, "network policy")),
    }
    profile = _converted(value, PermissionProfile, "file system policy")
    assert isinstance(profile, ManagedPermissionProfile)
    return profile


def _file_system(value: dict[str, Any]) -> dict[str, Any]:
    files = _renamed(value)
    if "kind" in files:
        files["type"] = files.pop("kind")
    entries = files.get("entries")
    if isinstance(entries, list):
        files["entries"] = [_entry(e) if isinstance(e, dict) else e for e in entries]
    return files


def _entry(value: dict[str, Any]) -> dict[str, Any]:
    entry = {**value, "access": _ACCESS.get(value.get("access", ""), value.get("access"))}
    path = entry.get("path")
    if isinstance(path, dict) and isinstance(path.get("value"), dict):
        place = dict(path["value"])
        place["kind"] = _PLACES.get(place.get("kind", ""), place.get("kind"))
        if place["kind"] not in _KNOWN_PLACES:
            place = {**place, "kind": "unknown", "path": str(place["kind"])}
        entry["path"] = {**path, "value": place}
    return entry


def _network(value: Any) -> Any:
    return {"enabled": value == "enabled"} if value in ("enabled", "restricted") else value


def _renamed(value: dict[str, Any]) -> dict[str, Any]:
    return {_FIELDS.get(name, name): inner for name, inner in value.items()}


def _object(text: str | bytes, what: str) -> dict[str, Any]:
    value = _json(text, what)
    if not isinstance(value, dict):
        raise NotUnderstood(f"{what}: expected a JSON object")
    return _renamed(value)


def _json(text: str | bytes, what: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise NotUnderstood(f"{what}: this is not JSON ({error})") from None


def _converted(value: dict[str, Any], kind: Any, what: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.MsgspecError as error:
        raise NotUnderstood(f"{what}: {error}") from None
