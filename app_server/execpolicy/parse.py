"""Reads `.rules` files as data.

The language is Starlark, whose syntax is Python's; of it, what rules need is understood: the three
rule functions, literals, names, `+`, and loops and comprehensions over lists. Nothing is run: the
text becomes a syntax tree and the tree becomes values. Anything else is refused with its line.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from app_server.execpolicy.match import matching
from app_server.execpolicy.rules import (
    STRICTNESS,
    Decision,
    NetworkDecision,
    NetworkRule,
    PrefixRule,
    RuleSet,
)

MAX_RULES = 10_000
PROTOCOLS = ("http", "https", "socks5_tcp", "socks5_udp")

MAX_STEPS = 100_000
"""Values worked out while reading one file: loops in loops end here."""

_LISTS = ("pattern", "match", "not_match", "paths")
_MAY_BE_NONE = ("justification", "match", "not_match")


class RulesError(Exception):
    """A file of rules that cannot be used. Lines and columns count from 1."""

    def __init__(
        self,
        path: str,
        reason: str,
        line: int | None = None,
        column: int = 1,
        end_line: int | None = None,
        end_column: int | None = None,
    ) -> None:
        self.path = path
        self.reason = reason
        self.line = line
        self.column = column
        self.end_line = end_line or line
        self.end_column = end_column or column
        place = f"{path}:{line}" if line else path
        super().__init__(f"{place}: error: {reason}")


class LoadedRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of some folders. With an error there are none."""

    rules: RuleSet = RuleSet()
    error: RulesError | None = None


def load_rules(folders: Iterable[Path]) -> LoadedRules:
    """All `*.rules` of the folders, weakest folder first, in each by name.

    Reads files. One file that cannot be used means that no custom rule applies.
    """
    rules = RuleSet()
    try:
        for folder in folders:
            for path in sorted(folder.glob("*.rules")) if folder.is_dir() else ():
                rules = rules.joined(read_rules(path))
    except RulesError as error:
        return LoadedRules(error=error)
    return LoadedRules(rules=rules)


def read_rules(path: Path) -> RuleSet:
    """The rules of one file; raises `RulesError`."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(str(path), f"cannot be read: {error}") from error
    return parse_rules(text, str(path))


def parse_rules(text: str, path: str) -> RuleSet:
    """The rules in a text; raises `RulesError`."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        reason = f"Parse error: {error.msg}"
        raise RulesError(path, reason, error.lineno or 1, error.offset or 1) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise RulesError(path, f"Parse error: {error}", 1) from error
    reader = _Reader(path)
    try:
        reader.run(tree.body)
    except RecursionError as error:
        raise RulesError(path, "nested too deeply", 1) from error
    return reader.checked_rules()


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.names: dict[str, Any] = {}
        self.steps = 0
        self.prefix_rules: list[PrefixRule] = []
        self.host_executables: dict[str, tuple[str, ...]] = {}
        self.network_rules: list[NetworkRule] = []
        self.examples: list[tuple[ast.AST, list[list[str]], list[list[str]]]] = []

    def checked_rules(self) -> RuleSet:
        """All rules, once the examples next to them hold."""
        rules = RuleSet(
            prefix_rules=tuple(self.prefix_rules),
            host_executables=self.host_executables,
            network_rules=tuple(self.network_rules),
        )
        for place, matched, unmatched in self.examples:
            missed = [shlex.join(example) for example in matched if not matching(rules, example)]
            if missed:
                raise self._error(
                    place,
                    "expected every example to match at least one rule; unmatched examples: "
                    + ", ".join(missed),
                )
            for example in unmatched:
                found = matching(rules, example)
                if found:
                    prefix = shlex.join(found[0].matched_prefix)
                    raise self._error(
                        place,
                        f"expected example to not match rule `{prefix}`: {shlex.join(example)}",
                    )
        return rules

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case ast.Expr(value=value):
                    self._value(value)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.names[name] = self._value(value)
                case ast.For(target=ast.Name(id=name), iter=items, body=body, orelse=[]):
                    for item in self._list(items):
                        self.names[name] = item
                        self.run(body)
                case _:
                    raise self._error(statement, "only rules, names and loops over lists are read")

    def _value(self, node: ast.expr) -> Any:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self._error(node, "too much to work out for a file of rules")
        match node:
            case ast.Constant(value=str() | bool() | int() | None as value):
                return value
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return [self._value(entry) for entry in entries]
            case ast.Name(id=name):
                if name not in self.names:
                    raise self._error(node, f"Variable `{name}` not found")
                return self.names[name]
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._sum(node, self._value(left), self._value(right))
            case ast.ListComp(
                elt=entry, generators=[ast.comprehension(target=ast.Name(id=name), ifs=[]) as loop]
            ):
                results = []
                for item in self._list(loop.iter):
                    self.names[name] = item
                    results.append(self._value(entry))
                return results
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name)
            case _:
                raise self._error(node, "only text, lists, names and rules are read here")

    def _list(self, node: ast.expr) -> list[Any]:
        value = self._value(node)
        if not isinstance(value, list):
            raise self._error(node, "a loop needs a list")
        return value

    def _sum(self, node: ast.expr, left: Any, right: Any) -> Any:
        both_text = isinstance(left, str) and isinstance(right, str)
        both_lists = isinstance(left, list) and isinstance(right, list)
        if not both_text and not both_lists:
            raise self._error(node, "only text to text and lists to lists can be added")
        self.steps += len(left) + len(right)
        return left + right

    def _call(self, node: ast.Call, name: str) -> None:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise self._error(node.func, f"Variable `{name}` not found")
        parameters, required, build = function
        given = self._arguments(node, name, parameters)
        for parameter in required:
            if parameter not in given:
                raise self._error(node, f"Missing parameter `{parameter}` for call to `{name}`")
        rules = len(self.prefix_rules) + len(self.host_executables) + len(self.network_rules)
        if rules >= MAX_RULES:
            raise self._error(node, f"more than {MAX_RULES} rules")
        try:
            build(self, node, **given)
        except ValueError as error:
            raise self._error(node, str(error)) from error

    def _arguments(self, node: ast.Call, name: str, parameters: tuple[str, ...]) -> dict[str, Any]:
        if len(node.args) > len(parameters):
            raise self._error(node, f"Too many positional parameters for call to {name}")
        given = {
            parameter: self._value(value)
            for parameter, value in zip(parameters, node.args, strict=False)
        }
        for keyword in node.keywords:
            if keyword.arg not in parameters:
                raise self._error(
                    node, f"Found `{keyword.arg}` extra named parameter(s) for call to {name}"
                )
            given[keyword.arg] = self._value(keyword.value)
        for parameter, value in given.items():
            wanted = list if parameter in _LISTS else str
            if not isinstance(value, wanted) and not (value is None and parameter in _MAY_BE_NONE):
                raise self._error(
                    node,
                    f"Type of parameter `{parameter}` doesn't match, expected `{wanted.__name__}`",
                )
        return given

    def prefix_rule(
        self,
        node: ast.Call,
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
        self.examples.append((node, _examples(match), _examples(not_match)))

    def host_executable(self, node: ast.Call, name: str, paths: list[Any]) -> None:
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
        node: ast.Call,
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

    def _error(self, node: ast.AST, reason: str) -> RulesError:
        line = getattr(node, "lineno", 1)
        column = getattr(node, "col_offset", 0) + 1
        end_line = getattr(node, "end_lineno", line)
        end_column = getattr(node, "end_col_offset", column)
        return RulesError(self.path, reason, line, column, end_line, end_column)


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
    raise ValueError("invalid pattern element: pattern element must be a string or list of strings")


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
