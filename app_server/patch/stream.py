"""A patch while it is still arriving: what can already be said of each file.

Fed with pieces of any size, it answers once per piece that completed a line of interest. What it
shows is a preview: nothing is checked, no file is read.
"""

from __future__ import annotations

from app_server.patch.grammar import ADD, BEGIN, DELETE, END, END_OF_FILE, MOVE, UPDATE
from app_server.protocol.item import (
    AddPatchChangeKind,
    DeletePatchChangeKind,
    FileUpdateChange,
    PatchChangeKind,
    UpdatePatchChangeKind,
)


class PatchStream:
    """Fed with the pieces of a patch; gives the changes as far as they are known."""

    def __init__(self) -> None:
        self._tail = ""
        self._files: list[_File] = []
        self._began = False
        self._ended = False

    def feed(self, piece: str) -> list[FileUpdateChange] | None:
        """The changes so far when the piece added to them, None when it did not.

        Paths are as the patch spells them; diffs are made of the lines received so far, so the
        line numbers of an update count from its own first line.
        """
        *lines, self._tail = (self._tail + piece).split("\n")
        told_something = False
        for line in lines:
            told_something |= self._line(line.removesuffix("\r"))
        if not told_something:
            return None
        return [file.as_change() for file in self._files]

    def _line(self, line: str) -> bool:
        stripped = line.strip()
        if not self._began:
            self._began = stripped == BEGIN
            return False
        if stripped == END:
            self._ended = True
        if self._ended or stripped == END_OF_FILE:
            return False
        if stripped.startswith(ADD):
            self._files.append(_File(stripped.removeprefix(ADD), AddPatchChangeKind()))
        elif stripped.startswith(DELETE):
            self._files.append(_File(stripped.removeprefix(DELETE), DeletePatchChangeKind()))
        elif stripped.startswith(UPDATE):
            self._files.append(_File(stripped.removeprefix(UPDATE), UpdatePatchChangeKind()))
        elif not self._files:
            return False
        else:
            return self._files[-1].take(line)
        return True


class _File:
    def __init__(self, path: str, kind: PatchChangeKind) -> None:
        self.path = path
        self.kind = kind
        self.lines: list[str] = []

    def take(self, line: str) -> bool:
        match self.kind:
            case AddPatchChangeKind() if line.startswith("+"):
                self.lines.append(line[1:] + "\n")
            case UpdatePatchChangeKind() if line.startswith(MOVE) and not self.lines:
                self.kind = UpdatePatchChangeKind(move_path=line.removeprefix(MOVE).strip())
            case UpdatePatchChangeKind():
                self.lines.append(line + "\n")
            case _:
                return False
        return True

    def as_change(self) -> FileUpdateChange:
        is_update = isinstance(self.kind, UpdatePatchChangeKind)
        diff = _as_hunks(self.lines) if is_update else "".join(self.lines)
        return FileUpdateChange(path=self.path, kind=self.kind, diff=diff)


def _as_hunks(lines: list[str]) -> str:
    """The chunks of an update as a unified diff, numbered as if they followed each other."""
    chunks: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("@@"):
            chunks.append((line.removeprefix("@@").rstrip("\n"), []))
            continue
        if not chunks:
            chunks.append(("", []))
        chunks[-1][1].append(line if line.strip() else " \n")
    pieces: list[str] = []
    old_at = new_at = 1
    for context, body in chunks:
        old = sum(not line.startswith("+") for line in body)
        new = sum(not line.startswith("-") for line in body)
        pieces += [f"@@ -{old_at},{old} +{new_at},{new} @@{context}\n", *body]
        old_at, new_at = old_at + old, new_at + new
    return "".join(pieces)
