"""Files and directories on the server's machine."""

from app_server.protocol.method import ClientMethod, ServerNotification
from app_server.protocol.shared import AbsolutePathBuf, AbsolutePathParam
from app_server.protocol.wire import Wire


class FsReadFileParams(Wire):
    path: AbsolutePathParam


class FsReadFileResponse(Wire):
    data_base64: str


class FsWriteFileParams(Wire):
    data_base64: str
    path: AbsolutePathParam


class FsWriteFileResponse(Wire): ...


class FsCreateDirectoryParams(Wire):
    path: AbsolutePathParam
    recursive: bool | None = None


class FsCreateDirectoryResponse(Wire): ...


class FsGetMetadataParams(Wire):
    path: AbsolutePathParam


class FsGetMetadataResponse(Wire):
    """Times are Unix milliseconds, 0 where unknown."""

    is_directory: bool
    is_file: bool
    is_symlink: bool
    created_at_ms: int
    modified_at_ms: int


class FsReadDirectoryParams(Wire):
    path: AbsolutePathParam


class FsReadDirectoryEntry(Wire):
    file_name: str
    is_directory: bool
    is_file: bool


class FsReadDirectoryResponse(Wire):
    entries: list[FsReadDirectoryEntry]


class FsRemoveParams(Wire):
    path: AbsolutePathParam
    force: bool | None = None
    recursive: bool | None = None


class FsRemoveResponse(Wire): ...


class FsCopyParams(Wire):
    source_path: AbsolutePathParam
    destination_path: AbsolutePathParam
    recursive: bool = False


class FsCopyResponse(Wire): ...


class FsWatchParams(Wire):
    """Watch a file or directory under an id the client chooses."""

    path: AbsolutePathParam
    watch_id: str


class FsWatchResponse(Wire):
    path: AbsolutePathBuf


class FsUnwatchParams(Wire):
    watch_id: str


class FsUnwatchResponse(Wire): ...


class FsChangedNotification(Wire):
    """What changed since the previous notification."""

    changed_paths: list[AbsolutePathBuf]
    watch_id: str


def _by_watch(params: FsWatchParams | FsUnwatchParams) -> str:
    return f"watch:{params.watch_id}"


FS_READ_FILE = ClientMethod("fs/readFile", FsReadFileParams, FsReadFileResponse)
FS_WRITE_FILE = ClientMethod("fs/writeFile", FsWriteFileParams, FsWriteFileResponse)
FS_CREATE_DIRECTORY = ClientMethod(
    "fs/createDirectory", FsCreateDirectoryParams, FsCreateDirectoryResponse
)
FS_GET_METADATA = ClientMethod("fs/getMetadata", FsGetMetadataParams, FsGetMetadataResponse)
FS_READ_DIRECTORY = ClientMethod("fs/readDirectory", FsReadDirectoryParams, FsReadDirectoryResponse)
FS_REMOVE = ClientMethod("fs/remove", FsRemoveParams, FsRemoveResponse)
FS_COPY = ClientMethod("fs/copy", FsCopyParams, FsCopyResponse)
FS_WATCH = ClientMethod(
    "fs/watch", FsWatchParams, FsWatchResponse, queue=_by_watch, queue_is_private=True
)
FS_UNWATCH = ClientMethod(
    "fs/unwatch", FsUnwatchParams, FsUnwatchResponse, queue=_by_watch, queue_is_private=True
)
FS_CHANGED = ServerNotification("fs/changed", FsChangedNotification)
