"""Unified diffs as git writes them, in linear time for the usual case of small changes.

Lines are split at `\\n` only. A last line without newline is marked as git marks it.
"""

from __future__ import annotations


def hunks(old: str, new: str, context_lines: int = 3) -> str:
    """The `@@` hunks between two texts, without file headers; "" if they are equal."""
    raise NotImplementedError
