"""From permissions and a command to what an environment is asked to spawn.

On this machine the command is wrapped in its sandbox here. A process service elsewhere knows the
paths and the means of its own machine, so it gets the plain command and the permissions, and puts
the sandbox around it itself. Where neither is possible this raises: a command that is to be
confined never runs unconfined by accident.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from app_server.exec.environment import Environment, SpawnRequest, TtySize
from app_server.protocol.permissions import (
    ManagedPermissionProfile,
    ReadOnlySandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)

if TYPE_CHECKING:
    from app_server.exec.shell_env import Variables
    from app_server.sandbox import launch
    from app_server.sandbox.proxy_door import Door
    from app_server.sandbox.wishes import Permissions

Confinement: TypeAlias = "launch.Confinement | Literal['service']"
"""What holds a command; `service` is the process service that runs it."""

CONFINING = (ReadOnlySandboxPolicy, WorkspaceWriteSandboxPolicy, ManagedPermissionProfile)
"""What asks for a sandbox of ours."""


async def confined_request(
    environment: Environment,
    permissions: Permissions,
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    variables: Variables,
    tty: TtySize | None,
    stdin: Literal["closed", "open"] = "closed",
    policy_cwd: Path | None = None,
    policy_cwd_elsewhere: Path | None = None,
    codex_home: Path,
    door: Door | None = None,
) -> tuple[SpawnRequest, Confinement]:
    """What to spawn there so that the permissions hold, and what holds the command then.

    The permissions speak of `cwd`, unless told otherwise for this machine or elsewhere. Those that
    confine nothing ask nothing of it. Raises `SandboxUnavailable` or `EnvironmentLost`.
    """
    from app_server.sandbox.launch import prepare
    from app_server.sandbox.wishes import wishes

    if (
        isinstance(permissions, CONFINING)
        and wishes(permissions, str(cwd), env).confined_by == "us"
        and await confined_by_service(environment)
    ):
        from app_server.exec.sandbox_demand import SandboxDemand
        from app_server.storage.shapes import permission_profile

        demand = SandboxDemand(permission_profile(permissions), policy_cwd_elsewhere or cwd)
        plain = SpawnRequest(
            argv=tuple(argv),
            cwd=str(cwd),
            env=env,
            variables=variables,
            tty=tty,
            stdin=stdin,
            sandbox=demand,
        )
        return plain, "service"
    command = await asyncio.to_thread(
        prepare,
        permissions,
        argv,
        cwd,
        env,
        tty=tty is not None,
        policy_cwd=policy_cwd,
        codex_home=codex_home,
        door=door,
    )
    return request_of(command, tty, stdin, variables), command.confinement


async def confined_by_service(environment: Environment) -> bool:
    """Whether sandboxes there are the service's to apply, not ours. Raises `SandboxUnavailable`
    where they are and it cannot, or `EnvironmentLost`."""
    from app_server.sandbox.errors import SandboxUnavailable

    match await environment.confiner():
        case "caller":
            return False
        case "service":
            return True
        case "nobody":
            raise SandboxUnavailable(
                "the process service that runs them is of a release that cannot apply a sandbox",
                "Run `codex exec-server` of this release there, or let commands run outside the "
                "sandbox.",
            )


def request_of(
    command: launch.PreparedCommand,
    tty: TtySize | None,
    stdin: Literal["closed", "open"] = "closed",
    variables: Variables | None = None,
) -> SpawnRequest:
    """What to spawn for a command that is prepared already."""
    return SpawnRequest(
        argv=command.argv,
        cwd=command.cwd,
        env=command.env,
        variables=variables,
        tty=tty,
        stdin=stdin,
        arg0=command.arg0,
        inherited_data=command.inherited_data,
        mount_points=command.mount_points,
        claims_terminal=command.claims_terminal,
    )
