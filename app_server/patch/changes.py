"""A verified patch: what will happen to each file, and what a reader is shown of it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import msgspec

from app_server.patch.diff import hunks
from app_server.protocol.item import (
    AddPatchChangeKind,
    DeletePatchChangeKind,
    FileUpdateChange,
    UpdatePatchChangeKind,
)


class AddFile(msgspec.Struct, frozen=True, kw_only=True):
    """A new file. `replaced` is what stood there before, None if nothing did."""

    path: Path
    shown_path: str
    """The path as the patch spells it."""
    content: str
    replaced: str | None = None


class DeleteFile(msgspec.Struct, frozen=True, kw_only=True):
    path: Path
    shown_path: str
    content: str
    """What is deleted."""


class UpdateFile(msgspec.Struct, frozen=True, kw_only=True):
    path: Path
    shown_path: str
    old_content: str
    new_content: str
    move_path: Path | None = None
    shown_move_path: str | None = None
    overwritten: str | None = None
    """What stood at `move_path` before, None if nothing did."""


FileChange: TypeAlias = AddFile | DeleteFile | UpdateFile


def touched_paths(changes: list[FileChange]) -> list[Path]:
    """Every path that is written, created or removed; absolute."""
    paths: list[Path] = []
    for change in changes:
        paths.append(change.path)
        if isinstance(change, UpdateFile) and change.move_path is not None:
            paths.append(change.move_path)
    return paths


def as_item_changes(changes: list[FileChange]) -> list[FileUpdateChange]:
    """The `changes` of a fileChange item, ordered by path."""
    return sorted((_as_item_change(change) for change in changes), key=lambda item: item.path)


def _as_item_change(change: FileChange) -> FileUpdateChange:
    match change:
        case AddFile():
            kind = AddPatchChangeKind()
            return FileUpdateChange(path=str(change.path), kind=kind, diff=change.content)
        case DeleteFile():
            return FileUpdateChange(
                path=str(change.path), kind=DeletePatchChangeKind(), diff=change.content
            )
        case UpdateFile():
            diff = hunks(change.old_content, change.new_content, context_lines=1)
            if change.move_path is not None:
                diff += f"\n\nMoved to: {change.move_path}"
            move_path = None if change.move_path is None else str(change.move_path)
            return FileUpdateChange(
                path=str(change.path),
                kind=UpdatePatchChangeKind(move_path=move_path),
                diff=diff,
            )
