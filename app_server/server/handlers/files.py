"""Files and directories of the server's machine, outside any sandbox.

Paths are absolute. What the operating system refuses is told in its own words. Nothing here waits
for a pipe or a device: only regular files are read and written.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Callable
from typing import TypeVar

from app_server.protocol.errors import InternalError, InvalidParams, InvalidRequest
from app_server.protocol.fs import (
    FS_COPY,
    FS_CREATE_DIRECTORY,
    FS_GET_METADATA,
    FS_READ_DIRECTORY,
    FS_READ_FILE,
    FS_REMOVE,
    FS_WRITE_FILE,
    FsCopyParams,
    FsCopyResponse,
    FsCreateDirectoryParams,
    FsCreateDirectoryResponse,
    FsGetMetadataParams,
    FsGetMetadataResponse,
    FsReadDirectoryEntry,
    FsReadDirectoryParams,
    FsReadDirectoryResponse,
    FsReadFileParams,
    FsReadFileResponse,
    FsRemoveParams,
    FsRemoveResponse,
    FsWriteFileParams,
    FsWriteFileResponse,
)
from app_server.server.base64_text import decode_base64, encode_base64
from app_server.server.context import RequestContext
from app_server.server.registry import handles

T = TypeVar("T")

LARGEST_FILE_BYTES = 256 * 1024 * 1024
"""Read at once; a message cannot sensibly carry more."""


@handles(FS_READ_FILE)
async def read_file(ctx: RequestContext, params: FsReadFileParams) -> FsReadFileResponse:
    return FsReadFileResponse(data_base64=await _on_disk(lambda: _read(params.path)))


@handles(FS_WRITE_FILE)
async def write_file(ctx: RequestContext, params: FsWriteFileParams) -> FsWriteFileResponse:
    try:
        data = decode_base64(params.data_base64)
    except ValueError as error:
        raise InvalidRequest(f"fs/writeFile requires valid base64 dataBase64: {error}") from None
    await _on_disk(lambda: _write(params.path, data))
    return FsWriteFileResponse()


@handles(FS_CREATE_DIRECTORY)
async def create_directory(
    ctx: RequestContext, params: FsCreateDirectoryParams
) -> FsCreateDirectoryResponse:
    if params.recursive is False:
        await _on_disk(lambda: os.mkdir(params.path))
    else:
        await _on_disk(lambda: os.makedirs(params.path, exist_ok=True))
    return FsCreateDirectoryResponse()


@handles(FS_GET_METADATA)
async def get_metadata(ctx: RequestContext, params: FsGetMetadataParams) -> FsGetMetadataResponse:
    return await _on_disk(lambda: _metadata(params.path))


@handles(FS_READ_DIRECTORY)
async def read_directory(
    ctx: RequestContext, params: FsReadDirectoryParams
) -> FsReadDirectoryResponse:
    return FsReadDirectoryResponse(entries=await _on_disk(lambda: _entries(params.path)))


@handles(FS_REMOVE)
async def remove(ctx: RequestContext, params: FsRemoveParams) -> FsRemoveResponse:
    recursive = params.recursive is not False
    force = params.force is not False
    await _on_disk(lambda: _remove(params.path, recursive=recursive, force=force))
    return FsRemoveResponse()


@handles(FS_COPY)
async def copy(ctx: RequestContext, params: FsCopyParams) -> FsCopyResponse:
    await _on_disk(
        lambda: _copy(params.source_path, params.destination_path, recursive=params.recursive)
    )
    return FsCopyResponse()


async def _on_disk(work: Callable[[], T]) -> T:
    """Do it off the loop; what the system refuses becomes the answer."""
    try:
        return await asyncio.to_thread(work)
    except shutil.Error as error:
        raise InternalError(str(error)) from error
    except OSError as error:
        if error.errno is None:
            raise InternalError(str(error)) from error
        raise InternalError(f"{os.strerror(error.errno)} (os error {error.errno})") from error
    except ValueError as error:
        raise InvalidParams(f"not a path: {error}") from error


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(21, path)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidRequest("fs/readFile only reads regular files")
        data = file.read(LARGEST_FILE_BYTES + 1)
    if len(data) > LARGEST_FILE_BYTES:
        raise InvalidRequest(f"fs/readFile reads files of at most {LARGEST_FILE_BYTES} bytes")
    return encode_base64(data)


def _write(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    with open(descriptor, "wb") as file:
        file.write(data)


def _metadata(path: str) -> FsGetMetadataResponse:
    found = os.stat(path)
    created = getattr(found, "st_birthtime", 0.0)
    return FsGetMetadataResponse(
        is_directory=stat.S_ISDIR(found.st_mode),
        is_file=stat.S_ISREG(found.st_mode),
        is_symlink=os.path.islink(path),
        created_at_ms=int(created * 1000),
        modified_at_ms=max(0, found.st_mtime_ns // 1_000_000),
    )


def _entries(path: str) -> list[FsReadDirectoryEntry]:
    with os.scandir(path) as entries:
        return [
            FsReadDirectoryEntry(
                file_name=entry.name, is_directory=entry.is_dir(), is_file=entry.is_file()
            )
            for entry in entries
        ]


def _remove(path: str, *, recursive: bool, force: bool) -> None:
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISDIR(mode):
            os.unlink(path)
        elif recursive:
            shutil.rmtree(path)
        else:
            os.rmdir(path)
    except FileNotFoundError:
        if not force:
            raise


def _copy(source: str, destination: str, *, recursive: bool) -> None:
    mode = os.lstat(source).st_mode
    if stat.S_ISDIR(mode):
        if not recursive:
            raise InvalidRequest("fs/copy requires recursive: true when sourcePath is a directory")
        if _is_within(destination, source):
            raise InvalidRequest(
                "fs/copy cannot copy a directory to itself or one of its descendants"
            )
        _copy_tree(source, destination)
    elif stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), destination)
    elif stat.S_ISREG(mode):
        shutil.copy(source, destination)
    else:
        raise InvalidRequest("fs/copy only supports regular files, directories, and symlinks")


def _copy_tree(source: str, destination: str) -> None:
    """Special files inside are left out."""
    os.makedirs(destination, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            target = os.path.join(destination, entry.name)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), target)
            elif entry.is_dir():
                _copy_tree(entry.path, target)
            elif entry.is_file():
                shutil.copy(entry.path, target)


def _is_within(path: str, folder: str) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
