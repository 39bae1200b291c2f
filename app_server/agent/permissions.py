"""A permission profile chosen by its name, with what was added to it, as settings of a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from app_server.protocol.permissions import (
    ActivePermissionProfile,
    AdditionalWritableRootActivePermissionProfileModification,
    ManagedPermissionProfile,
    PermissionProfileSelectionParams,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox.network_rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_server.config.resolve import Config

Selection: TypeAlias = PermissionProfileSelectionParams | str


def profile_id(selection: Selection) -> str:
    return selection if isinstance(selection, str) else selection.id


def selected(config: Config, selection: Selection) -> dict[str, Any]:
    """The fields of `TurnSettings` for a profile of this configuration.

    Raises `ConfigInvalid` where there is none of that name, or it cannot be kept.
    """
    from app_server.config.permission_profiles import chosen_permissions, standing_for
    from app_server.config.resolve import sandbox_policy

    name = profile_id(selection)
    table = {"default_permissions": name, "permissions": config.permissions}
    found = chosen_permissions(table, config.trust_level, {}, config.codex_home, config.cwd)
    if found.profile is None:
        policy = sandbox_policy(found.mode, config.workspace_write, config)
    else:
        policy = standing_for(found.profile)
    return with_additions(policy, found.profile, name, selection, found.network)


def with_additions(
    policy: SandboxPolicy,
    profile: ManagedPermissionProfile | None,
    name: str | None,
    selection: Selection | None,
    network: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The same fields for what is in force already, with the folders a selection adds."""
    from app_server.config.permission_profiles import READ_ALL, standing_for, with_writable

    chosen = None if selection is None or isinstance(selection, str) else selection
    folders = [] if chosen is None else [str(one.path) for one in chosen.modifications or ()]
    if folders and profile is None and isinstance(policy, ReadOnlySandboxPolicy):
        profile = READ_ALL
    if folders and profile is None and isinstance(policy, WorkspaceWriteSandboxPolicy):
        roots = [*folders, *(root for root in policy.writable_roots if root not in folders)]
        policy = msgspec.structs.replace(policy, writable_roots=roots)
    elif folders and profile is not None:
        profile = with_writable(profile, folders)
        policy = standing_for(profile)
    additions = [AdditionalWritableRootActivePermissionProfileModification(path=f) for f in folders]
    active = None if name is None else ActivePermissionProfile(id=name, modifications=[*additions])
    return {
        "sandbox_policy": policy,
        "permission_profile": profile,
        "active_profile": active,
        "network_rules": None if network is None else rules_of(network),
    }
