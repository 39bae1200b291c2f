"""Changes a settings file, keeping comments, order and spacing of what it does not touch.

Read, change and write happen under a lock, so that two servers sharing a home never lose each
other's writes. The file is replaced atomically, private to its owner (0600); a link is followed.

Imports tomlkit (about 30 ms): only for writing, and off the event loop.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app_server import ids
from app_server.config.errors import ConfigFileError
from app_server.protocol.config import MergeStrategy

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

FILE_MODE = 0o600


class Edit(msgspec.Struct, frozen=True):
    """One change; None as value deletes the key."""

    path: tuple[str, ...]
    value: Any
    merge: MergeStrategy = "replace"
    """`upsert` merges a table into a standing one."""


def set_value(path: Path, dotted_key: str, value: Any) -> None:
    """Set one value in a file, or delete it with None. Keys are split at every dot."""
    edit_file(path, [Edit(tuple(dotted_key.split(".")), value)])


def edit_file(
    path: Path,
    edits: Sequence[Edit] | Callable[[Mapping[str, Any]], Sequence[Edit]],
    *,
    before: Callable[[Mapping[str, Any]], None] | None = None,
    after: Callable[[Mapping[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Make all changes or none; returns the file's new table.

    Changes that depend on what stands there are given as a function of the table.
    `before` sees the table as it stands and `after` as it would become; either may raise to leave
    the file alone. Raises `ConfigFileError` for a file that is no TOML, OSError if it cannot be
    written.
    """
    with _locked(path):
        document = _read(path)
        if before is not None:
            before(document.unwrap())
        for edit in edits(document.unwrap()) if callable(edits) else edits:
            _make(document, edit)
        table: dict[str, Any] = document.unwrap()
        if after is not None:
            after(table)
        _write(path, document.as_string())
    return table


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return tomlkit.document()
    except UnicodeDecodeError as error:
        raise ConfigFileError(str(path), None, f"not UTF-8: {error}") from error
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigFileError(str(path), None, str(error)) from error


def _write(path: Path, text: str) -> None:
    real = Path(os.path.realpath(path))
    temporary = real.with_name(f".{real.name}.{ids.uuid4()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(descriptor)
        os.rename(temporary, real)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _make(document: TOMLDocument, edit: Edit) -> None:
    import tomlkit

    place: Any = document
    *parents, last = edit.path
    for position, name in enumerate(parents):
        inner = place.get(name)
        if not isinstance(inner, Mapping):
            if edit.value is None:
                return
            is_innermost = position == len(parents) - 1
            inner = tomlkit.table(is_super_table=not is_innermost or isinstance(edit.value, dict))
            place[name] = inner
            inner = place[name]
        place = inner
    if edit.value is None:
        if last in place:
            del place[last]
        return
    value = _without_nulls(edit.value)
    standing = place.get(last)
    if edit.merge == "upsert" and isinstance(standing, Mapping) and isinstance(value, dict):
        _merge_into(standing, value)
    elif isinstance(standing, Mapping) or last not in place or not _keep_comment(standing):
        place[last] = value
    else:
        item = tomlkit.item(value)
        item.trivia.comment_ws = standing.trivia.comment_ws
        item.trivia.comment = standing.trivia.comment
        place[last] = item


def _keep_comment(standing: Any) -> bool:
    trivia = getattr(standing, "trivia", None)
    return bool(trivia is not None and trivia.comment)


def _merge_into(standing: Any, value: Mapping[str, Any]) -> None:
    for key, entry in value.items():
        inner = standing.get(key)
        if isinstance(inner, Mapping) and isinstance(entry, dict):
            _merge_into(inner, entry)
        else:
            standing[key] = entry


def _without_nulls(value: Any) -> Any:
    """The value as TOML can hold it: entries that are null are left out."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(entry) for entry in value if entry is not None]
    return value
