"""From a policy and a command to the command that runs confined.

`prepare` is the one door: the agent hands in what it wants to run and gets back what to spawn.
Where nothing is to be confined the command comes back as it is. Where confinement was promised and
cannot be set up, it raises: a command never runs unconfined by accident.

Whoever spawns the result passes on descriptors 0 to 2 and those of `inherited_data`, and no others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from app_server.sandbox import bubblewrap, helper, landlock, probe, seccomp
from app_server.sandbox.control_sockets import without_invitations
from app_server.sandbox.errors import SandboxUnavailable
from app_server.sandbox.policy import Access, resolve_access
from app_server.sandbox.trace import is_below_any
from app_server.sandbox.wishes import Permissions

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.sandbox.proxy_door import Door

Confinement: TypeAlias = Literal[
    "none", "external", "bubblewrap", "namespaces", "landlock", "program"
]
"""What holds a command: nothing, somebody else's sandbox, one of our mechanisms, or a program the
configuration names."""

NETWORK_DISABLED = "CODEX_SANDBOX_NETWORK_DISABLED"


class PreparedCommand(NamedTuple):
    """What to spawn. The fields are those of `exec.environment.SpawnRequest`."""

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    arg0: str | None = None
    inherited_data: Mapping[int, bytes] = {}
    mount_points: tuple[str, ...] = ()
    claims_terminal: bool = False
    confinement: Confinement = "none"
    network_allowed: bool = True


def prepare(
    permissions: Permissions,
    argv: Sequence[str],
    cwd: str | Path,
    env: Mapping[str, str],
    *,
    tty: bool = False,
    policy_cwd: str | Path | None = None,
    extra_writable_roots: Sequence[str | Path] = (),
    codex_home: str | Path | None = None,
    also_protected: Sequence[str] = (),
    mechanism: probe.Mechanism | None = None,
    door: Door | None = None,
) -> PreparedCommand:
    """The command as it must be spawned so that a policy or permission profile holds for it.

    `policy_cwd` is the folder that speaks of where that is not the command's own `cwd`; for
    `codex_home` and `also_protected` see `resolve_access`. `mechanism` overrules the choice of the
    probe. With a `door` its network is its own, but for the proxy. Reads a few directories, and all
    that hiding patterns may mean; the first call in a process also tries the mechanisms out (some
    tens of milliseconds), so call it, or `probe.facts()` before it, off the event loop. Raises
    `SandboxUnavailable`.
    """
    folder = policy_cwd if policy_cwd is not None else cwd
    variables = env
    if door is not None:
        permissions = _without_network(permissions)
        mechanism = mechanism or "namespaces"

    def access_keeping(files: Sequence[str], found: Sequence[str] | None = None) -> Access:
        return resolve_access(
            permissions,
            folder,
            variables,
            extra_writable_roots,
            codex_home=codex_home,
            also_protected=(*also_protected, *files),
            stays_visible=(str(cwd),),
            found_by_patterns=found,
        )

    access = access_keeping(())
    if door is not None:
        env = {**env, **door.environment}
    elif not access.network_allowed:
        env = {**env, NETWORK_DISABLED: "1"}
    if not access.is_confined:
        return PreparedCommand(
            argv=tuple(argv),
            cwd=str(cwd),
            env=env,
            confinement="external" if access.is_confined_elsewhere else "none",
            network_allowed=access.network_allowed,
        )
    env = without_invitations(env)
    _check_folder(access, str(cwd))
    chosen = _choose(access, mechanism, door is not None)
    if chosen == "bubblewrap":
        program = probe.facts().program or bubblewrap.find_program() or "bwrap"
        access = access_keeping((program,), access.found_by_patterns)
        words = bubblewrap.arguments(
            program,
            access,
            argv,
            str(cwd),
            env,
            locks_namespaces=probe.facts().locks_namespaces,
            claims_terminal=tty,
        )
        filter_ = seccomp.program(network_allowed=access.network_allowed)
        command = helper.HelperCommand(
            words, bubblewrap.environment(env), {bubblewrap.SECCOMP_FD: filter_}
        )
    elif chosen == "namespaces":
        access = access_keeping(helper.own_files(), access.found_by_patterns)
        command = helper.in_namespaces(access, argv, str(cwd), env, claims_terminal=tty, door=door)
    else:
        command = helper.in_landlock(access, argv, str(cwd), env)
    return PreparedCommand(
        argv=command.argv,
        cwd=str(cwd),
        env=command.env,
        inherited_data=command.inherited_data,
        mount_points=access.protection.missing,
        claims_terminal=tty and chosen != "landlock",
        confinement=chosen,
        network_allowed=access.network_allowed,
    )


def delegated(
    program: str,
    profile: str,
    argv: Sequence[str],
    cwd: str | Path,
    env: Mapping[str, str],
    *,
    policy_cwd: str | Path,
    network_allowed: bool,
) -> PreparedCommand:
    """The command as a program by the interface of `codex-linux-sandbox` is to confine it.

    `profile` is a permission profile as JSON. Nothing is looked up here: the program may be another
    machine's.
    """
    words = ("--sandbox-policy-cwd", str(policy_cwd), "--command-cwd", str(cwd))
    return PreparedCommand(
        argv=(program, *words, "--permission-profile", profile, "--", *argv),
        cwd=str(cwd),
        env=without_invitations(env if network_allowed else {**env, NETWORK_DISABLED: "1"}),
        confinement="program",
        network_allowed=network_allowed,
    )


def _without_network(permissions: Permissions) -> Permissions:
    """What holds beside a door: the network is the command's own."""
    from msgspec.structs import replace

    from app_server.protocol.permissions import (
        ManagedPermissionProfile,
        PermissionProfileNetworkPermissions,
    )

    if isinstance(permissions, ManagedPermissionProfile):
        closed = PermissionProfileNetworkPermissions(enabled=False)
        return replace(permissions, network=closed)
    raise SandboxUnavailable(
        "a network proxy belongs to a permission profile", "Choose one with default_permissions."
    )


def _check_folder(access: Access, cwd: str) -> None:
    readable = access.readable
    if readable is not None and not is_below_any(os.path.realpath(cwd), readable):
        raise SandboxUnavailable(
            f"the permission profile does not let {cwd}, the command's folder, be read",
            "Add the folder to the profile's filesystem table, or run the command elsewhere.",
        )


def _choose(
    access: Access, wished: probe.Mechanism | None, has_door: bool
) -> Literal["bubblewrap", "namespaces", "landlock"]:
    found = probe.facts()
    chosen = wished or found.mechanism
    if (has_door and chosen != "namespaces") or (has_door and not probe.try_namespaces().works):
        raise SandboxUnavailable(
            "a network proxy needs namespaces of our own, which are refused here "
            f"({probe.try_namespaces().complaint})",
            found.remedy or "Switch the network off for commands, or allow it as a whole.",
        )
    if chosen == "none":
        raise SandboxUnavailable(found.missing or "nothing can confine", found.remedy or "")
    if chosen == "landlock" and access.writable_roots:
        raise SandboxUnavailable(
            f"{found.missing or 'only Landlock was asked for'}; Landlock alone keeps the read-only "
            "policy, but cannot protect .git, .codex and .agents in a folder that may be written",
            found.remedy or "Use the read-only policy.",
        )
    if chosen == "landlock" and (access.hidden or access.readable is not None):
        raise SandboxUnavailable(
            f"{found.missing or 'only Landlock was asked for'}; Landlock alone cannot keep files "
            "from being read",
            found.remedy or "Use the read-only policy.",
        )
    if chosen == "landlock" and access.network_allowed:
        for path in access.closed.sockets():
            raise SandboxUnavailable(
                f"Landlock cannot close {path}, which starts programs for whoever asks it",
                found.remedy or "Switch the network off for commands.",
            )
    if access.closed.abstract and not (chosen != "bubblewrap" and landlock.closes_abstract()):
        if wished is None and landlock.closes_abstract() and probe.try_namespaces().works:
            return "namespaces"
        raise SandboxUnavailable(
            f"the socket @{access.closed.abstract[0]}, which starts programs for whoever asks it, "
            "has no place that could be covered",
            "Let it listen on a file, or switch the network off for commands.",
        )
    if chosen == "bubblewrap" and access.protection.links:
        # Only our own program can hold a symbolic link in its place.
        if wished is None and probe.try_namespaces().works:
            return "namespaces"
        raise SandboxUnavailable(
            f"{access.protection.links[0]} is a symbolic link that a command could replace",
            "Put what it leads to in its place, or move the link out of the writable folders.",
        )
    return chosen
