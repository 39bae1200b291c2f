"""Commands that only look: they run unasked under every policy."""

from __future__ import annotations

from collections.abc import Sequence


def is_known_safe(argv: Sequence[str]) -> bool:
    """Whether the call, or every part of its plain script, is known to change nothing."""
    raise NotImplementedError
