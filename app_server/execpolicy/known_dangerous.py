"""Commands that deserve a question even where others run unasked."""

from __future__ import annotations

from collections.abc import Sequence


def is_known_dangerous(argv: Sequence[str]) -> bool:
    """Whether the call, or a part of its plain script, is one of the known dangerous ones."""
    raise NotImplementedError
