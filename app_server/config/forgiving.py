"""Reads a person's settings as far as they can be used, and says what was left out and why.

A file that is no TOML counts as empty; a value that does not fit is left out and the others stay;
a key nobody knows is told with the one it resembles. Where everything must hold, `files` is the
door to take.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app_server.config.errors import ConfigFileError, Span
from app_server.config.files import check_file, read_table
from app_server.config.kinds import Misfit
from app_server.protocol.notices import ConfigWarningNotification, TextPosition, TextRange


def read_usable(path: Path) -> tuple[dict[str, Any], list[ConfigWarningNotification]]:
    """What of the file can be used, and a warning for each thing that cannot."""
    try:
        table = read_table(path)
    except ConfigFileError as error:
        return {}, [_warning(f"{path.name} is left out: {error.reason}.", path, error.span)]
    warnings: list[ConfigWarningNotification] = []
    while table:
        try:
            check_file(path, table)
        except ConfigFileError as error:
            what = f"The setting `{error.key}`" if error.key else path.name
            warnings.append(_warning(f"{what} is left out: {error.reason}.", path, error.span))
            misplaced = error.__cause__
            _remove(table, misplaced.path if isinstance(misplaced, Misfit) else ())
        else:
            break
    return table, [*warnings, *_unknown(path, table)]


def _remove(table: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Take out the value at `path`, or the innermost part of it that is there."""
    place: Any = table
    for index, name in enumerate(path):
        inner = place.get(name) if isinstance(place, dict) else None
        if index + 1 < len(path) and isinstance(inner, dict) and path[index + 1] in inner:
            place = inner
        elif isinstance(place, dict) and name in place:
            del place[name]
            return
        else:
            break
    table.clear()


def _unknown(path: Path, table: dict[str, Any]) -> list[ConfigWarningNotification]:
    from app_server.config.schema import unknown_keys

    warnings: list[ConfigWarningNotification] = []
    for key, suggestion in unknown_keys(table):
        meant = f" Did you mean `{suggestion}`?" if suggestion else ""
        summary = f"Nothing is known of the setting `{key}`.{meant}"
        warnings.append(_warning(summary, path, _place(path, key)))
    return warnings


def _place(path: Path, key: str) -> Span | None:
    from app_server.config.positions import locate

    try:
        return locate(path.read_text("utf-8"), tuple(key.split(".")))
    except (OSError, ValueError, IndexError):
        return None


def _warning(summary: str, path: Path, span: Span | None) -> ConfigWarningNotification:
    if span is None:
        return ConfigWarningNotification(summary=summary, path=str(path))
    return ConfigWarningNotification(
        summary=summary,
        path=str(path),
        range=TextRange(
            start=TextPosition(line=span.line, column=span.column),
            end=TextPosition(line=span.end_line, column=span.end_column),
        ),
    )
