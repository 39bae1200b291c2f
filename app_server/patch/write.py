"""Makes the changes of a verified patch.

A path is resolved once, `may_write` is asked about the real one, and the folders on the way are
then opened one by one without following links: a link planted after the check makes the write
fail instead of leading it elsewhere. Files are replaced by renaming a finished one over them and
keep their mode.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from app_server import ids
from app_server.patch.changes import AddFile, DeleteFile, FileChange, UpdateFile
from app_server.patch.errors import PatchWriteError

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

MayWrite = Callable[[Path], bool]


def apply_changes(changes: Sequence[FileChange], may_write: MayWrite | None = None) -> None:
    """Make the changes, in order.

    `may_write` is asked with the real, link-free path of every file that is written or removed;
    None allows all. Raises `PatchWriteError`; changes made before it stay.
    """
    allowed = may_write or _always
    for change in changes:
        match change:
            case AddFile():
                write_file(change.path, change.content, allowed)
            case DeleteFile():
                remove_file(change.path, allowed)
            case UpdateFile(move_path=Path() as target) if target != change.path:
                write_file(target, change.new_content, allowed, mode_of=change.path)
                remove_file(change.path, allowed)
            case UpdateFile():
                write_file(change.path, change.new_content, allowed)


def write_file(
    path: Path, content: str, may_write: MayWrite, *, mode_of: Path | None = None
) -> None:
    """Give a file this content, making folders as needed. An existing link is written through."""
    try:
        real = Path(os.path.realpath(path))
        _check(real, may_write)
        with _folder(real.parent, create=True) as folder:
            _replace(folder, real.name, content.encode("utf-8", "replace"), _mode(mode_of))
    except (OSError, ValueError) as error:
        raise PatchWriteError(f"Failed to write file {path}: {_reason(error)}") from error


def remove_file(path: Path, may_write: MayWrite) -> None:
    """Remove a file; a link is removed itself."""
    try:
        real = Path(os.path.realpath(path.parent)) / path.name
        _check(real, may_write)
        with _folder(real.parent, create=False) as folder:
            os.unlink(real.name, dir_fd=folder)
    except (OSError, ValueError) as error:
        raise PatchWriteError(f"Failed to delete file {path}: {_reason(error)}") from error


def _always(path: Path) -> bool:
    return True


def _check(real: Path, may_write: MayWrite) -> None:
    if not may_write(real):
        raise PermissionError(0, "it lies outside of the writable folders")


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _mode(path: Path | None) -> int | None:
    """The permission bits of a file that is about to move; None where there is none."""
    if path is None:
        return None
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return None


@contextmanager
def _folder(path: Path, *, create: bool) -> Iterator[int]:
    """An open descriptor of a folder, reached from the root without following any link."""
    descriptor = os.open("/", _FOLDER_FLAGS)
    try:
        for part in path.parts[1:]:
            try:
                inner = os.open(part, _FOLDER_FLAGS, dir_fd=descriptor)
            except FileNotFoundError:
                if not create:
                    raise
                with suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=descriptor)
                inner = os.open(part, _FOLDER_FLAGS, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(folder: int, name: str, content: bytes, mode: int | None) -> None:
    try:
        standing: os.stat_result | None = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        standing = None
    if standing is not None and not stat.S_ISREG(standing.st_mode):
        raise PermissionError(0, "not a regular file")
    temporary = f".{name[:100]}.{ids.uuid4()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o666, dir_fd=folder)
    except PermissionError:
        if standing is None:
            raise
        _overwrite(folder, name, content)  # the folder is read-only, the file is not
        return
    try:
        with open(descriptor, "wb") as file:
            if standing is not None:
                with suppress(OSError):
                    os.fchown(descriptor, standing.st_uid, standing.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(standing.st_mode))
            elif mode is not None:
                os.fchmod(descriptor, mode)
            file.write(content)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _overwrite(folder: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "wb") as file:
        file.write(content)
