"""Files where a process service runs, through its file methods: `patch.files.Files` elsewhere.

Works with a service of ours, of release 0.128 and of 0.169, which names places by URI. Every call
blocks until the answer is there, so they are for worker threads; one that is not answered in time
fails. A change can carry the sandbox it is to happen in, which the service then keeps: a link that
is planted after a path was resolved leads nowhere. What goes wrong is an `OSError` in its words.
"""

from __future__ import annotations

import asyncio
import errno
import re
import threading
from pathlib import Path
from typing import TypeVar

import msgspec

from app_server import ids
from app_server.exec.sandbox_demand import SandboxDemand
from app_server.exec_server import file_methods, protocol
from app_server.exec_server.client import CallRejected, ExecServerClient, ExecServerError
from app_server.exec_server.locations import local_path, uri
from app_server.exec_server.protocol import NOT_FOUND
from app_server.patch.files import FileState, FilesUnreachable
from app_server.protocol.wire import JsonObject

LONGEST_CALL_SECONDS = 60.0
"""A change inside a sandbox may take half of that in a service of ours."""
READ_AT_ONCE_BYTES = 4 * 1024 * 1024
"""Larger files come in blocks: a message that is too large ends the connection."""
BLOCK_BYTES = 1024 * 1024
LARGEST_FILE_BYTES = 64 * 1024 * 1024
LARGEST_CHANGE_BYTES = 8 * 1024 * 1024
"""There are no blocks for writing."""

_METHOD_OF = {kind: name for name, kind in file_methods.FILE_METHODS.items()}

R = TypeVar("R", bound=protocol.Body)


class _Facts(protocol.Body, frozen=True, kw_only=True):
    is_directory: bool
    is_file: bool
    is_symlink: bool = False
    size: int | None = None
    """Release 0.128 does not tell."""


class _Done(protocol.Body, frozen=True, kw_only=True):
    """An answer that says no more than that."""


class RemoteFiles:
    """The files behind one connection. Made on its event loop, used on any other thread."""

    def __init__(self, client: ExecServerClient) -> None:
        self._client = client
        self._sandbox = msgspec.Raw(b"null")
        self._loop = asyncio.get_running_loop()
        self._is_given_up = threading.Event()

    def confine(self, permissions: JsonObject, folder: Path) -> None:
        """Make changes inside a sandbox from now on: that of a permission profile as rollouts spell
        it, which speaks of this folder."""
        self._sandbox = SandboxDemand(permissions, folder).encoded(self._named)

    def give_up(self) -> None:
        """Fail from the next call on: nobody waits for what would come of it."""
        self._is_given_up.set()

    def read(self, path: Path) -> bytes:
        return self.read_some(path, LARGEST_FILE_BYTES)

    def read_some(self, path: Path, limit_bytes: int) -> bytes:
        """The same with another limit; a file that is larger is refused."""
        found = self._facts(path)
        if found.is_directory:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not found.is_file:
            raise OSError(errno.EINVAL, "not a regular file")
        size = found.size or 0
        if size > limit_bytes:
            raise OSError(errno.EFBIG, f"larger than {limit_bytes // 1024**2} MiB")
        if size > READ_AT_ONCE_BYTES:
            return self._read_in_blocks(path, size)
        params = file_methods.ReadFileParams(path=self._named(path))
        return self._call(params, file_methods.ReadFileResult).data_base64

    def state(self, path: Path) -> FileState | None:
        """Links are followed, and whether a file can be run is not told by these methods."""
        try:
            return FileState(self.read(path), "100644")
        except FilesUnreachable:
            raise
        except (OSError, ValueError):
            return None

    def resolved(self, path: Path) -> Path:
        missing: list[str] = []
        place = path
        while True:
            try:
                return self._canonical(place).joinpath(*reversed(missing))
            except FileNotFoundError:
                if place == place.parent:
                    raise
            if self._is_listed(place):
                raise OSError(errno.ELOOP, f"{place} is a link that leads nowhere")
            missing.append(place.name)
            place = place.parent

    def repository_around(self, folder: Path) -> Path | None:
        for each in (folder, *folder.parents):
            for mark in (".git/HEAD", ".git"):
                try:
                    if self._facts(each / mark).is_file:
                        return each
                except OSError:
                    pass
        return None

    def write(self, real: Path, content: bytes, mode_of: Path | None) -> None:
        if len(content) > LARGEST_CHANGE_BYTES:
            raise OSError(errno.EFBIG, f"larger than {LARGEST_CHANGE_BYTES // 1024**2} MiB")
        there = self._named(real)
        folder = file_methods.CreateDirectoryParams(
            path=self._named(real.parent), recursive=True, sandbox=self._sandbox
        )
        self._call(folder, _Done)
        if mode_of is not None and not self._is_there(real):
            source = self._named(mode_of)
            copy = file_methods.CopyParams(
                source_path=source, destination_path=there, sandbox=self._sandbox
            )
            self._call(copy, _Done)
        params = file_methods.WriteFileParams(
            path=there, data_base64=content, sandbox=self._sandbox
        )
        self._call(params, _Done)

    def remove(self, real: Path) -> None:
        params = file_methods.RemoveParams(
            path=self._named(real), recursive=False, force=False, sandbox=self._sandbox
        )
        self._call(params, _Done)

    def _read_in_blocks(self, path: Path, size: int) -> bytes:
        handle = ids.uuid4().replace("-", "")  # release 0.169 takes 32 bytes
        self._call(file_methods.OpenParams(handle_id=handle, path=self._named(path)), _Done)
        content = bytearray()
        try:
            while len(content) <= size:
                wanted = file_methods.ReadBlockParams(
                    handle_id=handle, offset=len(content), len=BLOCK_BYTES
                )
                block = self._call(wanted, file_methods.ReadBlockResult)
                content += block.chunk
                if block.eof:
                    return bytes(content)
        finally:
            self._call(file_methods.CloseParams(handle_id=handle), _Done)
        raise OSError(errno.EAGAIN, "it grows while it is read")

    def _canonical(self, path: Path) -> Path:
        params = file_methods.CanonicalizeParams(path=self._named(path))
        try:
            answer = self._call(params, file_methods.CanonicalizeResult)
        except OSError as error:
            if error.errno == errno.ENOSYS:
                return self._without_links(path)
            raise
        real = local_path(answer.path)
        if real is None:
            raise OSError(errno.EPROTO, f"the service names {path} `{answer.path}`")
        return Path(real)

    def _without_links(self, path: Path) -> Path:
        """For release 0.128, which does not say where a link leads."""
        self._facts(path)
        for place in (path, *path.parents):
            if self._facts(place).is_symlink:
                raise OSError(errno.ELOOP, f"{place} is a link, and the service cannot follow it")
        return path

    def _is_listed(self, path: Path) -> bool:
        """Whether a folder has an entry of this name although nothing is behind it."""
        params = file_methods.ReadDirectoryParams(path=self._named(path.parent))
        try:
            found = self._call(params, file_methods.ReadDirectoryResult)
        except FileNotFoundError:
            return False
        return any(entry.file_name == path.name for entry in found.entries)

    def _is_there(self, path: Path) -> bool:
        try:
            self._facts(path)
        except FileNotFoundError:
            return False
        return True

    def _facts(self, path: Path) -> _Facts:
        return self._call(file_methods.GetMetadataParams(path=self._named(path)), _Facts)

    def _named(self, path: Path) -> str:
        return uri(str(path)) if self._client.names_places_by_uri else str(path)

    def _call(self, params: protocol.Body, kind: type[R]) -> R:
        """One call, from any thread but the loop's. Raises `OSError`, with `ENOSYS` for a method
        the service does not have."""
        if self._is_given_up.is_set():
            raise FilesUnreachable(errno.ECANCELED, "nobody waits for it any more")
        asked = self._client.call(_METHOD_OF[type(params)], params, kind)
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return answer.result(LONGEST_CALL_SECONDS)
        except TimeoutError:
            answer.cancel()
            self.give_up()  # the next call would wait as long
            raise FilesUnreachable(
                errno.ETIMEDOUT, f"no answer from the service within {LONGEST_CALL_SECONDS:g} s"
            ) from None
        except CallRejected as error:
            if error.is_unknown_method:
                raise OSError(errno.ENOSYS, error.message) from error
            raise _as_os_error(error) from error
        except ExecServerError as error:
            raise FilesUnreachable(errno.ECONNRESET, str(error)) from error


def _as_os_error(error: CallRejected) -> OSError:
    """What the service was told by its system, as far as it passes that on."""
    told = re.fullmatch(r"(.*) \(os error (\d+)\)", error.message, re.DOTALL)
    reason, number = (told[1], int(told[2])) if told else (error.message, 0)
    if error.code == NOT_FOUND:
        number = errno.ENOENT
    return OSError(number, reason)  # of the subclass that belongs to the number
