"""From a policy and a command to the command that runs confined.

`prepare` is the one door: the agent hands in what it wants to run and gets back what to spawn.
Where nothing is to be confined the command comes back as it is. Where confinement was promised and
cannot be set up, it raises: a command never runs unconfined by accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.permissions import SandboxPolicy

Confinement: TypeAlias = Literal["none", "external", "bubblewrap", "namespaces", "landlock"]
"""What holds a command: nothing, somebody else's sandbox, or one of our mechanisms."""

NETWORK_DISABLED = "CODEX_SANDBOX_NETWORK_DISABLED"


class PreparedCommand(msgspec.Struct, frozen=True, kw_only=True):
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
    policy: SandboxPolicy,
    argv: Sequence[str],
    cwd: str | Path,
    env: Mapping[str, str],
    *,
    tty: bool = False,
    policy_cwd: str | Path | None = None,
    extra_writable_roots: Sequence[str | Path] = (),
) -> PreparedCommand:
    """The command as it must be spawned so that `policy` holds for it.

    `policy_cwd` is the folder the policy speaks of where that is not the command's own `cwd`.
    Reads a few directories; the first call in a process also tries the mechanisms out (some tens
    of milliseconds), so call it, or `probe.facts()` before it, off the event loop. Raises
    `SandboxUnavailable`.
    """
    raise NotImplementedError
