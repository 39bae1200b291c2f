"""Rules about commands: reading them, holding commands against them."""

from pathlib import Path

import msgspec
import pytest

from app_server.execpolicy.amend import append_allow_rule
from app_server.execpolicy.match import judge, matching, prompt_reason, rejection_reason
from app_server.execpolicy.parse import RulesError, load_rules, parse_rules
from app_server.execpolicy.rules import NetworkRule, PrefixRule, RuleSet
from app_server.execpolicy.shell_split import commands_of

UNDERSTOOD = [
    ('prefix_rule(pattern=["git", "push"])', [(("git",), ("push",))]),
    ('prefix_rule(["git", ["push", "pull"]], "forbidden")', [(("git",), ("push", "pull"))]),
    ('x = ["git"]\nprefix_rule(pattern=x + ["push"])', [(("git",), ("push",))]),
    (
        'for w in ["a", "b"]:\n    prefix_rule(pattern=["git", w])',
        [(("git",), ("a",)), (("git",), ("b",))],
    ),
    (
        '[prefix_rule(pattern=["git", w]) for w in ["a", "b"]]',
        [(("git",), ("a",)), (("git",), ("b",))],
    ),
    ('# only a comment\n"""and a text"""\n', []),
    ("", []),
]


@pytest.mark.parametrize(("text", "patterns"), UNDERSTOOD)
def test_what_rules_need_of_the_language_is_understood(
    text: str, patterns: list[tuple[tuple[str, ...], ...]]
) -> None:
    assert [rule.pattern for rule in parse_rules(text, "f").prefix_rules] == patterns


REFUSED = [
    ("prefix_rule(pattern=[])", 1, "invalid pattern element: pattern cannot be empty"),
    (
        'prefix_rule(pattern=["git", []])',
        1,
        "invalid pattern element: pattern alternatives cannot be empty",
    ),
    (
        'prefix_rule(pattern=["git", 5])',
        1,
        "invalid pattern element: pattern element must be a string or list of strings",
    ),
    (
        'prefix_rule(pattern="git")',
        1,
        "Type of parameter `pattern` doesn't match, expected `list`",
    ),
    (
        'prefix_rule(pattern=["git"], decision=5)',
        1,
        "Type of parameter `decision` doesn't match, expected `str`",
    ),
    ('\n\nprefix_rule(pattern=["git"], decision="maybe")', 3, "invalid decision: maybe"),
    (
        'prefix_rule(decision="allow")',
        1,
        "Missing parameter `pattern` for call to `prefix_rule`",
    ),
    (
        'prefix_rule(pattern=["git"], bogus=1)',
        1,
        "Found `bogus` extra named parameter(s) for call to prefix_rule",
    ),
    (
        'prefix_rule(pattern=["git"], justification="  ")',
        1,
        "invalid rule: justification cannot be empty",
    ),
    (
        'prefix_rule(pattern=["git", "push"], match=["git pull"])',
        1,
        "expected every example to match at least one rule; unmatched examples: git pull",
    ),
    (
        'prefix_rule(pattern=["git", "push"], not_match=[["git", "push", "x"]])',
        1,
        "expected example to not match rule `git push`: git push x",
    ),
    (
        'prefix_rule(pattern=["git"], match=["git \'x"])',
        1,
        "invalid example: example string has invalid shell syntax",
    ),
    ("foo()", 1, "Variable `foo` not found"),
    ("prefix_rule(pattern=x)", 1, "Variable `x` not found"),
    (
        'host_executable(name="/usr/bin/git", paths=["/usr/bin/git"])',
        1,
        "invalid rule: host_executable name must be a bare executable name (got /usr/bin/git)",
    ),
    (
        'host_executable(name="git", paths=["git"])',
        1,
        "invalid rule: host_executable paths must be absolute (got git)",
    ),
    (
        'network_rule(host="*.x.com", protocol="https", decision="allow")',
        1,
        "invalid rule: network_rule host must be a specific host; wildcards are not allowed",
    ),
    (
        'network_rule(host="x.com", protocol="ftp", decision="allow")',
        1,
        "invalid rule: network_rule protocol must be one of http, https, socks5_tcp, "
        "socks5_udp (got ftp)",
    ),
    ("import os", 1, "only rules, names and loops over lists are read"),
    ("__import__('os').system('id')", 1, "only text, lists, names and rules are read here"),
    (
        "x = ['a']\nfor i in [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]:\n    x = x + x\n",
        3,
        "too much to work out for a file of rules",
    ),
]


@pytest.mark.parametrize(("text", "line", "reason"), REFUSED)
def test_a_mistake_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(RulesError) as refusal:
        parse_rules(text, "/r/f.rules")
    assert (refusal.value.reason, refusal.value.line) == (reason, line)
    assert str(refusal.value) == f"/r/f.rules:{line}: error: {reason}"


def test_text_that_is_no_starlark_is_refused_with_its_place() -> None:
    with pytest.raises(RulesError, match="Parse error") as refusal:
        parse_rules('\nprefix_rule(pattern=["git"]', "f")
    assert refusal.value.line == 2


RULES = parse_rules(
    """
prefix_rule(pattern=["git"])
prefix_rule(pattern=["git", "push"], decision="prompt", justification="it leaves this machine")
prefix_rule(pattern=["rm"], decision="forbidden", justification="use trash")
prefix_rule(pattern=["/opt/tool"], decision="prompt")
prefix_rule(pattern=["tool"])
host_executable(name="git", paths=["/usr/bin/git"])
network_rule(host="x.com", protocol="https", decision="deny")
""",
    "f",
)

JUDGED = [
    (["git", "status"], "allow", True),
    (["git", "push", "origin"], "prompt", True),
    (["ls"], None, False),
    (["bash", "-lc", "git status && ls"], "allow", False),
    (["bash", "-lc", "git status && git log"], "allow", True),
    (["bash", "-lc", "git status; rm x"], "forbidden", True),
    (["/usr/bin/git", "log"], "allow", True),
    (["/tmp/git", "log"], None, False),
    (["/opt/tool"], "prompt", True),
    (["/usr/bin/tool"], "allow", True),
    (["./git"], None, False),
    (["gi"], None, False),
]


@pytest.mark.parametrize(("argv", "decision", "covers_all"), JUDGED)
def test_the_strictest_matching_rule_wins(
    argv: list[str], decision: str | None, covers_all: bool
) -> None:
    verdict = judge(RULES, commands_of(argv) or [argv])
    assert (verdict.decision, not verdict.unmatched) == (decision, covers_all)
    assert verdict.allows_all == (decision == "allow" and covers_all)


def test_a_match_tells_which_program_was_taken_for_a_name() -> None:
    (match,) = matching(RULES, ["/usr/bin/git", "log"])
    assert msgspec.to_builtins(match) == {
        "matchedPrefix": ["git"],
        "decision": "allow",
        "resolvedProgram": "/usr/bin/git",
    }
    assert matching(RULES, ["/usr/bin/git"], resolve_host_executables=False) == []


def test_reasons_carry_the_justification() -> None:
    push = ["git", "push"]
    assert prompt_reason(push, judge(RULES, [push])) == (
        "`git push` requires approval: it leaves this machine"
    )
    assert rejection_reason(["rm", "a b"], judge(RULES, [["rm", "a b"]])) == (
        "`rm 'a b'` rejected: use trash"
    )
    tool = ["/opt/tool"]
    assert prompt_reason(tool, judge(RULES, [tool])) == "`/opt/tool` requires approval: by policy"


def test_network_rules_are_kept_for_the_proxy() -> None:
    assert RULES.network_rules == (NetworkRule(host="x.com", protocol="https", decision="deny"),)


def test_rules_of_all_folders_count_in_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (one / "b.rules").write_text('prefix_rule(pattern=["b"])')
    (one / "a.rules").write_text('prefix_rule(pattern=["a"])')
    (one / "notes.txt").write_text("not rules")
    (two / "c.rules").write_text('prefix_rule(pattern=["c"])')
    loaded = load_rules([one, two, tmp_path / "missing"])
    assert loaded.error is None
    assert [rule.pattern[0][0] for rule in loaded.rules.prefix_rules] == ["a", "b", "c"]


def test_one_broken_file_means_no_custom_rules_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_text('prefix_rule(pattern=["a"])')
    (tmp_path / "b.rules").write_text("oops(")
    loaded = load_rules([tmp_path])
    assert loaded.rules == RuleSet()
    assert loaded.error is not None
    assert loaded.error.path == str(tmp_path / "b.rules")


def test_what_was_amended_is_read_back(codex_home: Path) -> None:
    append_allow_rule(codex_home, ["echo", 'say "hi"\n', "é"])
    rules = load_rules([codex_home / "rules"]).rules
    assert rules.prefix_rules == (PrefixRule(pattern=(("echo",), ('say "hi"\n',), ("é",))),)
    assert judge(rules, [["echo", 'say "hi"\n', "é", "more"]]).allows_all


def test_a_rule_is_added_to_those_in_force_only_once() -> None:
    rule = PrefixRule(pattern=(("ls",),))
    assert RuleSet().with_rule(rule).with_rule(rule).prefix_rules == (rule,)
