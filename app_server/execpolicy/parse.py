"""A text of rules → the rules in it.

The language is Starlark. What the text calls is worked out apart; here every call is checked and
becomes a rule, and the examples next to a rule are held against it. A mistake is told with the
place of its call. A file that holds nothing but lines as `amend` writes them is read as it stands.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import msgspec

from app_server.execpolicy.errors import RulesError
from app_server.execpolicy.match import matching
from app_server.execpolicy.rules import (
    STRICTNESS,
    Decision,
    NetworkDecision,
    NetworkRule,
    PrefixRule,
    RuleSet,
)

PROTOCOLS = ("http", "https", "socks5_tcp", "socks5_udp")
LONGEST_TEXT = 1 << 20
"""Characters."""

_OUR_PREFIX_RULE = re.compile(r'prefix_rule\(pattern=(?P<pattern>\[".*"\]), decision="allow"\)')
_OUR_NETWORK_RULE = re.compile(
    r'network_rule\(host=(?P<host>".*"), protocol=(?P<protocol>"\w+"), '
    r'decision=(?P<decision>"\w+")\)'
)
_LISTS = ("pattern", "match", "not_match", "paths")
_MAY_BE_NONE = ("justification", "match", "not_match")


def parse_rules(text: str, path: str) -> RuleSet:
    """The rules in a text; raises `RulesError`. Starts a process unless the lines are our own."""
    if len(text) > LONGEST_TEXT:
        raise RulesError(path, "the file is too long")
    written = _written_by_us(text)
    if written is not None:
        return written
    from app_server.execpolicy.evaluate import calls_in

    reader = _Reader()
    complaint: tuple[int, str] | None = None
    for number, call in enumerate(calls_in(text, path, list(_FUNCTIONS))):
        try:
            reader.take(number, call.function, call.positional, call.named)
        except ValueError as error:
            complaint = number, str(error)
            break
    rules = reader.rules()
    complaint = complaint or reader.first_missed_example(rules)
    if complaint is not None:
        calls_in(text, path, list(_FUNCTIONS), complaint)  # raises it, with its place
        raise RulesError(path, complaint[1])
    return rules


def _written_by_us(text: str) -> RuleSet | None:
    """The rules, if every line is blank, a comment or one as `amend` writes them."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines()):
        if not line or line.startswith("#"):
            continue
        match = _OUR_PREFIX_RULE.fullmatch(line) or _OUR_NETWORK_RULE.fullmatch(line)
        if match is None:
            return None
        try:
            given = {name: msgspec.json.decode(value) for name, value in match.groupdict().items()}
            reader.take(number, line.partition("(")[0], [], given)
        except ValueError:  # msgspec's own kind included: the language says it better
            return None
    return reader.rules()


class _Reader:
    def __init__(self) -> None:
        self.prefix_rules: list[PrefixRule] = []
        self.host_executables: dict[str, tuple[str, ...]] = {}
        self.network_rules: list[NetworkRule] = []
        self.examples: list[_Examples] = []
        self.number = 0

    def rules(self) -> RuleSet:
        return RuleSet(
            prefix_rules=tuple(self.prefix_rules),
            host_executables=self.host_executables,
            network_rules=tuple(self.network_rules),
        )

    def first_missed_example(self, rules: RuleSet) -> tuple[int, str] | None:
        """Which call has an example its own rule does not hold to, and how."""
        for examples in self.examples:
            own = msgspec.structs.replace(rules, prefix_rules=(examples.rule,))
            missed = [shlex.join(words) for words in examples.matched if not matching(own, words)]
            if missed:
                return examples.call, (
                    "expected every example to match at least one rule; unmatched examples: "
                    + ", ".join(missed)
                )
            for words in examples.unmatched:
                found = matching(own, words)
                if found:
                    prefix = shlex.join(found[0].matched_prefix)
                    return examples.call, (
                        f"expected example to not match rule `{prefix}`: {shlex.join(words)}"
                    )
        return None

    def take(self, number: int, name: str, positional: list[Any], named: dict[str, Any]) -> None:
        """One call; raises ValueError."""
        parameters, required, build = _FUNCTIONS[name]
        if len(positional) > len(parameters):
            raise ValueError(f"Too many positional parameters for call to {name}")
        given = dict(zip(parameters, positional, strict=False))
        for parameter, value in named.items():
            if parameter not in parameters:
                raise ValueError(f"Found `{parameter}` extra named parameter(s) for call to {name}")
            if parameter in given:
                raise ValueError(f"Argument `{parameter}` occurs more than once")
            given[parameter] = value
        for parameter in required:
            if parameter not in given:
                raise ValueError(f"Missing parameter `{parameter}` for call to `{name}`")
        for parameter, value in given.items():
            wanted = list if parameter in _LISTS else str
            if not isinstance(value, wanted) and not (value is None and parameter in _MAY_BE_NONE):
                raise ValueError(
                    f"Type of parameter `{parameter}` doesn't match, expected "
                    f"`{wanted.__name__}`, actual `{_kind(value)} (repr: {_repr(value)})`"
                )
        self.number = number
        build(self, **given)

    def prefix_rule(
        self,
        pattern: list[Any],
        decision: str = "allow",
        justification: str | None = None,
        match: list[Any] | None = None,
        not_match: list[Any] | None = None,
    ) -> None:
        if not pattern:
            raise ValueError("invalid pattern element: pattern cannot be empty")
        if decision not in _DECISIONS:
            raise ValueError(f"invalid decision: {decision}")
        rule = PrefixRule(
            pattern=tuple(_alternatives(element) for element in pattern),
            decision=_DECISIONS[decision],
            justification=_justification(justification),
        )
        self.prefix_rules.append(rule)
        self.examples.append(_Examples(self.number, rule, _examples(match), _examples(not_match)))

    def host_executable(self, name: str, paths: list[Any]) -> None:
        if not name or "/" in name:
            raise ValueError(
                f"invalid rule: host_executable name must be a bare executable name (got {name})"
            )
        for path in paths:
            if not isinstance(path, str) or not path.startswith("/"):
                raise ValueError(
                    f"invalid rule: host_executable paths must be absolute (got {path})"
                )
        self.host_executables[name] = tuple(paths)

    def network_rule(
        self,
        host: str,
        protocol: str,
        decision: str,
        justification: str | None = None,
    ) -> None:
        host = host.strip()
        if not host:
            raise ValueError("invalid rule: network_rule host cannot be empty")
        if "*" in host:
            raise ValueError(
                "invalid rule: network_rule host must be a specific host; wildcards are not allowed"
            )
        if "/" in host:
            raise ValueError(
                "invalid rule: network_rule host must be a hostname or IP literal "
                "(without scheme or path)"
            )
        if protocol not in PROTOCOLS:
            raise ValueError(
                f"invalid rule: network_rule protocol must be one of {', '.join(PROTOCOLS)} "
                f"(got {protocol})"
            )
        if decision not in _NETWORK_DECISIONS:
            raise ValueError(f"invalid decision: {decision}")
        self.network_rules.append(
            NetworkRule(
                host=host,
                protocol=protocol,
                decision=_NETWORK_DECISIONS[decision],
                justification=_justification(justification),
            )
        )


class _Examples(msgspec.Struct, frozen=True):
    """What stands next to a rule, for checking it."""

    call: int
    rule: PrefixRule
    matched: list[list[str]]
    unmatched: list[list[str]]


_NETWORK_DECISIONS: dict[str, NetworkDecision] = {
    "allow": "allow",
    "deny": "deny",
    "prompt": "prompt",
}
_DECISIONS: dict[str, Decision] = {name: name for name in STRICTNESS}


def _alternatives(element: Any) -> tuple[str, ...]:
    if isinstance(element, str):
        return (element,)
    if isinstance(element, list) and all(isinstance(word, str) for word in element):
        if not element:
            raise ValueError("invalid pattern element: pattern alternatives cannot be empty")
        return tuple(element)
    raise ValueError(
        "invalid pattern element: pattern element must be a string or list of strings "
        f"(got {_kind(element)})"
    )


def _justification(text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise ValueError("invalid rule: justification cannot be empty")
    return text


def _examples(examples: list[Any] | None) -> list[list[str]]:
    return [_example(example) for example in examples or ()]


def _example(example: Any) -> list[str]:
    if isinstance(example, str):
        try:
            words = shlex.split(example)
        except ValueError:
            raise ValueError("invalid example: example string has invalid shell syntax") from None
        if not words:
            raise ValueError("invalid example: example cannot be an empty string")
        return words
    if isinstance(example, list) and all(isinstance(word, str) for word in example):
        if not example:
            raise ValueError("invalid example: example cannot be an empty list")
        return example
    raise ValueError("invalid example: example must be a string or list of strings")


def _kind(value: object) -> str:
    """The type of a value under the name it has in Starlark."""
    return "string" if isinstance(value, str) else type(value).__name__


def _repr(value: object) -> str:
    return msgspec.json.encode(value).decode() if isinstance(value, str) else repr(value)


_FUNCTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[..., None]]] = {
    "prefix_rule": (
        ("pattern", "decision", "justification", "match", "not_match"),
        ("pattern",),
        _Reader.prefix_rule,
    ),
    "host_executable": (("name", "paths"), ("name", "paths"), _Reader.host_executable),
    "network_rule": (
        ("host", "protocol", "decision", "justification"),
        ("host", "protocol", "decision"),
        _Reader.network_rule,
    ),
}
"""Name → parameters in order, required ones, what builds the rule."""
