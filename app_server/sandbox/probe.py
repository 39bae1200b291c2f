"""Which mechanism of this machine can hold a command, found by trying, once per process."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Mechanism: TypeAlias = Literal["bubblewrap", "namespaces", "landlock", "none"]


class SandboxFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What can be promised here."""

    mechanism: Mechanism
    keeps: frozenset[str] = frozenset()
    """The promises kept: "read-only", "workspace-write"."""
    missing: str | None = None
    """What a better mechanism lacks, as a clause; None if the best one works."""
    remedy: str | None = None
    """What the user can do about it, as a sentence."""


def facts() -> SandboxFacts:
    """Try the mechanisms, best first; the answer is remembered. Blocks some tens of ms once."""
    raise NotImplementedError
