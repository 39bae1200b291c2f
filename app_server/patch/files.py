"""The files a patch is about, as it needs them: read whole, resolved, written and removed.

They may be another machine's, so every call can take a while: use them off the event loop. What
fails is an `OSError`, whose reason a person can read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec


class FilesUnreachable(OSError):
    """Nothing can be told of any file: whoever has them does not answer."""


class FileState(msgspec.Struct, frozen=True):
    """A file at one moment. A link's content is where it points."""

    content: bytes
    mode: str
    """As git writes it."""


class Files(Protocol):
    """Absolute paths go in; those that are called real have no links on the way."""

    def read(self, path: Path) -> bytes:
        """The content of a regular file, links followed."""
        ...

    def state(self, path: Path) -> FileState | None:
        """How a file is now; None where there is none. Raises `FilesUnreachable` alone."""
        ...

    def resolved(self, path: Path) -> Path:
        """Where a path leads, whether or not something is there."""
        ...

    def repository_around(self, folder: Path) -> Path | None:
        """The root of the repository a folder belongs to."""
        ...

    def write(self, real: Path, content: bytes, mode_of: Path | None) -> None:
        """Give a file this content, making folders as needed; a new one may take over the
        permission bits of another."""
        ...

    def remove(self, real: Path) -> None:
        """Remove a file; a link is removed itself."""
        ...
