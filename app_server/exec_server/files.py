"""Files of the service's machine, for clients of release 0.128 and later.

Only regular files are read and written, so that nothing here waits for a pipe or a device. What
the system refuses is told in its own words. A change under a sandbox is for `confined_files`;
whether one lets everything be read is checked before.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app_server.exec_server.file_methods import (
    CanonicalizeParams,
    CanonicalizeResult,
    CopyParams,
    CreateDirectoryParams,
    Entry,
    FileParams,
    GetMetadataParams,
    Metadata,
    ReadDirectoryParams,
    ReadDirectoryResult,
    ReadFileParams,
    ReadFileResult,
    RemoveParams,
    WalkParams,
    WriteFileParams,
)
from app_server.exec_server.file_walk import walk
from app_server.exec_server.locations import URI_PREFIX, local_path, uri
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    NOT_FOUND,
    Body,
    EmptyResult,
    ServiceError,
)

LARGEST_FILE_BYTES = 256 * 1024 * 1024
"""Read at once; a message cannot sensibly carry more."""


def is_change(params: FileParams) -> bool:
    """Whether it writes."""
    return isinstance(params, (WriteFileParams, CreateDirectoryParams, RemoveParams, CopyParams))


def answer(params: FileParams) -> Body:
    """Do what the params ask. Raises `ServiceError`."""
    with refused():
        result: Body = _WORK[type(params)](params)
        return result


@contextmanager
def refused() -> Iterator[None]:
    """What the system refuses is refused to the client."""
    try:
        yield
    except FileNotFoundError as error:
        raise ServiceError(NOT_FOUND, os_text(error)) from error
    except OSError as error:
        raise ServiceError(INTERNAL_ERROR, os_text(error)) from error
    except ValueError as error:
        raise ServiceError(INVALID_PARAMS, f"not a path: {error}") from error


def absolute_path(text: str) -> str:
    """The place meant. Raises `ServiceError`."""
    path = local_path(text)
    if path is None:
        raise ServiceError(INVALID_PARAMS, f"path must be absolute: {text}")
    return path


def _read_file(params: ReadFileParams) -> ReadFileResult:
    descriptor = os.open(absolute_path(params.path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(21, "")
        if not stat.S_ISREG(found.st_mode):
            raise ServiceError(INVALID_REQUEST, "only regular files are read")
        if found.st_size > LARGEST_FILE_BYTES:
            raise ServiceError(INVALID_REQUEST, f"at most {LARGEST_FILE_BYTES} bytes are read")
        return ReadFileResult(data_base64=file.read(LARGEST_FILE_BYTES))


def _write_file(params: WriteFileParams) -> EmptyResult:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(absolute_path(params.path), flags, 0o666), "wb") as file:
        file.write(params.data_base64)
    return EmptyResult()


def _create_directory(params: CreateDirectoryParams) -> EmptyResult:
    if params.recursive is False:
        os.mkdir(absolute_path(params.path))
    else:
        os.makedirs(absolute_path(params.path), exist_ok=True)
    return EmptyResult()


def _metadata(params: GetMetadataParams) -> Metadata:
    path = absolute_path(params.path)
    found = os.stat(path)
    return Metadata(
        is_directory=stat.S_ISDIR(found.st_mode),
        is_file=stat.S_ISREG(found.st_mode),
        is_symlink=os.path.islink(path),
        size=found.st_size,
        created_at_ms=0,
        modified_at_ms=max(0, found.st_mtime_ns // 1_000_000),
    )


def _read_directory(params: ReadDirectoryParams) -> ReadDirectoryResult:
    with os.scandir(absolute_path(params.path)) as entries:
        return ReadDirectoryResult(
            entries=[
                Entry(file_name=entry.name, is_directory=entry.is_dir(), is_file=entry.is_file())
                for entry in entries
            ]
        )


def _remove(params: RemoveParams) -> EmptyResult:
    path = absolute_path(params.path)
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
        elif params.recursive is not False:
            import shutil

            shutil.rmtree(path)
        else:
            os.rmdir(path)
    except FileNotFoundError:
        if params.force is False:
            raise
    return EmptyResult()


def _copy(params: CopyParams) -> EmptyResult:
    import shutil

    source, destination = absolute_path(params.source_path), absolute_path(params.destination_path)
    mode = os.lstat(source).st_mode
    if stat.S_ISDIR(mode):
        if not params.recursive:
            raise ServiceError(INVALID_REQUEST, "a directory is only copied with recursive: true")
        inside = os.path.realpath(destination) + "/"
        if inside.startswith(os.path.realpath(source) + "/"):
            raise ServiceError(INVALID_REQUEST, "a directory cannot be copied into itself")
        shutil.copytree(
            source, destination, symlinks=True, dirs_exist_ok=True, ignore=_special_files
        )
    elif stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), destination)
    elif stat.S_ISREG(mode):
        shutil.copy(source, destination)
    else:
        raise ServiceError(INVALID_REQUEST, "only files, directories and links are copied")
    return EmptyResult()


def _canonicalize(params: CanonicalizeParams) -> CanonicalizeResult:
    real = os.path.realpath(absolute_path(params.path), strict=True)
    return CanonicalizeResult(path=uri(real) if params.path.startswith(URI_PREFIX) else real)


def _special_files(folder: str, names: list[str]) -> list[str]:
    """Pipes, sockets and devices, which cannot be copied."""
    modes = ((name, os.lstat(os.path.join(folder, name)).st_mode) for name in names)
    return [
        name
        for name, mode in modes
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))
    ]


def os_text(error: OSError) -> str:
    if error.errno is None:
        return str(error)
    return f"{os.strerror(error.errno)} (os error {error.errno})"


_WORK: dict[type[Body], Callable[[Any], Body]] = {
    ReadFileParams: _read_file,
    WriteFileParams: _write_file,
    CreateDirectoryParams: _create_directory,
    GetMetadataParams: _metadata,
    ReadDirectoryParams: _read_directory,
    RemoveParams: _remove,
    CopyParams: _copy,
    CanonicalizeParams: _canonicalize,
    WalkParams: lambda params: walk(params, absolute_path(params.path)),
}
