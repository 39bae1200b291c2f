"""Which skills are switched off: the list `skills.config` of the settings, read and rewritten.

An entry names a skill by the path of its file or by its name; the last one that fits decides, and a
skill nobody mentions is on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec


class Switches(msgspec.Struct, frozen=True):
    by_path: Mapping[str, bool] = {}
    by_name: Mapping[str, bool] = {}

    def is_enabled(self, name: str, path: str) -> bool:
        """A path says more than a name."""
        return self.by_path.get(os.path.realpath(path), self.by_name.get(name, True))


def read_switches(skills: Mapping[str, Any]) -> Switches:
    """What the settings' `[skills]` table says; entries of another shape say nothing."""
    by_path: dict[str, bool] = {}
    by_name: dict[str, bool] = {}
    for entry in _entries(skills):
        if isinstance(entry.get("path"), str):
            by_path[os.path.realpath(entry["path"])] = bool(entry.get("enabled", True))
        elif isinstance(entry.get("name"), str):
            by_name[entry["name"]] = bool(entry.get("enabled", True))
    return Switches(by_path, by_name)


def switched(
    skills: Mapping[str, Any], *, path: str | None, name: str | None, enabled: bool
) -> list[dict[str, Any]]:
    """The new `skills.config`: switching on is forgetting that it was switched off."""
    kept = [dict(entry) for entry in _entries(skills) if not _names(entry, path, name)]
    if not enabled:
        kept.append(({"path": path} if path is not None else {"name": name}) | {"enabled": False})
    return kept


def _entries(skills: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = skills.get("config")
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _names(entry: Mapping[str, Any], path: str | None, name: str | None) -> bool:
    if path is not None:
        written = entry.get("path")
        return isinstance(written, str) and os.path.realpath(written) == os.path.realpath(path)
    return "path" not in entry and entry.get("name") == name
