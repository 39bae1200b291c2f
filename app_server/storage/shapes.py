"""The forms values take in stored threads where those differ from the wire, and the way between.

Stored keys are snake_case, policies are named in kebab-case, a sub-agent's source is `subagent`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    ManagedPermissionProfile,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.thread_data import DetailedSessionSource, SessionSource
from app_server.protocol.wire import JsonObject, SnakeWire

_WIRE_SOURCES: dict[str, SessionSource] = {
    "cli": "cli",
    "vscode": "vscode",
    "exec": "exec",
    "mcp": "appServer",
    "appServer": "appServer",
}

StoredSource: TypeAlias = str | JsonObject
"""`cli`, `vscode`, `exec`, `mcp`, `unknown`, `{"custom": …}` or `{"subagent": …}`."""


class StoredDangerFullAccess(SnakeWire, tag="danger-full-access"): ...


class StoredReadOnly(SnakeWire, tag="read-only", omit_defaults=True):
    network_access: bool = False


class StoredExternalSandbox(SnakeWire, tag="external-sandbox"):
    network_access: str = "restricted"


class StoredWorkspaceWrite(SnakeWire, tag="workspace-write"):
    writable_roots: list[str] = []
    network_access: bool = False
    exclude_tmpdir_env_var: bool = False
    exclude_slash_tmp: bool = False


StoredSandboxPolicy: TypeAlias = (
    StoredDangerFullAccess | StoredReadOnly | StoredExternalSandbox | StoredWorkspaceWrite
)


class StoredRateLimitWindow(SnakeWire):
    used_percent: float
    window_minutes: int | None = None
    resets_at: int | None = None


class StoredCredits(SnakeWire):
    has_credits: bool
    unlimited: bool
    balance: str | None = None


class StoredRateLimits(SnakeWire):
    limit_id: str | None = None
    limit_name: str | None = None
    primary: StoredRateLimitWindow | None = None
    secondary: StoredRateLimitWindow | None = None
    credits: StoredCredits | None = None
    plan_type: str | None = None
    rate_limit_reached_type: str | None = None


def stored_source(source: SessionSource) -> StoredSource:
    """A thread's source as its file names it."""
    if isinstance(source, str):
        return "mcp" if source == "appServer" else source
    if source.custom is not None:
        return {"custom": source.custom}
    agent = source.sub_agent
    return {"subagent": agent if isinstance(agent, str) else msgspec.to_builtins(agent)}


def wire_source(stored: Any) -> SessionSource:
    """A thread's source as clients see it; nonsense is `unknown`, absence `vscode`."""
    if stored is None or isinstance(stored, msgspec.UnsetType):
        return "vscode"
    if isinstance(stored, str):
        return _WIRE_SOURCES.get(stored, "unknown")
    if "subagent" in stored:
        stored = {"subAgent": stored["subagent"]}
    try:
        return msgspec.convert(stored, DetailedSessionSource)
    except (msgspec.ValidationError, ValueError):
        return "unknown"


def stored_sandbox_policy(policy: SandboxPolicy) -> StoredSandboxPolicy:
    match policy:
        case DangerFullAccessSandboxPolicy():
            return StoredDangerFullAccess()
        case ReadOnlySandboxPolicy():
            return StoredReadOnly(network_access=policy.network_access)
        case ExternalSandboxSandboxPolicy():
            return StoredExternalSandbox(network_access=policy.network_access)
        case WorkspaceWriteSandboxPolicy():
            return msgspec.convert(policy, StoredWorkspaceWrite, from_attributes=True)


def wire_sandbox_policy(stored: StoredSandboxPolicy) -> SandboxPolicy:
    match stored:
        case StoredDangerFullAccess():
            return DangerFullAccessSandboxPolicy()
        case StoredReadOnly():
            return ReadOnlySandboxPolicy(network_access=stored.network_access)
        case StoredExternalSandbox():
            if stored.network_access == "enabled":
                return ExternalSandboxSandboxPolicy(network_access="enabled")
            return ExternalSandboxSandboxPolicy()
        case StoredWorkspaceWrite():
            return msgspec.convert(stored, WorkspaceWriteSandboxPolicy, from_attributes=True)


def permission_profile(policy: SandboxPolicy | ManagedPermissionProfile) -> JsonObject:
    """The detailed permissions a policy stands for, as `turn_context` lines hold them."""
    match policy:
        case ManagedPermissionProfile():
            return _stored_profile(policy)
        case DangerFullAccessSandboxPolicy():
            return {"type": "disabled"}
        case ExternalSandboxSandboxPolicy():
            return {"type": "external", "network": policy.network_access}
        case ReadOnlySandboxPolicy() | WorkspaceWriteSandboxPolicy():
            network = "enabled" if policy.network_access else "restricted"
            return {
                "type": "managed",
                "file_system": {"type": "restricted", "entries": file_system_entries(policy)},
                "network": network,
            }


def _stored_profile(profile: ManagedPermissionProfile) -> JsonObject:
    files: JsonObject = msgspec.to_builtins(profile.file_system)
    if "globScanMaxDepth" in files:
        files["glob_scan_max_depth"] = files.pop("globScanMaxDepth")
    network = "enabled" if profile.network.enabled else "restricted"
    return {"type": "managed", "file_system": files, "network": network}


def file_system_entries(
    policy: ReadOnlySandboxPolicy | WorkspaceWriteSandboxPolicy,
) -> list[JsonObject]:
    """Who may read and write where, in the order the original lists it."""
    entries = [_special("read", "root")]
    if isinstance(policy, ReadOnlySandboxPolicy):
        return entries
    entries.append(_special("write", "project_roots"))
    if not policy.exclude_slash_tmp:
        entries.append(_special("write", "slash_tmp"))
    if not policy.exclude_tmpdir_env_var:
        entries.append(_special("write", "tmpdir"))
    entries += [_special("read", "project_roots", name) for name in (".git", ".agents", ".codex")]
    entries += [
        {"path": {"type": "path", "path": root}, "access": "write"}
        for root in policy.writable_roots
    ]
    return entries


def _special(access: str, kind: str, subpath: str | None = None) -> JsonObject:
    value: JsonObject = {"kind": kind}
    if subpath is not None:
        value["subpath"] = subpath
    return {"path": {"type": "special", "value": value}, "access": access}


def stored_rate_limits(limits: RateLimitSnapshot) -> StoredRateLimits:
    def window(wire: Any) -> StoredRateLimitWindow | None:
        if wire is None:
            return None
        return StoredRateLimitWindow(
            used_percent=wire.used_percent,
            window_minutes=wire.window_duration_mins,
            resets_at=wire.resets_at,
        )

    credits = limits.credits
    return StoredRateLimits(
        limit_id=limits.limit_id,
        limit_name=limits.limit_name,
        primary=window(limits.primary),
        secondary=window(limits.secondary),
        credits=None
        if credits is None
        else msgspec.convert(credits, StoredCredits, from_attributes=True),
        plan_type=limits.plan_type,
        rate_limit_reached_type=limits.rate_limit_reached_type,
    )
