"""Prompts a user has sent, over all threads: `history.jsonl` on the user's own machine.

One line per prompt. Several programs share the file: a line is appended whole under an exclusive
lock and read under a shared one. `MessageHistory` is the file; `NoMessageHistory` stands in where
there is none to use and says so.

Everything here blocks on the disk; call it off the event loop.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import msgspec

from app_server import clock

FILE_MODE = 0o600
LOCK_TRIES = 10
LOCK_PAUSE_SECONDS = 0.1
KEPT_SHARE = 0.8
"""A file that outgrew its limit is trimmed to this part of it."""
CHUNK_BYTES = 64 * 1024

Persistence: TypeAlias = Literal["save-all", "none"]


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt. Times are Unix seconds."""

    session_id: str
    ts: int
    text: str


class HistoryMetadata(msgspec.Struct, frozen=True):
    """Which file it is and how many lines it has; (0, 0) where there is none."""

    log_id: int
    count: int


class HistoryBusy(OSError):
    """Somebody else held the lock for too long."""

    def __init__(self) -> None:
        super().__init__("could not acquire exclusive lock on history file after multiple attempts")


class PromptHistory(Protocol):
    """What the terminal needs of it."""

    @property
    def unavailable_notice(self) -> str | None:
        """What to tell the user once where nothing is kept; None where it works."""
        ...

    def append(self, session_id: str, text: str) -> None: ...

    def metadata(self) -> HistoryMetadata: ...

    def lookup(self, log_id: int, offset: int) -> HistoryEntry | None: ...

    def newest_first(self) -> Iterator[HistoryEntry]: ...


class MessageHistory:
    """The history file of one home."""

    def __init__(
        self,
        codex_home: Path,
        *,
        persistence: Persistence = "save-all",
        max_bytes: int | None = None,
    ) -> None:
        self.path = codex_home / "history.jsonl"
        self._persistence = persistence
        self._max_bytes = max_bytes or 0

    @property
    def unavailable_notice(self) -> str | None:
        return None

    def append(self, session_id: str, text: str) -> None:
        """Add a prompt, unless keeping them is switched off. Raises OSError (`HistoryBusy`)."""
        if self._persistence == "none":
            return
        entry = HistoryEntry(session_id=session_id, ts=int(clock.now()), text=_storable(text))
        line = msgspec.json.encode(entry) + b"\n"
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, FILE_MODE)
        try:
            if os.fstat(descriptor).st_mode & 0o777 != FILE_MODE:
                os.fchmod(descriptor, FILE_MODE)
            with _locked(descriptor, fcntl.LOCK_EX):
                size_bytes = os.fstat(descriptor).st_size
                is_torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
                os.write(descriptor, b"\n" + line if is_torn else line)
                self._trim(descriptor, len(line))
        finally:
            os.close(descriptor)

    def metadata(self) -> HistoryMetadata:
        """Which file it is and how many lines it has."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return HistoryMetadata(0, 0)
        except OSError:
            return self._unreadable()
        try:
            inode = os.fstat(descriptor).st_ino
            count = 0
            while chunk := os.read(descriptor, CHUNK_BYTES):
                count += chunk.count(b"\n")
        except OSError:
            return self._unreadable()
        finally:
            os.close(descriptor)
        return HistoryMetadata(inode, count)

    def lookup(self, log_id: int, offset: int) -> HistoryEntry | None:
        """The entry on a line, counted from 0; None if the file is another one by now."""
        content = self._read(log_id)
        lines = content.split(b"\n")[:-1] if content else []
        return _entry(lines[offset]) if 0 <= offset < len(lines) else None

    def newest_first(self) -> Iterator[HistoryEntry]:
        """All entries as they were when the first one was asked for, the newest first."""
        for line in reversed((self._read(0) or b"").split(b"\n")):
            entry = _entry(line)
            if entry is not None:
                yield entry

    def _read(self, log_id: int) -> bytes | None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if log_id not in (0, os.fstat(descriptor).st_ino):
                return None
            with _locked(descriptor, fcntl.LOCK_SH), open(descriptor, "rb", closefd=False) as file:
                return file.read()
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _unreadable(self) -> HistoryMetadata:
        with suppress(OSError):
            return HistoryMetadata(os.stat(self.path).st_ino, 0)
        return HistoryMetadata(0, 0)

    def _trim(self, descriptor: int, newest_bytes: int) -> None:
        """Drop the oldest lines of a file that outgrew its limit; the newest always stays."""
        size_bytes = os.fstat(descriptor).st_size
        if not 0 < self._max_bytes < size_bytes:
            return
        allowed = max(int(self._max_bytes * KEPT_SHARE), newest_bytes)
        content = os.pread(descriptor, size_bytes, 0)
        start = content.find(b"\n", max(size_bytes - allowed - 1, 0)) + 1
        kept = content[start:] if start < size_bytes else content[-newest_bytes:]
        os.ftruncate(descriptor, 0)
        os.write(descriptor, kept)


class NoMessageHistory:
    """Stands in where prompts cannot be kept: reads nothing, keeps nothing, says so once."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    @property
    def unavailable_notice(self) -> str | None:
        return f"Earlier prompts are not available: {self._reason}"

    def append(self, session_id: str, text: str) -> None:
        return

    def metadata(self) -> HistoryMetadata:
        return HistoryMetadata(0, 0)

    def lookup(self, log_id: int, offset: int) -> HistoryEntry | None:
        return None

    def newest_first(self) -> Iterator[HistoryEntry]:
        return iter(())


@contextmanager
def _locked(descriptor: int, kind: int) -> Iterator[None]:
    for attempt in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if attempt == LOCK_TRIES - 1:
                raise HistoryBusy from None
            time.sleep(LOCK_PAUSE_SECONDS)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _entry(line: bytes) -> HistoryEntry | None:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _storable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


_decoder = msgspec.json.Decoder(HistoryEntry)
