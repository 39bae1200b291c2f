"""The rule offered with a question, and writing it down."""

from pathlib import Path

import pytest

from app_server.execpolicy.amend import (
    append_allow_rule,
    is_too_wide,
    objection,
    propose,
    rules_path,
)
from app_server.execpolicy.rules import PrefixRule, RuleSet

PROPOSALS = [
    ("touch made.txt", None, ["touch", "made.txt"]),
    ("touch made.txt && echo made", None, ["touch", "made.txt"]),
    ("cat a; touch y", None, ["touch", "y"]),
    ("cd src && touch q", None, ["touch", "q"]),
    ("git push origin", None, ["git", "push", "origin"]),
    ("rm -rf zz", None, ["rm", "-rf", "zz"]),
    ("ls", None, ["ls"]),
    ("ls a; exit 3", None, None),
    ("exit 3; make", None, None),
    ("exit 3; npm test", None, ["npm", "test"]),
    ("make all", None, None),
    ("make all", ["make", "all"], None),
    ("cd src", None, None),
    ("exit 3", None, None),
    ("curl -fsS https://example.org/a/b", None, None),
    ("curl -fsS https://example.org/a/b", ["curl", "-fsS"], ["curl", "-fsS"]),
    ("touch $HOME/x", None, None),
    ("touch $HOME/x", ["touch"], None),
    ("git status -s > x", None, None),
    ("wc -l x && echo y > z", None, None),
    ("cat <<EOF > f\nhi\nEOF", None, None),
    ("touch a b", ["touch"], ["touch"]),
    ("touch a; touch b", ["touch"], ["touch"]),
    ("npm test --x", ["npm", "test"], ["npm", "test"]),
    ("touch a && rm a", ["touch"], ["touch", "a"]),
    ("touch a", ["rm"], ["touch", "a"]),
    ("python3 -c 'x=1'", ["python3"], ["python3", "-c", "x=1"]),
    ("python3 -c 'x=1'", ["python3", "-c"], ["python3", "-c", "x=1"]),
    ("git push", ["git"], ["git", "push"]),
    ("cat x.py | python3", None, None),
    ("echo hi | bash", None, None),
    ("echo hi | /usr/bin/python3.12 -", None, None),
    ("echo hi | tee x", None, None),
    ("touch a | python3", None, ["touch", "a"]),
    ("find . -name x -delete", None, None),
    ("docker run -v /:/x box", None, None),
]


@pytest.mark.parametrize(("script", "suggested", "expected"), PROPOSALS)
def test_the_proposal_is_a_rule_somebody_could_want(
    script: str, suggested: list[str] | None, expected: list[str] | None
) -> None:
    assert propose(["/bin/bash", "-lc", script], suggested) == expected


def test_what_rules_speak_of_already_is_not_proposed() -> None:
    rules = RuleSet(prefix_rules=(PrefixRule(pattern=(("touch",),)),))
    assert propose(["/bin/sh", "-c", "touch a && mv b c"], None, rules) == ["mv", "b", "c"]
    assert propose(["/bin/sh", "-c", "touch a"], ["touch"], rules) is None


def test_a_call_without_a_shell_is_proposed_as_it_is() -> None:
    assert propose(["npm", "test"]) == ["npm", "test"]


@pytest.mark.parametrize(
    ("prefix", "wide"),
    [
        ([], True),
        (["bash"], True),
        (["/bin/sh", "-c"], True),
        (["python3", "-c"], True),
        (["sudo"], True),
        (["git"], True),
        (["git", "push"], False),
        (["git", "-C", "x"], True),
        (["python3", "manage.py"], False),
        (["python3.12"], True),
        (["/usr/bin/python3.12", "-u"], True),
        (["python3", "-W", "ignore"], True),
        (["python3", "-m", "pytest"], False),
        (["perl5.36"], True),
        (["perl", "-e", "1"], True),
        (["node20", "-r", "x"], True),
        (["lua5.4"], True),
        (["bash", "-o", "pipefail"], True),
        (["bash", "build.sh"], False),
        (["busybox", "sh"], True),
        (["sudo", "-u", "root"], True),
        (["env", "A=1"], True),
        (["timeout", "10"], True),
        (["xargs", "rm"], False),
        (["nohup", "python3"], True),
        (["awk"], True),
        (["awk", "{print $1}"], False),
        (["find", "."], True),
        (["docker"], True),
        (["make"], True),
        (["make", "SHELL=x"], True),
        (["make", "all"], True),
        (["tar", "xf", "a.tar"], True),
        (["sqlite3", "a.db"], True),
        (["tee", "x"], True),
        (["ssh", "host", "ls"], True),
        (["npm"], False),
    ],
)
def test_a_rule_that_would_allow_anything_is_too_wide(prefix: list[str], wide: bool) -> None:
    assert is_too_wide(prefix) is wide


OBJECTIONS = [
    (["touch"], None),
    (["touch", "a"], None),
    (["mv", "a"], None),
    (["touch", "b"], "it does not cover the command it was given with"),
    (["touch", "a", "b"], "it does not cover the command it was given with"),
    (["rm"], "it does not cover the command it was given with"),
    ([], "it would allow nearly anything to run"),
    (["bash"], "it would allow nearly anything to run"),
    (["sudo", "touch"], "it does not cover the command it was given with"),
]


def test_a_long_chain_of_programs_that_start_what_follows_is_judged_at_once() -> None:
    assert is_too_wide(["env"] * 100_000)
    assert not is_too_wide(["env"] * 100_000 + ["touch"])


@pytest.mark.parametrize(("prefix", "why"), OBJECTIONS)
def test_a_prefix_somebody_chose_must_cover_the_command_and_not_be_too_wide(
    prefix: list[str], why: str | None
) -> None:
    assert objection(["/bin/bash", "-lc", "touch a && mv a c"], prefix) == why


def test_no_prefix_becomes_a_rule_for_a_script_that_only_a_shell_understands() -> None:
    assert objection(["bash", "-lc", "touch $X"], ["touch"]) == (
        "no rule can cover a script that only a shell understands"
    )


def test_a_rule_is_added_once_to_the_users_rules(codex_home: Path) -> None:
    append_allow_rule(codex_home, ["git", "push"])
    append_allow_rule(codex_home, ["echo", 'say "hi"\n'])
    append_allow_rule(codex_home, ["git", "push"])
    assert rules_path(codex_home).read_text() == (
        'prefix_rule(pattern=["git", "push"], decision="allow")\n'
        'prefix_rule(pattern=["echo", "say \\"hi\\"\\n"], decision="allow")\n'
    )


def test_a_rule_never_joins_a_line_without_an_end(codex_home: Path) -> None:
    rules_path(codex_home).parent.mkdir()
    rules_path(codex_home).write_text("# mine")
    append_allow_rule(codex_home, ["ls"])
    assert rules_path(codex_home).read_text() == (
        '# mine\nprefix_rule(pattern=["ls"], decision="allow")\n'
    )
