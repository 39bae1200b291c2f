"""The files of this machine, changed without races.

The folders on the way to a real path are opened one by one without following links: a link planted
after the path was resolved makes the change fail instead of leading it elsewhere. Files are
replaced by renaming a finished one over them and keep their mode.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app_server import ids
from app_server.patch.files import FileState
from app_server.regular_files import read_regular_file
from app_server.repositories import holds_repository

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalFiles:
    """`Files` here."""

    def read(self, path: Path) -> bytes:
        return read_regular_file(path)

    def state(self, path: Path) -> FileState | None:
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                return FileState(os.fsencode(os.readlink(path)), "120000")
            if not stat.S_ISREG(status.st_mode):
                return None
            executable = status.st_mode & stat.S_IXUSR
            return FileState(read_regular_file(path), "100755" if executable else "100644")
        except (OSError, ValueError):
            return None

    def resolved(self, path: Path) -> Path:
        return Path(os.path.realpath(path))

    def repository_around(self, folder: Path) -> Path | None:
        return next((each for each in (folder, *folder.parents) if holds_repository(each)), None)

    def write(self, real: Path, content: bytes, mode_of: Path | None) -> None:
        with _folder(real.parent, create=True) as folder:
            _replace(folder, real.name, content, _mode(mode_of))

    def remove(self, real: Path) -> None:
        with _folder(real.parent, create=False) as folder:
            os.unlink(real.name, dir_fd=folder)


LOCAL_FILES = LocalFiles()


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
