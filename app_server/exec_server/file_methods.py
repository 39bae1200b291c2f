"""What clients of release 0.128 and later ask about files, by the names of their methods."""

from __future__ import annotations

from typing import Literal

import msgspec

from app_server.exec_server.protocol import Body, Count


class FileParams(Body, frozen=True, kw_only=True):
    sandbox: msgspec.Raw = msgspec.Raw(b"null")


class ReadFileParams(FileParams, frozen=True, kw_only=True):
    path: str


class ReadFileResult(Body, frozen=True, kw_only=True):
    data_base64: bytes


class WriteFileParams(FileParams, frozen=True, kw_only=True):
    path: str
    data_base64: bytes


class CreateDirectoryParams(FileParams, frozen=True, kw_only=True):
    path: str
    recursive: bool | None = None
    """Absent: with its parents, and no complaint if it exists."""


class GetMetadataParams(FileParams, frozen=True, kw_only=True):
    path: str


class Metadata(Body, frozen=True, kw_only=True):
    is_directory: bool
    is_file: bool
    is_symlink: bool
    size: int
    created_at_ms: int
    modified_at_ms: int


class ReadDirectoryParams(FileParams, frozen=True, kw_only=True):
    path: str


class Entry(Body, frozen=True, kw_only=True):
    file_name: str
    is_directory: bool
    is_file: bool


class ReadDirectoryResult(Body, frozen=True, kw_only=True):
    entries: list[Entry]


class RemoveParams(FileParams, frozen=True, kw_only=True):
    path: str
    recursive: bool | None = None
    force: bool | None = None


class CopyParams(FileParams, frozen=True, kw_only=True):
    source_path: str
    destination_path: str
    recursive: bool = False


class CanonicalizeParams(FileParams, frozen=True, kw_only=True):
    path: str


class CanonicalizeResult(Body, frozen=True, kw_only=True):
    path: str


class WalkOptions(Body, frozen=True, kw_only=True):
    max_depth: Count
    max_directories: Count
    max_entries: Count
    follow_directory_symlinks: bool


class WalkParams(FileParams, frozen=True, kw_only=True):
    path: str
    options: WalkOptions


class WalkEntry(Body, frozen=True, kw_only=True):
    path: str
    kind: Literal["file", "directory"]


class WalkError(Body, frozen=True, kw_only=True):
    path: str
    message: str


class WalkResult(Body, frozen=True, kw_only=True):
    entries: list[WalkEntry]
    errors: list[WalkError]
    truncated: bool


class OpenParams(FileParams, frozen=True, kw_only=True):
    handle_id: str
    path: str


class OpenResult(Body, frozen=True, kw_only=True):
    handle_id: str


class ReadBlockParams(Body, frozen=True, kw_only=True):
    handle_id: str
    offset: Count
    len: Count


class ReadBlockResult(Body, frozen=True, kw_only=True):
    chunk: bytes
    eof: bool


class CloseParams(Body, frozen=True, kw_only=True):
    handle_id: str


class WatchMissingParams(Body, frozen=True, kw_only=True):
    watch_id: Count
    missing: list[str]
    present: str | None = None
    """To be watched along with them, for going away or being written."""


class WatchMissingResult(Body, frozen=True, kw_only=True):
    watching: bool
    """If not, the client has to look itself."""


FILE_METHODS: dict[str, type[Body]] = {
    "fs/readFile": ReadFileParams,
    "fs/writeFile": WriteFileParams,
    "fs/createDirectory": CreateDirectoryParams,
    "fs/getMetadata": GetMetadataParams,
    "fs/readDirectory": ReadDirectoryParams,
    "fs/remove": RemoveParams,
    "fs/copy": CopyParams,
    "fs/canonicalize": CanonicalizeParams,
    "fs/walk": WalkParams,
    "fs/open": OpenParams,
    "fs/readBlock": ReadBlockParams,
    "fs/close": CloseParams,
    "fs/watchMissing": WatchMissingParams,
}
