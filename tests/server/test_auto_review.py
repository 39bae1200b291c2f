"""A model reviews in the place of the person: what it allows, what it refuses, when it fails."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    ITEM_FILE_CHANGE_REQUEST_APPROVAL,
)
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.guardian import (
    GUARDIAN_WARNING,
    ITEM_AUTO_APPROVAL_REVIEW_COMPLETED,
    ITEM_AUTO_APPROVAL_REVIEW_STARTED,
    THREAD_APPROVE_GUARDIAN_DENIED_ACTION,
    ThreadApproveGuardianDeniedActionParams,
)
from app_server.protocol.item import ITEM_COMPLETED, CommandExecutionThreadItem
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    applies_patch,
    fails_with,
    hangs,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

COMPLETED = ITEM_AUTO_APPROVAL_REVIEW_COMPLETED


def verdict(outcome: str, risk: str = "low") -> Any:
    answer = {"outcome": outcome, "risk_level": risk, "user_authorization": "high"}
    return says(json.dumps({**answer, "rationale": f"It is {risk}."}))


@pytest.fixture
async def thread(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> Conversation:
    provider_toml(model, home=codex_home)
    return await Conversation.begin(
        await connect(),
        cwd=str(workspace),
        approval_policy="untrusted",
        approvals_reviewer="auto_review",
        sandbox="danger-full-access",
    )


async def ended(thread: Conversation) -> str:
    return (await thread.ended(PROCESS_WAIT_SECONDS)).status


def nobody_was_asked(thread: Conversation) -> bool:
    return not thread.params_of(ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL) and not thread.params_of(
        ITEM_FILE_CHANGE_REQUEST_APPROVAL
    )


async def told(model: ScriptedModel, requests: int) -> str:
    seen = await requests_seen(model, requests)
    output: str = seen[-1].body["input"][-1]["output"]
    return output


async def test_what_the_reviewer_allows_runs_and_nobody_is_asked(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch a", call_id="c1"), verdict("allow"), says("Done."))
    await thread.say("Make a.")
    assert await ended(thread) == "completed"
    assert (workspace / "a").exists()
    assert nobody_was_asked(thread)
    (started,) = thread.params_of(ITEM_AUTO_APPROVAL_REVIEW_STARTED)
    (completed,) = thread.params_of(COMPLETED)
    assert msgspec.to_builtins(started.review)["status"] == "inProgress"
    assert (started.review_id, started.target_item_id) == (completed.review_id, "c1")
    assert msgspec.to_builtins(completed.action) == {
        "type": "command",
        "command": "/bin/bash -lc 'touch a'",
        "cwd": str(workspace),
        "source": "unifiedExec",
    }
    assert msgspec.to_builtins(completed.review) == {
        "status": "approved",
        "riskLevel": "low",
        "userAuthorization": "high",
        "rationale": "It is low.",
    }
    _, review, _ = await requests_seen(model, 3)
    asked = review.body["input"][-1]["content"][0]["text"]
    assert "[person] Make a." in asked
    assert '"command": "/bin/bash -lc \'touch a\'"' in asked
    assert '"runs_in_the_sandbox": false' in asked
    assert review.headers["x-openai-subagent"] == "guardian"
    assert review.body["text"]["format"]["schema"]["required"][0] == "outcome"


async def test_what_the_reviewer_refuses_does_not_run_and_the_model_learns_why(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch a"), verdict("deny", "high"), says("I stop."))
    await thread.say("Make a.")
    assert await ended(thread) == "completed"
    assert not (workspace / "a").exists()
    items = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    (item,) = [item for item in items if isinstance(item, CommandExecutionThreadItem)]
    assert item.status == "declined"
    assert "refused by the automatic reviewer: It is high." in await told(model, 3)
    (warning,) = thread.params_of(GUARDIAN_WARNING)
    assert warning.message == "The automatic reviewer refused: It is high."


async def test_a_patch_is_reviewed_with_what_it_changes(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    patch = "*** Begin Patch\n*** Add File: a.txt\n+hello\n*** End Patch\n"
    model.script(applies_patch(patch), verdict("allow"), says("Done."))
    await thread.say("Add it.")
    assert await ended(thread) == "completed"
    assert (workspace / "a.txt").read_text() == "hello\n"
    assert nobody_was_asked(thread)
    _, review, _ = await requests_seen(model, 3)
    assert "a.txt\\nhello" in review.body["input"][-1]["content"][0]["text"]


@pytest.mark.parametrize(
    ("reply", "status"),
    [(says("Sure, go ahead."), "denied"), (fails_with(400), "denied"), (hangs(), "timedOut")],
)
async def test_a_reviewer_that_fails_or_makes_no_sense_refuses(
    thread: Conversation,
    model: ScriptedModel,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    reply: Any,
    status: str,
) -> None:
    if status == "timedOut":
        monkeypatch.setattr("app_server.agent.auto_review.LONGEST_REVIEW_SECONDS", 0.2)
    model.script(runs_command("touch a"), reply, says("I stop."))
    await thread.say("Make a.")
    assert await ended(thread) == "completed"
    assert not (workspace / "a").exists()
    (completed,) = thread.params_of(COMPLETED)
    assert completed.review.status == status


async def test_an_agent_that_is_refused_again_and_again_is_stopped(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    refused = [(runs_command(f"touch {name}"), verdict("deny", "high")) for name in "abc"]
    model.script(*(reply for pair in refused for reply in pair))
    await thread.say("Make them.")
    assert await ended(thread) == "interrupted"
    assert list(workspace.iterdir()) == []
    assert len(thread.params_of(COMPLETED)) == 3
    last = thread.params_of(GUARDIAN_WARNING)[-1].message
    assert last == "The automatic reviewer refused 3 actions; the turn is ended."


async def test_what_the_person_allows_after_a_refusal_passes_once(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch a"), verdict("deny", "high"), says("I stop."))
    await thread.say("Make a.")
    assert await ended(thread) == "completed"
    (refusal,) = thread.params_of(COMPLETED)
    event = msgspec.to_builtins(refusal)
    params = ThreadApproveGuardianDeniedActionParams(thread_id=thread.thread_id, event=event)
    await thread.call(THREAD_APPROVE_GUARDIAN_DENIED_ACTION, params)
    model.script(
        runs_command("touch a"), runs_command("touch a"), verdict("deny", "high"), says("Done.")
    )
    await thread.say("Again.")
    assert await ended(thread) == "completed"
    assert (workspace / "a").exists()
    assert len(thread.params_of(COMPLETED)) == 2
    again = (await requests_seen(model, 4))[3].body["input"]
    notes = [item for item in again if item.get("role") == "developer"]
    assert any("allows it" in note["content"][0]["text"] for note in notes)


async def test_another_patch_of_the_same_file_is_not_what_the_person_allowed(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    def adds(line: str) -> Any:
        return applies_patch(f"*** Begin Patch\n*** Add File: a\n+{line}\n*** End Patch")

    model.script(adds("harmless"), verdict("deny", "high"), says("I stop."))
    await thread.say("Make a.")
    assert await ended(thread) == "completed"
    (refusal,) = thread.params_of(COMPLETED)
    event = msgspec.to_builtins(refusal)
    params = ThreadApproveGuardianDeniedActionParams(thread_id=thread.thread_id, event=event)
    await thread.call(THREAD_APPROVE_GUARDIAN_DENIED_ACTION, params)
    model.script(adds("evil"), verdict("deny", "high"), adds("harmless"), says("Done."))
    await thread.say("Again.")
    assert await ended(thread) == "completed"
    assert len(thread.params_of(COMPLETED)) == 2
    assert (workspace / "a").read_text() == "harmless\n"


async def test_a_report_that_is_no_refusal_is_refused(thread: Conversation) -> None:
    params = ThreadApproveGuardianDeniedActionParams(thread_id=thread.thread_id, event={})
    with pytest.raises(InvalidRequest, match="invalid Guardian denial event: "):
        await thread.call(THREAD_APPROVE_GUARDIAN_DENIED_ACTION, params)
