"""Reads a person's settings as far as they can be used, and says what was left out and why.

A file that is no TOML counts as empty; a value that does not fit is left out and the others stay.
What decides about safety is not left to a default that may allow more: there the strictest value
takes its place. Where everything must hold, `files` is the door to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app_server.config.errors import ConfigFileError
from app_server.config.files import check_file, read_table
from app_server.config.kinds import Misfit, Path_
from app_server.config.notices import at
from app_server.protocol.notices import ConfigWarningNotification

STRICTEST = {"sandbox_mode": "read-only", "approval_policy": "untrusted"}


def read_usable(path: Path) -> tuple[dict[str, Any], list[ConfigWarningNotification]]:
    """What of the file can be used, and a warning for each thing that cannot."""
    try:
        table = read_table(path)
    except ConfigFileError as error:
        summary = f"{path.name} is left out: {error.reason}."
        return {}, [at(summary, path, error.span)]
    warnings: list[ConfigWarningNotification] = []
    while table:
        try:
            check_file(path, table)
        except ConfigFileError as error:
            misfit = error.__cause__
            place = misfit.path if isinstance(misfit, Misfit) else ()
            instead = _remove(table, place)
            what = f"The setting `{error.key}`" if error.key else path.name
            then = f"; `{instead}` takes its place" if instead else ""
            warnings.append(at(f"{what} is left out{then}: {error.reason}.", path, error.span))
        else:
            break
    return table, warnings


def misfits(table: Mapping[str, Any]) -> list[Misfit]:
    """Everything in a table that does not fit, in the order found."""
    import copy

    from app_server.config.schema import check

    rest, found = copy.deepcopy(dict(table)), []
    while rest:
        try:
            check(rest)
        except Misfit as misfit:
            found.append(misfit)
            _remove(rest, misfit.path)
        else:
            break
    return found


def _remove(table: dict[str, Any], path: Path_) -> str | None:
    """Take out the value at `path`, or the innermost part of it that is there.

    Returns what was put in its place, if anything was.
    """
    place: Any = table
    for index, name in enumerate(path):
        if not isinstance(place, dict) or name not in place:
            break
        if name in STRICTEST and (index == 0 or (index == 2 and path[0] == "profiles")):
            place[name] = STRICTEST[str(name)]
            return STRICTEST[str(name)]
        inner = place[name]
        if index + 1 < len(path) and isinstance(inner, dict) and path[index + 1] in inner:
            place = inner
            continue
        del place[name]
        return None
    table.clear()
    return None
