"""`-c key=value` and dotted keys in general, parsed and put into tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app_server.config.errors import OverrideError
from app_server.config.features import OLD_NAMES, STAGES

SHORT_KEYS = {"use_legacy_landlock": "features.use_legacy_landlock"}
"""Bare keys that stand for longer ones."""


def parse_override(argument: str) -> tuple[str, Any]:
    """Read one `key=value`. The value is TOML, or plain text where it is not."""
    key, equals, text = argument.partition("=")
    key = key.strip()
    if not equals:
        raise OverrideError(f"Invalid override (missing '='): {argument}")
    if not key:
        raise OverrideError(f"Empty key in override: {argument}")
    return SHORT_KEYS.get(key, key), parse_value(text.strip())


def parse_value(text: str) -> Any:
    """A TOML value, or the text itself without surrounding quotes."""
    import tomllib  # only starts with overrides or files need it

    try:
        document = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text.strip("\"'")
    return document["value"] if len(document) == 1 else text


def feature_override(name: str, on: bool) -> tuple[str, bool]:
    """`--enable NAME` or `--disable NAME` as an override; raises for an unknown feature."""
    if name not in STAGES and name not in OLD_NAMES:
        raise OverrideError(f"Unknown feature flag: {name}")
    return f"features.{name}", on


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
