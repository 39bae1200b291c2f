"""What a reviewing model is shown, and how its answer is taken."""

import json

import pytest

from app_server.agent.auto_review_case import (
    Assessment,
    action_key,
    question,
    read_assessment,
    refused_action,
)
from app_server.agent.history import text_message
from app_server.protocol.guardian import (
    ApplyPatchGuardianApprovalReviewAction,
    CommandGuardianApprovalReviewAction,
)
from app_server.protocol.response_item import (
    FunctionCallOutputResponseItem,
    FunctionCallResponseItem,
)

RM = CommandGuardianApprovalReviewAction(command="rm -rf x", cwd="/w", source="unifiedExec")
PATCH = ApplyPatchGuardianApprovalReviewAction(cwd="/w", files=["/b", "/a"])

ALLOWED = {"outcome": "allow", "risk_level": "low", "user_authorization": "high"}

ANSWERS = [
    (json.dumps({**ALLOWED, "rationale": "fine"}), Assessment("allow", "low", "high", "fine")),
    (f"```json\n{json.dumps(ALLOWED)}\n```", Assessment("allow", "low", "high")),
    (json.dumps({**ALLOWED, "outcome": "deny"}), Assessment("deny", "low", "high")),
    (json.dumps({**ALLOWED, "risk_level": "critical"}), Assessment("deny", "critical", "high")),
    (json.dumps({**ALLOWED, "outcome": "maybe"}), None),
    (json.dumps({"outcome": "allow"}), None),
    ("allow", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("message", "assessment"), ANSWERS)
def test_only_an_answer_that_makes_sense_counts(
    message: str | None, assessment: Assessment | None
) -> None:
    assert read_assessment(message) == assessment


def test_a_reviewer_sees_what_was_said_and_done_and_the_action() -> None:
    history = [
        text_message("developer", "rules of the house"),
        text_message("user", "<environment_context>\n</environment_context>"),
        text_message("user", "Please clean up."),
        text_message("assistant", "I will."),
        FunctionCallResponseItem(call_id="1", name="exec_command", arguments='{"cmd":"ls"}'),
        FunctionCallOutputResponseItem(call_id="1", output="x"),
    ]
    shown = question(history, RM, "May I?", {"runs_in_the_sandbox": False})
    assert "[person] Please clean up.\n\n[agent] I will.\n\n[function_call] " in shown
    assert "rules of the house" not in shown
    assert "environment_context" not in shown
    assert '"command": "rm -rf x"' in shown
    assert '"reason_given_by_the_agent": "May I?"' in shown
    assert '"runs_in_the_sandbox": false' in shown


def test_a_long_conversation_is_cut_at_its_beginning() -> None:
    history = [text_message("user", f"{number} " + "word " * 1_000) for number in range(100)]
    shown = question(history, PATCH, None, {"patch": "/a\n+x"})
    assert "[earlier parts are left out]" in shown
    assert "[person] 99 " in shown
    assert "[person] 1 " not in shown
    assert len(shown) < 100_000


def test_an_action_that_is_too_long_is_cut_visibly() -> None:
    shown = question([], PATCH, None, {"patch": "+x\n" * 100_000})
    assert "tokens truncated" in shown
    assert len(shown) < 120_000


REPORTS = [
    ({"review": {"status": "denied"}, "action": {"type": "command", "command": "rm -rf x",
      "cwd": "/w", "source": "unifiedExec"}}, RM),
    ({"status": "denied", "action": {"type": "command", "command": "rm -rf x", "cwd": "/w",
      "source": "unified_exec"}}, RM),
    ({"status": "denied", "action": {"type": "apply_patch", "cwd": "/w", "files": ["/a", "/b"]}},
     PATCH),
]  # fmt: skip


@pytest.mark.parametrize(("event", "action"), REPORTS)
def test_a_report_of_a_refusal_names_the_action(event: object, action: object) -> None:
    assert action_key(refused_action(event)) == action_key(action)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"status": "approved", "action": {"type": "apply_patch", "cwd": "/w", "files": []}},
        {"review": "denied", "action": {}},
        {"status": "denied"},
        {"status": "denied", "action": {"type": "command"}},
    ],
)
def test_anything_else_is_no_report_of_a_refusal(event: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        refused_action(event)
