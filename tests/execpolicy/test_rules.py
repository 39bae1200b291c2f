"""Rules about commands: reading them, holding commands against them."""

import os
from pathlib import Path

import msgspec
import pytest

from app_server.execpolicy.amend import append_allow_rule, network_rule_line, rule_line
from app_server.execpolicy.errors import RulesError
from app_server.execpolicy.load import load_rules
from app_server.execpolicy.match import judge, matching, prompt_reason, rejection_reason
from app_server.execpolicy.parse import parse_rules
from app_server.execpolicy.rules import NetworkRule, PrefixRule, RuleSet
from app_server.execpolicy.shell_split import commands_of

UNDERSTOOD = '''
def rules_for(program, verbs = ["a"]):
    for verb in verbs:
        if verb != "skipped":
            prefix_rule(pattern = [program, verb])

names = {"x": ["a", "b"], "y": ["skipped"]}
for name, verbs in names.items():
    rules_for(name, verbs)
rules_for("z")
[prefix_rule([word.upper()], "prompt") for word in "p,q".split(",")]
prefix_rule(["git"] + [["push", "pull"]], decision = "forbidden", justification = "by " + "hand")
f = "n"
prefix_rule((f"{f}", "m"), match = None, not_match = [])
"""and a text"""
'''


def test_files_of_rules_are_real_starlark() -> None:
    rules = parse_rules(UNDERSTOOD, "f").prefix_rules
    assert [(rule.pattern, rule.decision) for rule in rules] == [
        ((("x",), ("a",)), "allow"),
        ((("x",), ("b",)), "allow"),
        ((("z",), ("a",)), "allow"),
        ((("P",),), "prompt"),
        ((("Q",),), "prompt"),
        ((("git",), ("push", "pull")), "forbidden"),
        ((("n",), ("m",)), "allow"),
    ]
    assert rules[5].justification == "by hand"


def test_a_file_without_rules_has_none() -> None:
    assert parse_rules("", "f") == RuleSet()
    assert parse_rules("# only a comment\n\n", "f") == RuleSet()


REFUSED = [
    ("prefix_rule(pattern=[])", "invalid pattern element: pattern cannot be empty"),
    (
        'prefix_rule(pattern=["git", []])',
        "invalid pattern element: pattern alternatives cannot be empty",
    ),
    (
        'prefix_rule(pattern=["git", 5])',
        "invalid pattern element: pattern element must be a string or list of strings (got int)",
    ),
    (
        'prefix_rule(pattern="git")',
        "Type of parameter `pattern` doesn't match, expected `list`, "
        'actual `string (repr: "git")`',
    ),
    (
        'prefix_rule(pattern=["git"], decision=5)',
        "Type of parameter `decision` doesn't match, expected `str`, actual `int (repr: 5)`",
    ),
    ('prefix_rule(pattern=["git"], decision="maybe")', "invalid decision: maybe"),
    ('prefix_rule(decision="allow")', "Missing parameter `pattern` for call to `prefix_rule`"),
    (
        'prefix_rule(pattern=["git"], bogus=1)',
        "Found `bogus` extra named parameter(s) for call to prefix_rule",
    ),
    ('prefix_rule(["git"], pattern=["x"])', "Argument `pattern` occurs more than once"),
    (
        'prefix_rule(["a"], "allow", "x", [], [], 1)',
        "Too many positional parameters for call to prefix_rule",
    ),
    (
        'prefix_rule(pattern=["git"], justification="  ")',
        "invalid rule: justification cannot be empty",
    ),
    (
        'prefix_rule(pattern=["git"], match=["git \'x"])',
        "invalid example: example string has invalid shell syntax",
    ),
    (
        'host_executable(name="/usr/bin/git", paths=["/usr/bin/git"])',
        "invalid rule: host_executable name must be a bare executable name (got /usr/bin/git)",
    ),
    (
        'host_executable(name="git", paths=["git"])',
        "invalid rule: host_executable paths must be absolute (got git)",
    ),
    (
        'network_rule(host="*.x.com", protocol="https", decision="allow")',
        "invalid rule: network_rule host must be a specific host; wildcards are not allowed",
    ),
    (
        'network_rule(host="x.com", protocol="ftp", decision="allow")',
        "invalid rule: network_rule protocol must be one of http, https, socks5_tcp, "
        "socks5_udp (got ftp)",
    ),
    ("foo(1)", "Variable `foo` not found, did you mean `bool`?"),
    ('load("//etc/passwd", "x")', "No imports are available, you tried `//etc/passwd`"),
    ('open("/etc/passwd")', "Variable `open` not found"),
    ("import os", "Parse error: cannot use reserved keyword `import`"),
    ('fail("no such thing")', "fail: no such thing"),
    ('1 + "a"', "Operation `+` not supported for types `int` and `string`"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_mistake_is_named_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(RulesError) as refusal:
        parse_rules(f"x = 1\n{text}\n", "/r/f.rules")
    told = refusal.value
    assert told.reason.startswith(reason)
    assert told.line == 2
    assert str(told) == f"/r/f.rules:2: error: {told.reason}"


PLACES = [
    ('prefix_rule(["a"], "maybe")', (1, 1, 1, 28)),
    ('prefix_rule(["b"])\n\n  prefix_rule(["a"])', (3, 1, 3, 3)),
    ('for x in ["a"]:\n    prefix_rule([x], "maybe")', (2, 5, 2, 30)),
    ('prefix_rule(["b"])\nprefix_rule(\n  ["a"],\n  match=["x"],\n)', (2, 1, 5, 2)),
    ('def f(x):\n    prefix_rule([x], "allow", "é", [x + " y"], [x])\nf("a")', (2, 5, 2, 52)),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_the_place_is_the_whole_call(text: str, place: tuple[int, int, int, int]) -> None:
    with pytest.raises(RulesError) as refusal:
        parse_rules(text, "f")
    told = refusal.value
    assert (told.line, told.column, told.end_line, told.end_column) == place


def test_examples_are_held_against_the_rule_they_stand_at() -> None:
    with pytest.raises(RulesError) as refusal:
        parse_rules('prefix_rule(["ls"])\nprefix_rule(["git"], match=["git x", "ls"])', "f")
    assert refusal.value.reason == (
        "expected every example to match at least one rule; unmatched examples: ls"
    )
    with pytest.raises(RulesError) as refusal:
        parse_rules('prefix_rule(["git"], not_match=["ls", ["git", "push"]])', "f")
    assert refusal.value.reason == "expected example to not match rule `git`: git push"
    own = 'prefix_rule(["git"], match=["/usr/bin/git x"], not_match=["/tmp/git x", "ls"])\n'
    parse_rules(
        own + 'prefix_rule(["ls"])\nhost_executable(name="git", paths=["/usr/bin/git"])', "f"
    )


ENDLESS = [
    "def f():\n    for i in range(1000000000):\n        pass\n\nf()\n",
    "def f():\n    f()\n\nf()\n",
    "x = list(range(1000000000))\n",
    "x = [1]\n" + "x = x + x\n" * 60,
    "x = " + "-" * 200_000 + "1\n",
    "for i in range(20000):\n    prefix_rule(['a'])\n",
    "#" * ((1 << 20) + 1),
]


@pytest.mark.parametrize("text", ENDLESS, ids=[text[:30] for text in ENDLESS])
def test_a_text_that_does_not_end_costs_only_itself(text: str) -> None:
    with pytest.raises(RulesError):
        parse_rules(text, "f")


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
    (["/tmp/tool"], None, False),
    (["/w/rm", "x"], "forbidden", True),
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


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def firsts(rules: RuleSet) -> list[str]:
    return [rule.pattern[0][0] for rule in rules.prefix_rules]


def test_rules_of_all_folders_count_in_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one / "b.rules", 'prefix_rule(pattern=["b"])')
    write(one / "a.rules", 'prefix_rule(pattern=["a"])')
    write(one / "notes.txt", "not rules")
    write(two / "c.rules", 'prefix_rule(pattern=["c"])')
    loaded = load_rules([one, two, tmp_path / "missing"])
    assert loaded.errors == ()
    assert firsts(loaded.rules) == ["a", "b", "c"]


def test_a_broken_file_costs_its_own_rules_and_says_where(tmp_path: Path) -> None:
    write(tmp_path / "a.rules", 'prefix_rule(pattern=["a"])')
    broken = write(tmp_path / "b.rules", 'prefix_rule(pattern=["b"])\noops(')
    unreadable = tmp_path / "c.rules"
    unreadable.mkdir()
    binary = tmp_path / "d.rules"
    binary.write_bytes(b"\xff")
    pipe = tmp_path / "dd.rules"
    os.mkfifo(pipe)
    write(tmp_path / "e.rules", 'prefix_rule(pattern=["e"])')
    loaded = load_rules([tmp_path])
    assert firsts(loaded.rules) == ["a", "e"]
    assert [(error.path, error.line) for error in loaded.errors] == [
        (str(broken), 2),
        (str(unreadable), None),
        (str(binary), None),
        (str(pipe), None),
    ]


def test_a_file_is_read_again_only_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(text: str, path: str) -> RuleSet:
        read.append(text)
        return parse_rules(text, path)

    monkeypatch.setattr("app_server.execpolicy.load.parse_rules", counted)
    path = write(tmp_path / "a.rules", rule_line(["a"]))
    assert firsts(load_rules([tmp_path]).rules) == ["a"]
    assert firsts(load_rules([tmp_path]).rules) == ["a"]
    path.write_text(rule_line(["a"]) + rule_line(["b"]))
    assert firsts(load_rules([tmp_path]).rules) == ["a", "b"]
    path.write_text("x = y")
    assert len(load_rules([tmp_path]).errors) == 1
    assert len(load_rules([tmp_path]).errors) == 1
    assert len(read) == 3


DENIED = NetworkRule(host="x.com", protocol="https", decision="deny")
OUR_LINES = [["git", "push"], ["echo", 'say "hi"\n\t\\'], ["é", "\x7f]"], ["a", '"], decision="']]


def test_lines_written_by_us_need_no_starlark_and_mean_the_same_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [*map(rule_line, OUR_LINES), network_rule_line(DENIED)]
    text = "# mine\n\n" + "".join(lines)
    as_starlark = parse_rules(text + "x = 1\n", "f")
    monkeypatch.setattr("subprocess.run", None)
    assert parse_rules(text, "f") == as_starlark
    assert [[word for (word,) in rule.pattern] for rule in as_starlark.prefix_rules] == OUR_LINES
    assert as_starlark.network_rules == (DENIED,)


def test_what_was_amended_is_read_back(codex_home: Path) -> None:
    append_allow_rule(codex_home, ["echo", 'say "hi"\n', "é"])
    rules = load_rules([codex_home / "rules"]).rules
    assert rules.prefix_rules == (PrefixRule(pattern=(("echo",), ('say "hi"\n',), ("é",))),)
    assert judge(rules, [["echo", 'say "hi"\n', "é", "more"]]).allows_all


def test_a_rule_is_added_to_those_in_force_only_once() -> None:
    rule = PrefixRule(pattern=(("ls",),))
    assert RuleSet().with_rule(rule).with_rule(rule).prefix_rules == (rule,)
