"""What a sandbox policy means for one command: which places may be written, which stay as they are.

Pure reading: it looks at the file system and changes nothing. Knows no mechanism.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from app_server.protocol.permissions import SandboxPolicy

PROTECTED_NAMES = (".git", ".codex", ".agents")
"""Metadata that stays read-only under every writable root: it decides what runs later."""


class WritableRoot(msgspec.Struct, frozen=True):
    """A place that may be written, except for the paths below it that are protected."""

    path: str
    protected: tuple[str, ...] = ()
    """Existing paths, or paths that must not come into being."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What one command may do. Everything may be read."""

    is_confined: bool
    writable_roots: tuple[WritableRoot, ...] = ()
    network_allowed: bool = False


def resolve_access(
    policy: SandboxPolicy,
    cwd: str | Path,
    env: Mapping[str, str],
    extra_writable_roots: Sequence[str | Path] = (),
) -> Access:
    """The places `policy` opens for a command in `cwd` with this environment (its TMPDIR)."""
    raise NotImplementedError
