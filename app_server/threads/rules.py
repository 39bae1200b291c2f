"""The rules about commands that count in a place, and what a client is told of broken files.

Reads files, so call it off the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app_server.execpolicy.rules import PrefixRule, RuleSet
from app_server.protocol.notices import ConfigWarningNotification, TextPosition, TextRange
from app_server.protocol.wire import UNSET, UnsetType

if TYPE_CHECKING:
    from app_server.config.load import LoadedConfig
    from app_server.execpolicy.errors import RulesError

RULES_NOT_APPLIED = "Error parsing rules; custom rules not applied."


class LoadedRules(msgspec.Struct, frozen=True):
    """The rules that count where a thread works."""

    rules: RuleSet = RuleSet()
    warnings: tuple[ConfigWarningNotification, ...] = ()
    """What the client is told of files that could not be used."""


def rules_in_force(loaded: LoadedConfig) -> LoadedRules:
    """The rules of the layers, weakest first, and those an administrator demands."""
    demanded = RuleSet(
        prefix_rules=tuple(
            PrefixRule(
                pattern=rule.pattern, decision=rule.decision, justification=rule.justification
            )
            for rule in loaded.required_rules
        )
    )
    folders = loaded.rules_folders
    if not any(folder.is_dir() for folder in folders):
        return LoadedRules(demanded)
    from app_server.execpolicy.load import load_rules

    found = load_rules(folders)
    return LoadedRules(found.rules.joined(demanded), tuple(map(_warning_of, found.errors)))


def _warning_of(error: RulesError) -> ConfigWarningNotification:
    place: TextRange | UnsetType = UNSET
    if error.line is not None and error.end_line is not None and error.end_column is not None:
        place = TextRange(
            start=TextPosition(line=error.line, column=error.column),
            end=TextPosition(line=error.end_line, column=error.end_column),
        )
    return ConfigWarningNotification(
        summary=RULES_NOT_APPLIED, details=error.reason, path=error.path, range=place
    )
