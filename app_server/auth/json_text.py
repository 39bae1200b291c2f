"""Reading JSON that somebody else wrote: a file, a token, an answer.

Whatever is wrong with it is one error, which never quotes what was read.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


class NotReadable(ValueError):
    """Not JSON, or not in the form that was expected."""


def read_json(content: bytes | str, kind: type[T]) -> T:
    """Raises `NotReadable`."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NotReadable("not in the form that was expected") from None
