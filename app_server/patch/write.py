"""Makes the changes of a verified patch.

A path is resolved once, `may_write` is asked about the real one, and that one is changed. How it is
kept from leading elsewhere meanwhile is the files' own business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from app_server.patch.changes import AddFile, DeleteFile, FileChange, UpdateFile
from app_server.patch.errors import PatchWriteError
from app_server.patch.files import Files
from app_server.patch.local_files import LOCAL_FILES

MayWrite = Callable[[Path], bool]


def apply_changes(
    changes: Sequence[FileChange], may_write: MayWrite | None = None, files: Files = LOCAL_FILES
) -> None:
    """Make the changes, in order.

    `may_write` is asked with the real path of every file that is written or removed (`real_paths`);
    None allows all. Raises `PatchWriteError`; changes made before it stay.
    """
    allows = may_write or _always
    for step in _steps(changes):
        try:
            real = step.real(files)
            if not allows(real):
                raise PermissionError(0, "it lies outside of the writable folders")
            if step.content is None:
                files.remove(real)
            else:
                files.write(real, step.content.encode("utf-8", "replace"), step.mode_of)
        except (OSError, ValueError) as error:
            verb = "delete" if step.content is None else "write"
            reason = f"Failed to {verb} file {step.path}: {_reason(error)}"
            raise PatchWriteError(reason) from error


def real_paths(changes: Sequence[FileChange], files: Files = LOCAL_FILES) -> frozenset[Path]:
    """The files that the changes really touch: what a link leads to where it is written, and the
    link itself where it is removed."""
    return frozenset(step.real(files) for step in _steps(changes))


class _Step(NamedTuple):
    """One file to be written, or removed where there is no content."""

    path: Path
    content: str | None
    mode_of: Path | None = None

    def real(self, files: Files) -> Path:
        if self.content is None:
            return files.resolved(self.path.parent) / self.path.name
        return files.resolved(self.path)


def _steps(changes: Sequence[FileChange]) -> Iterator[_Step]:
    for change in changes:
        match change:
            case AddFile():
                yield _Step(change.path, change.content)
            case DeleteFile():
                yield _Step(change.path, None)
            case UpdateFile(move_path=Path() as target) if target != change.path:
                yield _Step(target, change.new_content, mode_of=change.path)
                yield _Step(change.path, None)
            case UpdateFile():
                yield _Step(change.path, change.new_content)


def _always(path: Path) -> bool:
    return True


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
