"""A permission profile as clients write it on argv, read with nothing but the standard library.

Only the one spelling that releases since 0.128 use is understood, and of it only what there is no
doubt about. Everything else is for `spellings`, which knows the others and says what is wrong; it
costs a program that only runs one command more than the command.
"""

from __future__ import annotations

from typing import Any

from app_server.sandbox.wishes import Grant, GrantedAccess, Grants, Where

_ACCESSES: dict[str, GrantedAccess] = {"read": "read", "write": "write", "none": "none"}
_PLACES: dict[str, Where] = {
    "root": "root",
    "minimal": "minimal",
    "project_roots": "project_roots",
    "tmpdir": "tmpdir",
    "slash_tmp": "slash_tmp",
}
_NETWORKS = {"restricted": False, "enabled": True}


class _Doubtful(Exception):
    """Not the plain spelling."""


def read_plain_profile(text: str) -> Grants | None:
    """The grants of `{"type":"managed","file_system":{"type":"restricted",…},"network":…}`.

    None for anything else.
    """
    import json

    try:
        value = json.loads(text)
        kind, files, network = _fields(value, "type", "file_system", "network")
        if kind != "managed":
            return None
        depth = files.pop("glob_scan_max_depth", None) if isinstance(files, dict) else None
        form, entries = _fields(files, "type", "entries")
        if form != "restricted" or not isinstance(entries, list):
            return None
        if depth is not None and (type(depth) is not int or depth < 1):
            return None
        return Grants(tuple(map(_grant, entries)), _NETWORKS[_text(network)], depth)
    except (ValueError, KeyError, RecursionError, _Doubtful):
        return None


def _grant(entry: Any) -> Grant:
    path, access = _fields(entry, "path", "access")
    granted = _ACCESSES[_text(access)]
    if not isinstance(path, dict):
        raise _Doubtful
    match path.get("type"):
        case "path":
            return Grant(granted, "path", _text(_fields(path, "type", "path")[1]))
        case "glob_pattern":
            return Grant(granted, "pattern", _text(_fields(path, "type", "pattern")[1]))
        case "special":
            place = _fields(path, "type", "value")[1]
            if not isinstance(place, dict):
                raise _Doubtful
            below = place.pop("subpath", None) if place.get("kind") == "project_roots" else None
            kind = _PLACES[_text(_fields(place, "kind")[0])]
            return Grant(granted, kind, "" if below is None else _text(below))
        case _:
            raise _Doubtful


def _fields(value: Any, *names: str) -> list[Any]:
    """Exactly these fields of an object."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise _Doubtful
    return [value[name] for name in names]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Doubtful
    return value
