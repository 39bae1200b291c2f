"""Makes the changes of a verified patch.

A path is resolved once, `may_write` is asked about the real one, and that one is changed. How it is
kept from leading elsewhere meanwhile is the files' own business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app_server.patch.changes import AddFile, DeleteFile, FileChange, UpdateFile
from app_server.patch.errors import PatchWriteError
from app_server.patch.files import Files
from app_server.patch.local_files import LOCAL_FILES

MayWrite = Callable[[Path], bool]


def apply_changes(
    changes: Sequence[FileChange], may_write: MayWrite | None = None, files: Files = LOCAL_FILES
) -> None:
    """Make the changes, in order.

    `may_write` is asked with the real, link-free path of every file that is written or removed;
    None allows all. Raises `PatchWriteError`; changes made before it stay.
    """
    writer = _Writer(files, may_write or _always)
    for change in changes:
        match change:
            case AddFile():
                writer.write(change.path, change.content)
            case DeleteFile():
                writer.remove(change.path)
            case UpdateFile(move_path=Path() as target) if target != change.path:
                writer.write(target, change.new_content, mode_of=change.path)
                writer.remove(change.path)
            case UpdateFile():
                writer.write(change.path, change.new_content)


class _Writer:
    def __init__(self, files: Files, may_write: MayWrite) -> None:
        self._files = files
        self._may_write = may_write

    def write(self, path: Path, content: str, *, mode_of: Path | None = None) -> None:
        """An existing link is written through."""
        try:
            real = self._files.resolved(path)
            self._check(real)
            self._files.write(real, content.encode("utf-8", "replace"), mode_of)
        except (OSError, ValueError) as error:
            raise PatchWriteError(f"Failed to write file {path}: {_reason(error)}") from error

    def remove(self, path: Path) -> None:
        """A link is removed itself."""
        try:
            real = self._files.resolved(path.parent) / path.name
            self._check(real)
            self._files.remove(real)
        except (OSError, ValueError) as error:
            raise PatchWriteError(f"Failed to delete file {path}: {_reason(error)}") from error

    def _check(self, real: Path) -> None:
        if not self._may_write(real):
            raise PermissionError(0, "it lies outside of the writable folders")


def _always(path: Path) -> bool:
    return True


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
