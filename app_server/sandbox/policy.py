"""What a sandbox policy means for one command: which places may be written, which stay as they are.

Pure reading: it looks at the file system and changes nothing. Knows no mechanism. All paths in the
result are real ones, without symbolic links on the way.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox.control_sockets import ClosedPlaces, closed_places
from app_server.sandbox.protected import Protection, protect
from app_server.sandbox.trace import is_below, is_below_any, trace

log = logging.getLogger(__name__)

_NEVER_ROOTS = ("/proc", "/sys", "/dev/pts")
"""The kernel's own trees: writing there is not writing files."""


class WritableRoot(msgspec.Struct, frozen=True):
    """A place that may be written, except for the paths below it that are protected."""

    path: str
    """It exists."""
    protected: tuple[str, ...] = ()
    """Existing paths, or paths that must not come into being."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What one command may do. Everything may be read."""

    is_confined: bool
    writable_roots: tuple[WritableRoot, ...] = ()
    network_allowed: bool = False
    protection: Protection = Protection()
    """How the protected paths of all roots are to be held, for the mechanisms."""
    closed: ClosedPlaces = ClosedPlaces()
    """Where programs outside take orders."""


def resolve_access(
    policy: SandboxPolicy,
    cwd: str | Path,
    env: Mapping[str, str],
    extra_writable_roots: Sequence[str | Path] = (),
    *,
    codex_home: str | Path | None = None,
    also_protected: Iterable[str] = (),
    stays_visible: Iterable[str] = (),
) -> Access:
    """The places `policy` opens for a command in `cwd` with this environment (its TMPDIR).

    Given Codex's home, its `memories` may be written and the rest of it may not, whatever root it
    lies in. `also_protected` names further paths to keep, `stays_visible` what must not be covered.
    """
    if isinstance(policy, DangerFullAccessSandboxPolicy):
        return Access(is_confined=False, network_allowed=True)
    if isinstance(policy, ExternalSandboxSandboxPolicy):
        return Access(is_confined=False, network_allowed=policy.network_access == "enabled")
    wished = [str(path) for path in extra_writable_roots]
    kept = list(also_protected)
    if isinstance(policy, WorkspaceWriteSandboxPolicy):
        wished = [str(cwd), *policy.writable_roots, *wished]
        if codex_home is not None:
            wished.append(os.path.join(codex_home, "memories"))
        if not policy.exclude_slash_tmp:
            wished.append("/tmp")
        if not policy.exclude_tmpdir_env_var:
            wished.append(env.get("TMPDIR", ""))
    if codex_home is not None:
        kept.append(str(codex_home))
    roots = _existing_roots(wished)
    protection = protect(roots, kept)
    return Access(
        is_confined=True,
        writable_roots=tuple(WritableRoot(root, _below(root, protection)) for root in roots),
        network_allowed=policy.network_access,
        protection=protection,
        closed=closed_places(
            env,
            roots,
            network_allowed=policy.network_access,
            stays_visible=[str(cwd), *kept, *stays_visible],
            codex_home=None if codex_home is None else str(codex_home),
        ),
    )


def _existing_roots(wished: Sequence[str]) -> list[str]:
    """The real paths of those that exist, the first (the workspace) in any case.

    Another root that is reached through a link which lies in a root is left out: a command could
    have made that link, and would choose with it what the next command may write.
    """
    roots: list[str] = []
    for path in [*wished[:1], *sorted(wished[1:], key=len)]:
        if not os.path.isabs(path):
            continue
        try:
            found = trace(path)
        except OSError as error:
            log.warning("writable root %s is left out: %s", path, error)
            continue
        if found.kind is None or found.is_endless or found.real in roots:
            continue
        if is_below_any(found.real, _NEVER_ROOTS):
            log.warning("writable root %s is left out: it belongs to the kernel", path)
            continue
        if path != wished[0] and any(is_below_any(link, roots) for link in found.links):
            log.warning("writable root %s is left out: reached by a link commands can make", path)
            continue
        roots.append(found.real)
    return roots


def _below(root: str, protection: Protection) -> tuple[str, ...]:
    paths = {*protection.read_only, *protection.missing, *protection.links}
    return tuple(sorted(path for path in paths if is_below(path, root)))
