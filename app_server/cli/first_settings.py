"""The few settings that count before the settings are loaded: where a session is drawn and logged.

They come from the user's own file and from `-c`, later ones winning. What cannot be read says
nothing here; the server tells of it. Costs one small read, and loads a TOML reader only for a file
that names one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from app_server.paths import InvalidPath, absolute
from app_server.regular_files import read_regular_file

_KEYS: tuple[tuple[str, ...], ...] = (("tui", "alternate_screen"), ("tui", "theme"), ("log_dir",))


class FirstSettings(NamedTuple):
    full_screen: bool = False
    log_folder: Path | None = None
    """None: `log` in the home."""
    code_theme: str | None = None
    """None: the terminal's own colours."""


def first_settings(home: Path, cwd: str, overrides: Iterable[tuple[str, Any]]) -> FirstSettings:
    """What counts for a session in `cwd`."""
    found = FirstSettings()
    table = _table(home / "config.toml")
    for key in _KEYS:
        found = _with(found, key[-1], _at(table, key), home)
    for name, value in overrides:
        if (key := tuple(name.split("."))) in _KEYS:
            found = _with(found, key[-1], value, Path(cwd))
    return found


def _with(settings: FirstSettings, name: str, value: Any, base: Path) -> FirstSettings:
    if not isinstance(value, str):
        return settings
    if name == "alternate_screen":
        return settings._replace(full_screen=value == "always")
    if name == "theme":
        return settings._replace(code_theme=value or None)
    try:
        return settings._replace(log_folder=absolute(value, base))
    except InvalidPath:
        return settings


def _table(path: Path) -> Mapping[str, Any]:
    try:
        content = read_regular_file(path)
    except OSError:
        return {}
    if not any(key[-1].encode() in content for key in _KEYS):
        return {}
    import tomllib  # about 5 ms

    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        return {}


def _at(table: Mapping[str, Any], key: tuple[str, ...]) -> Any:
    value: Any = table
    for name in key:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
