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
        text, document = _read(path)
        standing: dict[str, Any] = document.unwrap()
        if before is not None:
            before(standing)
        changes = edits(standing) if callable(edits) else edits
        table = changed(standing, changes)
        if after is not None:
            after(table)
        result = _edited(path, text, changes, table)
        _write(path, result)
    import tomllib

    return tomllib.loads(result)


def changed(table: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """The table after the changes; the given one is left alone."""
    import copy

    result = copy.deepcopy(dict(table))
    for edit in edits:
        place: Any = result
        *parents, last = edit.path
        for name in parents:
            inner = place.get(name)
            if not isinstance(inner, dict):
                if edit.value is None:
                    break
                inner = place[name] = {}
            place = inner
        else:
            _set(place, last, _without_nulls(edit.value), edit.merge)
    return result


def _set(place: dict[str, Any], key: str, value: Any, merge: MergeStrategy) -> None:
    if value is None:
        place.pop(key, None)
    elif merge == "upsert" and isinstance(place.get(key), dict) and isinstance(value, dict):
        for name, entry in value.items():
            _set(place[key], name, entry, "upsert" if isinstance(entry, dict) else "replace")
    else:
        place[key] = value


def _edited(path: Path, text: str, edits: Sequence[Edit], wanted: Mapping[str, Any]) -> str:
    """The text with the changes made, checked to mean what was wanted.

    A new table among dotted keys would take over the lines below its header, which changes other
    settings; there it is written inline.
    """
    import tomlkit

    for inline in (False, True):
        document = tomlkit.parse(text)
        for edit in edits:
            _make(document, edit, inline=inline)
        result = document.as_string()
        with suppress(ValueError):
            if _substance(tomlkit.parse(result).unwrap()) == _substance(wanted):
                return result
    keys = ", ".join(f"`{'.'.join(edit.path)}`" for edit in edits)
    raise ConfigFileError(
        str(path), None, f"{keys} cannot be set without changing other lines; edit it by hand"
    )


def _substance(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table without empty ones in it: dotted keys leave none behind."""
    kept = {
        key: _substance(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
    }
    return {key: value for key, value in kept.items() if value != {}}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> tuple[str, TOMLDocument]:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return "", tomlkit.document()
    except UnicodeDecodeError as error:
        raise ConfigFileError(str(path), None, f"not UTF-8: {error}") from error
    try:
        return text, tomlkit.parse(text)
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


def _make(document: TOMLDocument, edit: Edit, *, inline: bool) -> None:
    import tomlkit

    place: Any = document
    *parents, last = edit.path
    for position, name in enumerate(parents):
        inner = place.get(name)
        if not isinstance(inner, Mapping):
            if edit.value is None:
                return
            is_innermost = position == len(parents) - 1
            is_super = not is_innermost or isinstance(edit.value, dict)
            place[name] = tomlkit.inline_table() if inline else tomlkit.table(is_super)
            inner = place[name]
        place = inner
    if edit.value is None:
        if last in place:
            del place[last]
        return
    value = _without_nulls(edit.value)
    if inline and isinstance(value, dict):
        value = _inline(value)
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


def _inline(table: Mapping[str, Any]) -> Any:
    import tomlkit

    made = tomlkit.inline_table()
    for key, entry in table.items():
        made[key] = _inline(entry) if isinstance(entry, Mapping) else entry
    return made


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
