"""Rules about commands: what a user or an administrator allows, asks about or forbids.

A prefix rule matches a command that begins with its pattern. All matching rules count and the
strictest wins. Values only; `parse` reads them, `match` holds commands against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

Decision: TypeAlias = Literal["allow", "prompt", "forbidden"]
NetworkDecision: TypeAlias = Literal["allow", "deny", "prompt"]

STRICTNESS: dict[Decision, int] = {"allow": 0, "prompt": 1, "forbidden": 2}


class PrefixRule(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that begin like this."""

    pattern: tuple[tuple[str, ...], ...]
    """For each word the alternatives it may be."""
    decision: Decision = "allow"
    justification: str | None = None

    def covers(self, words: tuple[str, ...]) -> bool:
        pattern = self.pattern
        if len(words) < len(pattern) or words[0] not in pattern[0]:
            return False
        return all(word in alternatives for word, alternatives in zip(words, pattern, strict=False))


class NetworkRule(msgspec.Struct, frozen=True, kw_only=True):
    """Connections to one host, through the proxy of a permission profile."""

    host: str
    protocol: str
    decision: NetworkDecision
    justification: str | None = None


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """All rules in force."""

    prefix_rules: tuple[PrefixRule, ...] = ()
    host_executables: Mapping[str, tuple[str, ...]] = {}
    """Bare program name → the only absolute paths that may stand for it."""
    network_rules: tuple[NetworkRule, ...] = ()

    def with_rule(self, rule: PrefixRule) -> RuleSet:
        """The same rules and one more."""
        if rule in self.prefix_rules:
            return self
        return msgspec.structs.replace(self, prefix_rules=(*self.prefix_rules, rule))

    def with_network_rule(self, rule: NetworkRule) -> RuleSet:
        """The same rules and one more."""
        return msgspec.structs.replace(self, network_rules=(*self.network_rules, rule))

    def joined(self, other: RuleSet) -> RuleSet:
        """Both together; where both limit a program, the other's paths hold."""
        return RuleSet(
            prefix_rules=(*self.prefix_rules, *other.prefix_rules),
            host_executables={**self.host_executables, **other.host_executables},
            network_rules=(*self.network_rules, *other.network_rules),
        )
