"""What a turn has changed so far, as one git-style diff against the state before the turn.

Only files touched by patches count. The first touch of a file remembers how it was; a moved file
stays one entry. Paths are shown relative to the repository, absolute outside of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app_server.patch.changes import FileChange, UpdateFile, touched_paths
from app_server.patch.diff import hunks
from app_server.patch.files import Files, FileState, FilesUnreachable
from app_server.patch.local_files import LOCAL_FILES

NO_BLOB = "0" * 40


class _Entry(msgspec.Struct):
    origin: Path
    before: FileState | None


class TurnDiff:
    """Collects the changes of one turn."""

    def __init__(self, cwd: Path, files: Files = LOCAL_FILES) -> None:
        self.files = files
        """May be replaced by the same ones over another connection."""
        self._root = files.repository_around(cwd)
        self._entries: dict[Path, _Entry] = {}

    def before(self, changes: Sequence[FileChange]) -> None:
        """Remember how the files are that are about to change. Reads files."""
        for change in changes:
            for path in touched_paths([change]):
                if path not in self._entries:
                    self._entries[path] = _Entry(path, self._before(path))
            if isinstance(change, UpdateFile) and change.move_path not in (None, change.path):
                assert change.move_path is not None
                self._entries[change.move_path] = self._entries.pop(change.path)

    def text(self) -> str | None:
        """The diff as of now, "" when nothing differs; None where the files cannot be reached.
        Reads them as they are now."""
        entries = sorted(self._entries.items(), key=lambda entry: str(entry[0]))
        try:
            return "".join(self._file_diff(path, entry) for path, entry in entries)
        except FilesUnreachable:
            return None

    def _before(self, path: Path) -> FileState | None:
        try:
            return self.files.state(path)
        except FilesUnreachable:
            return None  # nor can they be changed

    def _file_diff(self, path: Path, entry: _Entry) -> str:
        old, new = entry.before, self.files.state(path)
        if new is None and old is None:
            return ""
        moved = entry.origin != path and old is not None and new is not None
        if old == new and not moved:
            return ""
        old_name = f"a/{self._shown(path if old is None else entry.origin)}"
        new_name = f"b/{self._shown(entry.origin if new is None else path)}"
        lines = [f"diff --git {old_name} {new_name}\n"]
        if old is None and new is not None:
            lines.append(f"new file mode {new.mode}\n")
        elif new is None and old is not None:
            lines.append(f"deleted file mode {old.mode}\n")
        elif old is not None and new is not None and old.mode != new.mode:
            lines.append(f"old mode {old.mode}\nnew mode {new.mode}\n")
        lines.append(_body(old, new, old_name, new_name))
        return "".join(lines)

    def _shown(self, path: Path) -> str:
        if self._root is not None and path.is_relative_to(self._root):
            return str(path.relative_to(self._root))
        return str(path)


def blob_id(content: bytes) -> str:
    """The id git gives to a file's content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _body(old: FileState | None, new: FileState | None, old_name: str, new_name: str) -> str:
    old_bytes = old.content if old else b""
    new_bytes = new.content if new else b""
    index = f"index {blob_id(old_bytes) if old else NO_BLOB}..{_new_id(new)}\n"
    if old and new and old_bytes == new_bytes:
        if old_name[2:] == new_name[2:]:
            return ""
        return f"similarity index 100%\nrename from {old_name[2:]}\nrename to {new_name[2:]}\n"
    try:
        body = hunks(old_bytes.decode(), new_bytes.decode())
    except UnicodeDecodeError:
        body = None
    shown_old = old_name if old else "/dev/null"
    shown_new = new_name if new else "/dev/null"
    if body is None or b"\0" in old_bytes or b"\0" in new_bytes:
        return f"{index}Binary files {shown_old} and {shown_new} differ\n"
    if not body:
        return index
    return f"{index}--- {shown_old}\n+++ {shown_new}\n{body}"


def _new_id(new: FileState | None) -> str:
    return blob_id(new.content) if new else NO_BLOB
