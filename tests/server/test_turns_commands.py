"""Commands the model runs: who is asked, what is shown, what the model is told."""

import os
from pathlib import Path
from typing import Any

import pytest

from app_server.client.events import Question
from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    SERVER_REQUEST_RESOLVED,
    AcceptWithExecpolicyAmendment,
    AmendingCommandExecutionApprovalDecision,
    CommandExecutionRequestApprovalResponse,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import InitializeCapabilities
from app_server.protocol.item import ITEM_COMPLETED, ITEM_STARTED, CommandExecutionThreadItem
from app_server.protocol.item_deltas import ITEM_COMMAND_EXECUTION_OUTPUT_DELTA
from app_server.protocol.method import ServerNotification
from app_server.protocol.thread import THREAD_RESUME, ThreadResumeParams
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    calls_tool,
    in_one_answer,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

REQUEST = ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL


@pytest.fixture
async def thread(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> Conversation:
    """A thread whose commands run unconfined and unasked."""
    provider_toml(model, home=codex_home)
    return await Conversation.begin(
        await connect(),
        cwd=str(workspace),
        approval_policy="never",
        sandbox="danger-full-access",
    )


@pytest.fixture
async def asking(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> Conversation:
    """A thread that trusts no command beyond those that only look."""
    provider_toml(model, home=codex_home)
    return await Conversation.begin(
        await connect(),
        cwd=str(workspace),
        approval_policy="untrusted",
        sandbox="danger-full-access",
    )


def commands(
    thread: Conversation, row: ServerNotification[Any]
) -> list[CommandExecutionThreadItem]:
    """The command items told by such notifications."""
    return [
        params.item
        for params in thread.params_of(row)
        if isinstance(params.item, CommandExecutionThreadItem)
    ]


async def ended(thread: Conversation) -> str:
    return (await thread.ended(PROCESS_WAIT_SECONDS)).status


async def asked(thread: Conversation) -> Question:
    question: Question = await thread.until(REQUEST, within_seconds=PROCESS_WAIT_SECONDS)
    return question


async def answer(thread: Conversation, decision: Any) -> Question:
    question = await asked(thread)
    response = CommandExecutionRequestApprovalResponse(decision=decision)
    await thread.client.answer(question.id, response)
    return question


async def last_output(model: ScriptedModel, requests: int) -> str:
    """What the model was told by the newest tool output."""
    seen = await requests_seen(model, requests)
    output: str = seen[-1].body["input"][-1]["output"]
    return output


async def test_a_command_is_shown_from_start_to_end_and_reported_to_the_model(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(runs_command("echo oops >&2; exit 3", call_id="call_1"), says("It failed."))
    await thread.say("Run.")
    assert await ended(thread) == "completed"
    (begun,), (done,) = commands(thread, ITEM_STARTED), commands(thread, ITEM_COMPLETED)
    assert (begun.id, begun.status, begun.source) == ("call_1", "inProgress", "unifiedExecStartup")
    assert (done.status, done.exit_code, done.aggregated_output) == ("failed", 3, "oops\n")
    assert done.process_id == begun.process_id
    lines = (await last_output(model, 2)).split("\n")
    assert lines[0].startswith("Chunk ID: ")
    assert lines[1].startswith("Wall time: ")
    assert lines[2:] == [
        "Process exited with code 3",
        "Original token count: 2",
        "Output:",
        "oops",
        "",
    ]


async def test_output_is_streamed_while_the_command_runs(
    thread: Conversation, model: ScriptedModel, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    model.script(runs_command(f"echo before; read line < {gate}; echo after"), says("Done."))
    await thread.say("Run.")
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    gate.write_text("go\n")
    assert await ended(thread) == "completed"
    deltas = [params.delta for params in thread.params_of(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA)]
    assert "".join(deltas) == "before\nafter\n"


async def test_an_accepted_command_runs_after_the_question_is_resolved(
    asking: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch made.txt && echo made", call_id="call_1"), says("All right."))
    await asking.say("Make it.")
    question = await asked(asking)
    assert isinstance(question.id, int)
    assert not (workspace / "made.txt").exists()
    params: Any = question.params
    assert params.proposed_execpolicy_amendment == ["touch", "made.txt"]
    assert [type(each).__name__ for each in params.available_decisions] == [
        "str",
        "AmendingCommandExecutionApprovalDecision",
        "str",
    ]
    await asking.client.answer(
        question.id, CommandExecutionRequestApprovalResponse(decision="accept")
    )
    assert await ended(asking) == "completed"
    assert (workspace / "made.txt").exists()
    told = asking.told()
    order = [
        "thread/status/changed active waitingOnApproval",
        "item/commandExecution/requestApproval",
        "serverRequest/resolved",
        "item/completed commandExecution completed",
        "turn/completed completed",
    ]
    assert [line for line in told if line in order] == order
    assert told.index("item/started commandExecution inProgress") < told.index(order[1])


@pytest.mark.parametrize(
    ("decision", "turn_ends", "item_ends"),
    [("decline", "completed", "declined"), ("cancel", "interrupted", "declined")],
)
async def test_a_command_the_user_refuses_does_not_run(
    asking: Conversation,
    model: ScriptedModel,
    workspace: Path,
    decision: str,
    turn_ends: str,
    item_ends: str,
) -> None:
    model.script(runs_command("touch made.txt"), says("All right."))
    await asking.say("Make it.")
    await answer(asking, decision)
    assert await ended(asking) == turn_ends
    (done,) = commands(asking, ITEM_COMPLETED)
    assert done.status == item_ends
    assert not (workspace / "made.txt").exists()
    if decision == "decline":
        assert await last_output(model, 2) == (
            "exec_command failed for `/bin/bash -lc 'touch made.txt'`: CreateProcess "
            '{ message: "Rejected(\\"rejected by user\\")" }'
        )


async def test_an_error_instead_of_an_answer_counts_as_declined(
    asking: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch made.txt"), says("All right."))
    await asking.say("Make it.")
    question = await asked(asking)
    await asking.client.refuse(question.id, RpcError(-1, "no"))
    assert await ended(asking) == "completed"
    (done,) = commands(asking, ITEM_COMPLETED)
    assert done.status == "failed"
    assert not (workspace / "made.txt").exists()


async def test_a_yes_for_the_session_covers_the_very_same_command_only(
    asking: Conversation, model: ScriptedModel
) -> None:
    model.script(
        runs_command("touch a", call_id="1"),
        runs_command("touch a", call_id="2"),
        runs_command("touch b", call_id="3"),
        says("Done."),
    )
    await asking.say("Make them.")
    first = await answer(asking, "acceptForSession")
    second = await answer(asking, "accept")
    assert await ended(asking) == "completed"
    assert [question.params.item_id for question in (first, second)] == ["1", "3"]  # type: ignore[union-attr]
    assert len(commands(asking, ITEM_COMPLETED)) == 3


async def test_a_command_that_only_looks_is_not_asked_about(
    asking: Conversation, model: ScriptedModel
) -> None:
    model.script(runs_command("ls && pwd"), says("Looked."))
    await asking.say("Look.")
    assert await ended(asking) == "completed"
    assert asking.params_of(REQUEST) == []


async def test_nobody_is_asked_under_never_and_escalation_is_refused(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(
        runs_command("ls", sandbox_permissions="require_escalated", justification="May I?"),
        says("No."),
    )
    await thread.say("Try.")
    assert await ended(thread) == "completed"
    assert await last_output(model, 2) == (
        "approval policy is Never; reject command — you cannot ask for escalated permissions if "
        "the approval policy is Never"
    )


async def test_only_those_who_were_asked_may_answer(
    asking: Conversation, connect: Connector, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch made.txt"), says("All right."))
    stranger = await connect("stranger")
    await asking.say("Make it.")
    question = await asked(asking)
    accept = CommandExecutionRequestApprovalResponse(decision="accept")
    await stranger.answer(question.id, accept)
    await stranger.request(THREAD_RESUME, ThreadResumeParams(thread_id=asking.thread_id))
    joined = Conversation(stranger)
    again = await joined.until(REQUEST)
    assert again.id == question.id
    assert not (workspace / "made.txt").exists()
    await stranger.answer(question.id, accept)
    assert await ended(asking) == "completed"
    assert (workspace / "made.txt").exists()
    assert len(asking.params_of(SERVER_REQUEST_RESOLVED)) == 1


async def test_a_question_waits_for_somebody_to_come_back(
    asking: Conversation, connect: Connector, model: ScriptedModel
) -> None:
    model.script(runs_command("true || touch x"), says("All right."))
    await asking.say("Go.")
    question = await asked(asking)
    await asking.client._channel.close()
    back = Conversation(await connect("back"))
    await back.call(THREAD_RESUME, ThreadResumeParams(thread_id=asking.thread_id))
    again = await back.until(REQUEST)
    assert again.id == question.id
    await back.client.answer(again.id, CommandExecutionRequestApprovalResponse(decision="decline"))
    assert await ended(back) == "completed"


async def test_a_client_without_the_experimental_api_is_not_told_the_choices(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    client = await connect("plain", InitializeCapabilities())
    thread = await Conversation.begin(client, cwd=str(workspace), approval_policy="untrusted")
    model.script(runs_command("touch x"), says("ok"))
    await thread.say("Go.")
    question = await asked(thread)
    params: Any = question.params
    assert params.available_decisions is None


async def test_an_allowed_prefix_is_kept_as_a_rule(
    asking: Conversation, model: ScriptedModel, codex_home: Path
) -> None:
    model.script(runs_command("touch made.txt"), says("Done."))
    await asking.say("Go.")
    amended = AmendingCommandExecutionApprovalDecision(
        accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment(
            execpolicy_amendment=["touch", "made.txt"]
        )
    )
    await answer(asking, amended)
    assert await ended(asking) == "completed"
    rules = (codex_home / "rules" / "default.rules").read_text()
    assert rules == 'prefix_rule(pattern=["touch", "made.txt"], decision="allow")\n'


async def test_several_commands_of_one_answer_run_side_by_side(
    thread: Conversation, model: ScriptedModel, tmp_path: Path
) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    os.mkfifo(there)
    os.mkfifo(back)
    model.script(
        in_one_answer(
            runs_command(f"echo ping > {there}; cat {back}", call_id="1"),
            runs_command(f"cat {there}; echo pong > {back}", call_id="2"),
        ),
        says("Both done."),
    )
    await thread.say("Run both.")
    assert await ended(thread) == "completed"
    _, second = await requests_seen(model, 2)
    outputs = [item for item in second.body["input"] if item["type"] == "function_call_output"]
    assert [(each["call_id"], each["output"].split("\n")[-2]) for each in outputs] == [
        ("1", "pong"),
        ("2", "ping"),
    ]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("nonsense", {}, "unsupported call: nonsense"),
        ("exec_command", {}, "failed to parse function arguments: missing field `cmd`"),
        ("exec_command", "{broken", "failed to parse function arguments: "),
        ("write_stdin", {"session_id": 5}, "write_stdin failed: Unknown process id 5"),
        (
            "exec_command",
            {"cmd": "true", "sandbox_permissions": "bogus"},
            "failed to parse function arguments: unknown variant `bogus`, expected one of "
            "`use_default`, `require_escalated`, `with_additional_permissions`",
        ),
        (
            "shell",
            {"command": ["true"], "sandbox_permissions": "with_additional_permissions"},
            "additional permissions are disabled; enable `features.exec_permission_approvals`",
        ),
    ],
)
async def test_a_call_that_makes_no_sense_is_told_to_the_model_and_the_turn_goes_on(
    thread: Conversation, model: ScriptedModel, tool: str, arguments: Any, told: str
) -> None:
    model.script(calls_tool(tool, arguments), says("I see."))
    await thread.say("Try.")
    assert await ended(thread) == "completed"
    assert (await last_output(model, 2)).startswith(told)
