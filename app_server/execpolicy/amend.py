"""Which rule would let a command run unasked from now on, and writing it down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def propose(argv: Sequence[str], suggested_prefix: Sequence[str] | None = None) -> list[str] | None:
    """The prefix to offer to the user with a question about `argv`, None if there is none.

    `suggested_prefix` is the model's own idea (`prefix_rule`); it counts if it covers the whole
    command and is not so wide that it would allow anything.
    """
    raise NotImplementedError


def append_allow_rule(codex_home: Path, prefix: Sequence[str]) -> None:
    """Add `prefix` to the user's rules, under a lock; an existing rule is not repeated."""
    raise NotImplementedError
