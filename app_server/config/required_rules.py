"""Rules about commands that an administrator demands: `[rules] prefix_rules`.

They can ask or forbid, never allow. Values only; a thread adds them to the rules it goes by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from app_server.config.kinds import TEXT, TEXTS, ListOf, Misfit, OneOf, Section


class RequiredRule(msgspec.Struct, frozen=True):
    """Commands that begin like this must be asked about, or must not run."""

    pattern: tuple[tuple[str, ...], ...]
    """For each word the alternatives it may be."""
    decision: Literal["prompt", "forbidden"]
    justification: str | None = None


def _one_of_both(token: Mapping[str, Any], path: tuple[Any, ...]) -> None:
    if ("token" in token) == ("any_of" in token):
        raise Misfit("either `token` or `any_of` is needed", path)
    if not token.get("token", True) or token.get("any_of", True) == []:
        raise Misfit("a word must not be empty", path)


def _some_words(rule: Mapping[str, Any], path: tuple[Any, ...]) -> None:
    if not rule["pattern"]:
        raise Misfit("`pattern` must not be empty", path)


RULES = Section(
    "RequirementsRulesToml",
    {
        "prefix_rules": ListOf(
            Section(
                "RequirementsPrefixRuleToml",
                {
                    "pattern": ListOf(
                        Section(
                            "RequirementsPatternTokenToml",
                            {"token": TEXT, "any_of": TEXTS},
                            is_closed=True,
                            extra=_one_of_both,
                        )
                    ),
                    "decision": OneOf(("prompt", "forbidden")),
                    "justification": TEXT,
                },
                required=("pattern", "decision"),
                is_closed=True,
                extra=_some_words,
            )
        )
    },
    is_closed=True,
)


def required_rules(table: Mapping[str, Any]) -> list[RequiredRule]:
    """The rules in a table of demands that was checked."""
    return [
        RequiredRule(
            pattern=tuple(
                tuple(word["any_of"]) if "any_of" in word else (word["token"],)
                for word in rule["pattern"]
            ),
            decision=rule["decision"],
            justification=rule.get("justification"),
        )
        for rule in table.get("rules", {}).get("prefix_rules", ())
    ]
