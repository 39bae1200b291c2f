"""Reads stored threads: whole for resuming, only the beginning for lists.

Tolerant by rule: a line that is torn, no UTF-8, no JSON or of an unknown kind costs that line only.
The one thing a file must have is its first line, which says which thread it is.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from app_server.storage.errors import RolloutUnusable
from app_server.storage.rollout import (
    RolloutLine,
    SessionMeta,
    UserMessage,
    decode_line,
)

HEAD_RECORDS = 10
HEAD_RECORDS_FOR_PREVIEW = 200
"""How many more records are looked at for the first user message."""


class StoredRollout(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file."""

    path: Path
    meta: SessionMeta
    lines: list[RolloutLine]
    """All readable lines in order, the first one included."""
    skipped: list[int]
    """Numbers, from 1, of the lines that could not be read. A torn last line is one of them."""


class RolloutHead(msgspec.Struct, frozen=True, kw_only=True):
    """What lists show of a thread."""

    path: Path
    meta: SessionMeta
    preview: str | None
    """The first user message; None if none was found, then lists leave the thread out."""


def read_rollout(path: Path) -> StoredRollout:
    """Read a whole file; raises `RolloutUnusable`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RolloutUnusable(path, error.strerror or str(error)) from error
    lines: list[RolloutLine] = []
    skipped: list[int] = []
    for number, text in enumerate(content.split(b"\n"), start=1):
        if not text.strip():
            continue
        line = decode_line(text)
        if line is not None:
            lines.append(line)
        else:
            skipped.append(number)
        if not lines:
            break
    meta = lines[0].item if lines else None
    if not isinstance(meta, SessionMeta):
        raise RolloutUnusable(path, "its first line does not say which thread it holds")
    return StoredRollout(path=path, meta=meta, lines=lines, skipped=skipped)


def read_head(path: Path) -> RolloutHead | None:
    """The beginning of a file; None when it cannot be read or does not begin as a thread does."""
    try:
        with path.open("rb") as file:
            first = file.readline()
            line = decode_line(first)
            if line is None or not isinstance(line.item, SessionMeta):
                return None
            preview = None
            for _ in range(HEAD_RECORDS + HEAD_RECORDS_FOR_PREVIEW - 1):
                text = file.readline()
                if not text:
                    break
                if b'"user_message"' not in text[:200]:
                    continue
                record = decode_line(text)
                if record is not None and isinstance(record.item, UserMessage):
                    preview = record.item.message
                    break
    except OSError:
        return None
    return RolloutHead(path=path, meta=line.item, preview=preview)
