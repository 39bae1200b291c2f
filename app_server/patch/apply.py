"""Checks a patch against the files, then says what would become of each.

`verify` reads and computes and changes nothing: it sees the files as they will be after the hunks
before it, so a patch may touch one file more than once. `patch.write` makes the changes.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from app_server.patch.changes import AddFile, DeleteFile, FileChange, UpdateFile
from app_server.patch.errors import PatchEmpty, PatchMismatch
from app_server.patch.files import Files
from app_server.patch.grammar import AddHunk, DeleteHunk, Patch, UpdateHunk
from app_server.patch.local_files import LOCAL_FILES
from app_server.patch.locate import patched
from app_server.patch.write import apply_changes, real_paths
from app_server.regular_files import os_reason

__all__ = ["apply_changes", "real_paths", "verify"]


def verify(patch: Patch, cwd: Path, files: Files = LOCAL_FILES) -> list[FileChange]:
    """What the patch will do, one change per file, in the order of the patch.

    Raises `PatchError` with the text the model is told (`verification_text`) when a file does not
    look as the patch expects.
    """
    if not patch.hunks:
        raise PatchEmpty
    outcome = _Outcome(cwd, files)
    for hunk in patch.hunks:
        match hunk:
            case AddHunk():
                outcome.add(hunk)
            case DeleteHunk():
                outcome.delete(hunk)
            case UpdateHunk():
                outcome.update(hunk)
    return outcome.changes


class _Outcome:
    """The files as the hunks so far leave them."""

    def __init__(self, cwd: Path, files: Files) -> None:
        self.cwd = cwd
        self.files = files
        self.changes: list[FileChange] = []
        self.contents: dict[Path, str | None] = {}

    def add(self, hunk: AddHunk) -> None:
        path = self._path(hunk.path)
        replaced = self._content_or_none(path)
        self.contents[path] = hunk.content
        self.changes.append(
            AddFile(path=path, shown_path=hunk.path, content=hunk.content, replaced=replaced)
        )

    def delete(self, hunk: DeleteHunk) -> None:
        path = self._path(hunk.path)
        content = self._content(path, "Failed to read")
        self.contents[path] = None
        self.changes.append(DeleteFile(path=path, shown_path=hunk.path, content=content))

    def update(self, hunk: UpdateHunk) -> None:
        path = self._path(hunk.path)
        old = self._content(path, "Failed to read file to update")
        new = patched(old, hunk.chunks, str(path))
        move_path = None if hunk.move_path is None else self._path(hunk.move_path)
        overwritten = None
        if move_path is not None and move_path != path:
            overwritten = self._content_or_none(move_path)
            self.contents[path] = None
        self.contents[move_path or path] = new
        change = UpdateFile(
            path=path,
            shown_path=hunk.path,
            old_content=old,
            new_content=new,
            move_path=move_path,
            shown_move_path=hunk.move_path,
            overwritten=overwritten,
        )
        if not self._joined(change):
            self.changes.append(change)

    def _joined(self, change: UpdateFile) -> bool:
        """Whether the update was folded into an earlier change of the same file."""
        for position, earlier in enumerate(self.changes):
            if earlier.path != change.path:
                continue
            if isinstance(earlier, AddFile) and change.move_path is None:
                self.changes[position] = msgspec.structs.replace(
                    earlier, content=change.new_content
                )
                return True
            if isinstance(earlier, UpdateFile) and earlier.move_path is None:
                self.changes[position] = msgspec.structs.replace(
                    change, old_content=earlier.old_content
                )
                return True
        return False

    def _path(self, written: str) -> Path:
        if "\0" in written:
            raise PatchMismatch(f"a path holds a NUL character: {written!r}")
        return Path(os.path.normpath(self.cwd / written))

    def _content(self, path: Path, failure: str) -> str:
        if path in self.contents:
            content = self.contents[path]
            if content is None:
                raise PatchMismatch(f"{failure} {path}: No such file or directory (os error 2)")
            return content
        try:
            return self.files.read(path).decode()
        except UnicodeDecodeError as error:
            raise PatchMismatch(
                f"{failure} {path}: invalid utf-8 sequence of "
                f"{error.end - error.start} bytes from index {error.start}"
            ) from error
        except OSError as error:
            raise PatchMismatch(f"{failure} {path}: {os_reason(error)}") from error

    def _content_or_none(self, path: Path) -> str | None:
        if path in self.contents:
            return self.contents[path]
        try:
            return self.files.read(path).decode("utf-8", "replace")
        except OSError:
            return None
