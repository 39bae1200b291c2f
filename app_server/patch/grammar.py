"""The patch language → hunks. Pure; knows no files."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a file: what is there and what will be."""

    context: str | None = None
    """A line to find first, from the `@@ ` header."""
    old_lines: tuple[str, ...] = ()
    new_lines: tuple[str, ...] = ()
    at_end_of_file: bool = False


class AddHunk(msgspec.Struct, frozen=True):
    path: str
    content: str


class DeleteHunk(msgspec.Struct, frozen=True):
    path: str


class UpdateHunk(msgspec.Struct, frozen=True):
    path: str
    move_path: str | None
    chunks: tuple[Chunk, ...]


Hunk: TypeAlias = AddHunk | DeleteHunk | UpdateHunk


class Patch(msgspec.Struct, frozen=True):
    """A whole patch as written."""

    hunks: tuple[Hunk, ...]


def parse_patch(text: str) -> Patch:
    """Read a patch; raises `PatchSyntaxError` with the line where it stops making sense."""
    raise NotImplementedError
