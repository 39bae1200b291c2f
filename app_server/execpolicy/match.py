"""Holds commands against rules. Pure.

A program given by an absolute path is matched by rules about that very path; where there are none,
by rules about its bare name, as far as `host_executable` lets that path stand for the name. Where
it says nothing of the name, a rule that allows is only for what comes with the system: anybody can
call a program `git`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from app_server.execpolicy.rules import STRICTNESS, Decision, PrefixRule, RuleSet
from app_server.execpolicy.shell_quote import shell_join
from app_server.execpolicy.shell_split import program_name


class PrefixRuleMatch(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """A rule that matched a command, as `codex execpolicy check` prints it."""

    matched_prefix: list[str]
    decision: Decision
    resolved_program: str | None = None
    """The absolute path that was taken for the bare name in `matched_prefix`."""
    justification: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say of a call."""

    matches: list[PrefixRuleMatch]
    decision: Decision | None
    """The strictest decision; None when no rule matches any part."""
    unmatched: list[list[str]]
    """The commands no rule matches."""

    @property
    def allows_all(self) -> bool:
        """Whether the call may run unasked and unconfined: only if rules match all of it."""
        return self.decision == "allow" and not self.unmatched


def judge(
    rules: RuleSet,
    commands: Iterable[Sequence[str]],
    *,
    mentioned: Iterable[Sequence[str]] = (),
    resolve_host_executables: bool = True,
) -> Verdict:
    """What the rules say of the commands one call runs.

    Commands that are only `mentioned` in it, where nobody can be sure how, count as far as a rule
    speaks against them.
    """
    matches: list[PrefixRuleMatch] = []
    unmatched: list[list[str]] = []
    for command in commands:
        found = matching(rules, command, resolve_host_executables=resolve_host_executables)
        matches.extend(found)
        if not found:
            unmatched.append(list(command))
    for command in mentioned:
        found = matching(rules, command, resolve_host_executables=resolve_host_executables)
        matches.extend(match for match in found if match.decision != "allow")
    decision = max((match.decision for match in matches), key=STRICTNESS.__getitem__, default=None)
    return Verdict(matches=matches, decision=decision, unmatched=unmatched)


def matching(
    rules: RuleSet, command: Sequence[str], *, resolve_host_executables: bool = True
) -> list[PrefixRuleMatch]:
    """All rules that match one command."""
    words = tuple(command)
    exact = [_match(rule, words) for rule in rules.prefix_rules if rule.covers(words)]
    if exact or not resolve_host_executables or not words or not words[0].startswith("/"):
        return exact
    program = words[0]
    name = program.rsplit("/", 1)[-1]
    allowed_paths = rules.host_executables.get(name)
    if allowed_paths is not None and program not in allowed_paths:
        return []
    bare = (name, *words[1:])
    may_be_allowed = allowed_paths is not None or program_name(program) is not None
    return [
        _match(rule, bare, resolved_program=program)
        for rule in rules.prefix_rules
        if rule.covers(bare) and (may_be_allowed or rule.decision != "allow")
    ]


def prompt_reason(argv: Sequence[str], verdict: Verdict) -> str:
    """Why the user is asked, for a verdict that says `prompt`."""
    return _reason(argv, verdict, "prompt", "requires approval", "by policy")


def rejection_reason(argv: Sequence[str], verdict: Verdict) -> str:
    """Why a call does not run, for a verdict that says `forbidden`."""
    return _reason(argv, verdict, "forbidden", "rejected", "blocked by policy")


def _reason(
    argv: Sequence[str], verdict: Verdict, decision: Decision, what: str, default: str
) -> str:
    given = [m.justification for m in verdict.matches if m.decision == decision]
    why = next((text for text in given if text), default)
    return f"`{shell_join(argv)}` {what}: {why}"


def _match(
    rule: PrefixRule, words: tuple[str, ...], *, resolved_program: str | None = None
) -> PrefixRuleMatch:
    return PrefixRuleMatch(
        matched_prefix=list(words[: len(rule.pattern)]),
        decision=rule.decision,
        resolved_program=resolved_program,
        justification=rule.justification,
    )
