"""Files a client reads block by block, under names it chooses; closed with its session."""

from __future__ import annotations

import os
import stat

from app_server.exec_server.confinement import check_reading
from app_server.exec_server.file_methods import (
    CloseParams,
    OpenParams,
    OpenResult,
    ReadBlockParams,
    ReadBlockResult,
)
from app_server.exec_server.files import absolute_path, refused
from app_server.exec_server.protocol import INVALID_REQUEST, NOT_FOUND, EmptyResult, ServiceError

MOST_HANDLES = 128
LARGEST_BLOCK_BYTES = 1024 * 1024


class FileHandles:
    """The open files of one client."""

    def __init__(self) -> None:
        self._descriptors: dict[str, int] = {}

    def open(self, params: OpenParams) -> OpenResult:
        check_reading(params.sandbox)
        if params.handle_id in self._descriptors:
            raise ServiceError(INVALID_REQUEST, f"file handle `{params.handle_id}` already exists")
        if len(self._descriptors) >= MOST_HANDLES:
            raise ServiceError(INVALID_REQUEST, f"at most {MOST_HANDLES} files can be open")
        path = absolute_path(params.path)
        with refused():
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ServiceError(INVALID_REQUEST, f"path `{path}` is not a file")
        self._descriptors[params.handle_id] = descriptor
        return OpenResult(handle_id=params.handle_id)

    def read_block(self, params: ReadBlockParams) -> ReadBlockResult:
        descriptor = self._descriptors.get(params.handle_id)
        if descriptor is None:
            raise ServiceError(NOT_FOUND, f"unknown file handle `{params.handle_id}`")
        if not 1 <= params.len <= LARGEST_BLOCK_BYTES:
            raise ServiceError(
                INVALID_REQUEST,
                f"file read block length must be between 1 and {LARGEST_BLOCK_BYTES}",
            )
        with refused():
            chunk = os.pread(descriptor, params.len, params.offset)
            size_bytes = os.fstat(descriptor).st_size
        return ReadBlockResult(chunk=chunk, eof=params.offset + len(chunk) >= size_bytes)

    def close(self, params: CloseParams) -> EmptyResult:
        """Also of a file that is not open."""
        descriptor = self._descriptors.pop(params.handle_id, None)
        if descriptor is not None:
            os.close(descriptor)
        return EmptyResult()

    def close_all(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()
