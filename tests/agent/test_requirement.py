"""What it takes to run a command: nothing, a yes, or it must not run."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app_server.agent.tools.requirement import (
    Ask,
    CommandCall,
    Refuse,
    Requirement,
    Run,
    requirement,
)
from app_server.agent.tools.spec import ToolError
from app_server.execpolicy.rules import Decision, PrefixRule, RuleSet
from app_server.execpolicy.shell_split import plain_commands
from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    GranularApprovals,
    GranularAskForApproval,
    ReadOnlySandboxPolicy,
)

CONFINED, OPEN = ReadOnlySandboxPolicy(), DangerFullAccessSandboxPolicy()


def rule(text: str, decision: Decision = "allow", why: str | None = None) -> PrefixRule:
    pattern = tuple((word,) for word in text.split())
    return PrefixRule(pattern=pattern, decision=decision, justification=why)


RULES = RuleSet(
    prefix_rules=(
        rule("touch"),
        rule("git push", "prompt", "it leaves this machine"),
        rule("shutdown", "forbidden", "never here"),
    )
)


def granular(*, sandbox_approval: bool = False, rules: bool = False) -> GranularAskForApproval:
    return GranularAskForApproval(
        granular=GranularApprovals(
            mcp_elicitations=False, rules=rules, sandbox_approval=sandbox_approval
        )
    )


def needed(script: str, approval: AskForApproval, sandbox: Any = CONFINED, **more: Any) -> Any:
    rules = more.pop("rules", RULES)
    argv = (more.pop("shell", "bash"), "-lc", script)
    call = CommandCall(call_id="c", argv=argv, command=script, cwd=Path("/w"), **more)
    return requirement(call, approval, sandbox, rules)


def in_a_word(found: Requirement) -> str:
    match found:
        case Run(confined=confined):
            return "runs" if confined else "runs outside"
        case Ask(confined=confined):
            return "asks" if confined else "asks outside"
        case Refuse():
            return "refused"


POLICIES: list[AskForApproval] = ["untrusted", "on-failure", "on-request", "never"]
DECIDED = [
    ("ls", "runs", "runs", "runs", "runs"),
    ("npm test", "asks", "runs", "runs", "runs"),
    ("ls > x", "asks", "runs", "runs", "runs"),
    ("rm -rf x", "asks", "asks", "asks", "refused"),
    ("rm -rf $X", "asks", "asks", "asks", "runs"),
    ("touch a", *["runs outside"] * 4),
    ("touch a && touch b", *["runs outside"] * 4),
    ("touch a && ls", "runs", "runs", "runs", "runs"),
    ("touch a && npm test", "asks", "runs", "runs", "runs"),
    ("touch a > log", "asks", "runs", "runs", "runs"),
    ("touch a <<'E'\nx\nE", *["runs outside"] * 4),
    ("touch a <<'E' | sh\nx\nE", "asks", "runs", "runs", "runs"),
    ("git push", "asks", "asks", "asks", "refused"),
    ("ls; git push", "asks", "asks", "asks", "refused"),
    ("X=1 git push $Y", "asks", "asks", "asks", "refused"),
    ("shutdown now", *["refused"] * 4),
    ("touch a; shutdown", *["refused"] * 4),
    ("(sleep 5; shutdown) &", *["refused"] * 4),
    ("bash -c 'shutdown now'", *["refused"] * 4),
]


@pytest.mark.parametrize("row", DECIDED, ids=[row[0] for row in DECIDED])
def test_policy_rules_and_the_command_decide_together(row: tuple[str, ...]) -> None:
    script, *words = row
    assert [in_a_word(needed(script, policy)) for policy in POLICIES] == words


def test_without_a_sandbox_what_would_run_confined_runs_open() -> None:
    assert needed("npm test", "on-request", OPEN) == Run(confined=False)
    assert needed("rm -rf x", "never", OPEN) == Run(confined=False)
    assert in_a_word(needed("rm -rf x", "on-request", OPEN)) == "asks outside"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_rule_takes_what_only_looks_outside_no_more_than_asked_for(
    policy: AskForApproval,
) -> None:
    rules = RuleSet(prefix_rules=(rule("git status"), rule("git add")))
    assert needed("git status", policy, rules=rules) == Run(confined=True)
    assert needed("git status", policy, OPEN, rules=rules) == Run(confined=False)
    assert needed("git add . && git status", policy, rules=rules) == Run(confined=False)
    assert needed("git status <<'E'\nx\nE", policy, rules=rules) == Run(confined=False)
    if policy == "on-request":
        outside = needed("git status", policy, rules=rules, escalated=True)
        assert outside == Run(confined=False)


def test_a_rule_covers_no_script_that_a_file_called_like_a_shell_is_given() -> None:
    assert in_a_word(needed("touch x", "on-request", shell="/w/bash")) == "runs"
    assert in_a_word(needed("touch x", "untrusted", shell="./bash")) == "asks"
    assert in_a_word(needed("git push", "on-request", shell="./bash")) == "asks"


def test_leaving_the_sandbox_is_asked_about_with_the_reason_and_a_rule() -> None:
    wish = {"escalated": True, "justification": "May I?", "prefix_rule": ("npm", "test")}
    assert needed("npm test -- -x", "on-request", **wish) == Ask(
        reason="May I?", amendment=["npm", "test"], confined=False
    )
    with pytest.raises(ToolError, match="approval policy is Never; reject command"):
        needed("npm test", "never", **wish)
    with pytest.raises(ToolError, match="approval policy is UnlessTrusted; reject command"):
        needed("npm test", "untrusted", **wish)


def test_what_a_rule_asks_about_names_the_rules_reason_and_offers_none() -> None:
    assert needed("git push", "on-request") == Ask(
        reason="`bash -lc 'git push'` requires approval: it leaves this machine",
        amendment=None,
        confined=True,
    )


GRANULAR = [
    ("git push", granular(rules=True), "asks"),
    ("git push", granular(sandbox_approval=True), "refused"),
    ("rm -rf x", granular(sandbox_approval=True), "asks"),
    ("rm -rf x", granular(rules=True), "refused"),
    ("npm test", granular(), "runs"),
]


@pytest.mark.parametrize(("script", "approval", "word"), GRANULAR)
def test_each_kind_of_question_can_be_switched_off(
    script: str, approval: AskForApproval, word: str
) -> None:
    assert in_a_word(needed(script, approval)) == word


SCRIPTS = st.sampled_from([row[0] for row in DECIDED])
STRICTNESS = ["runs outside", "runs", "asks outside", "asks", "refused"]


@settings(max_examples=100)
@given(
    SCRIPTS,
    SCRIPTS,
    st.sampled_from(POLICIES),
    st.sampled_from(["touch", "git", "ls", "rm", "npm test", "sh"]),
    st.sampled_from(["prompt", "forbidden"]),
)
def test_a_rule_against_something_never_makes_an_answer_milder(
    first: str, second: str, policy: AskForApproval, text: str, decision: Decision
) -> None:
    script = f"{first}\n{second}"
    stricter = RULES.with_rule(rule(text, decision))
    before = in_a_word(needed(script, policy))
    after = in_a_word(needed(script, policy, rules=stricter))
    assert STRICTNESS.index(after) >= STRICTNESS.index(before)


PLAIN = st.sampled_from([row[0] for row in DECIDED if plain_commands(row[0])])


@settings(max_examples=100)
@given(PLAIN, PLAIN, st.sampled_from(POLICIES))
def test_one_more_command_never_makes_an_answer_milder(
    first: str, second: str, policy: AskForApproval
) -> None:
    alone = in_a_word(needed(first, policy))
    together = in_a_word(needed(f"{first}\n{second}", policy))
    assert STRICTNESS.index(together) >= STRICTNESS.index(alone)
