"""The rules that lie in folders. A file is read again only when it has changed.

A file that cannot be used costs its own rules; those of the others hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec

from app_server.execpolicy.errors import RulesError
from app_server.execpolicy.parse import LONGEST_TEXT, parse_rules
from app_server.execpolicy.rules import RuleSet
from app_server.regular_files import read_regular_file

MOST_FILES_REMEMBERED = 256
LONGEST_FILE_BYTES = 4 * LONGEST_TEXT + 1
"""Enough of a file to see that it is too long."""

_State: TypeAlias = tuple[int, int, int]
"""Of a file: inode, length, time of the last change. Another one means another text."""

_known: dict[Path, tuple[_State, RuleSet | RulesError]] = {}


class LoadedRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of some folders."""

    rules: RuleSet = RuleSet()
    errors: tuple[RulesError, ...] = ()
    """One for each file that could not be used."""


def load_rules(folders: Iterable[Path]) -> LoadedRules:
    """All `*.rules` of the folders, weakest folder first, in each by name. Reads files."""
    rules = RuleSet()
    errors: list[RulesError] = []
    for path in rules_files(folders):
        try:
            rules = rules.joined(read_rules(path))
        except RulesError as error:
            errors.append(error)
    return LoadedRules(rules=rules, errors=tuple(errors))


def rules_files(folders: Iterable[Path]) -> list[Path]:
    """The files of rules in the folders, weakest first."""
    return [path for folder in folders for path in sorted(folder.glob("*.rules"))]


def read_rules(path: Path) -> RuleSet:
    """The rules of one file; raises `RulesError`."""
    try:
        status = path.stat()
        state = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = _known.get(path)
        if known is not None and known[0] == state:
            found = known[1]
        else:
            found = _read(path)
            if len(_known) >= MOST_FILES_REMEMBERED:
                _known.clear()
            _known[path] = state, found
    except OSError as error:
        raise RulesError(str(path), f"cannot be read: {error.strerror or error}") from error
    if isinstance(found, RulesError):
        raise found.with_traceback(None)  # it is kept, and raised again and again
    return found


def _read(path: Path) -> RuleSet | RulesError:
    try:
        text = read_regular_file(path, LONGEST_FILE_BYTES).decode()
        return parse_rules(text, str(path))
    except UnicodeDecodeError as error:
        return RulesError(str(path), f"cannot be read: {error}")
    except RulesError as error:
        return error
