"""Pages of a list that is short enough to hold: a cursor is the number of entries already seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from app_server.protocol.errors import InvalidRequest

T = TypeVar("T")


def page(
    entries: Sequence[T], cursor: str | None, limit: int | None, plural: str
) -> tuple[Sequence[T], str | None]:
    """The entries after the cursor and the cursor of the next page, None at the end.

    A limit of 0 counts as 1. Raises `InvalidRequest` for a cursor that is none of this list.
    """
    first = _position(cursor, len(entries), plural)
    last = len(entries) if limit is None else first + max(1, limit)
    return entries[first:last], str(last) if last < len(entries) else None


def _position(cursor: str | None, total: int, plural: str) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()):
        raise InvalidRequest(f"invalid cursor: {cursor:.100}")
    if len(cursor) > 18 or int(cursor) > total:
        raise InvalidRequest(f"cursor {cursor:.100} exceeds total {plural} {total}")
    return int(cursor)
