"""The layers of configuration, weakest first, and what one layer is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app_server.protocol.config import (
    ConfigLayerMetadata,
    ConfigLayerSource,
    SessionFlagsConfigLayerSource,
)


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One source of settings with its table."""

    source: ConfigLayerSource
    table: Mapping[str, Any]
    disabled_reason: str | None = None
    """Why the table does not count; None: it does."""
    file: Path | None = None
    """Where it stands; None: in no file."""
    ignored_keys: tuple[str, ...] = ()
    """Keys that do not count although the layer does."""

    @property
    def folder(self) -> Path | None:
        """What its relative paths start from; None: the working directory."""
        return None if self.file is None else self.file.parent

    @property
    def counts(self) -> bool:
        return self.disabled_reason is None

    @property
    def clears(self) -> bool:
        """Whether an empty table takes away what weaker layers have in it."""
        return isinstance(self.source, SessionFlagsConfigLayerSource)

    @property
    def effective(self) -> Mapping[str, Any]:
        """The part of the table that counts."""
        if not self.ignored_keys:
            return self.table
        return {key: value for key, value in self.table.items() if key not in self.ignored_keys}

    @property
    def version(self) -> str:
        return version_of(self.table)

    @property
    def metadata(self) -> ConfigLayerMetadata:
        return ConfigLayerMetadata(name=self.source, version=self.version)


def version_of(table: Mapping[str, Any]) -> str:
    """A fingerprint of a table that does not depend on the order of its keys."""
    import hashlib  # both for `config/read` only
    import json

    text = json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def merge(
    below: Mapping[str, Any], above: Mapping[str, Any], *, clears: bool = False
) -> dict[str, Any]:
    """Tables merge key by key, anything else is replaced.

    With `clears` an empty table takes away the one below. In a file it does not: a header that
    nothing follows is left behind easily, and means nothing.
    """
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping) and (value or not clears):
            merged[key] = merge(old, value, clears=clears)
        else:
            merged[key] = value
    return merged


def leaves(value: Any, prefix: str = "") -> Iterator[str]:
    """The dotted paths of all single values; entries of lists are numbered."""
    if isinstance(value, Mapping):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    else:
        yield prefix
        return
    for key, entry in entries:
        yield from leaves(entry, f"{prefix}.{key}" if prefix else str(key))


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """One table from dotted keys; later ones win, tables on the way are made."""
    table: dict[str, Any] = {}
    for key, value in pairs:
        if value is None:
            continue
        *parents, last = key.split(".")
        place = table
        for parent in parents:
            inner = place.get(parent)
            if not isinstance(inner, dict):
                inner = place[parent] = {}
            place = inner
        place[last] = _plain(value)
    return table


def _plain(value: Any) -> Any:
    """Wire values and mappings as dicts, and no None: TOML has none, so it means "not set"."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
