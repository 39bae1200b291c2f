"""Lines the user runs themselves, and ending what still runs."""

import os
from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.item import (
    ITEM_COMPLETED,
    ITEM_STARTED,
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
)
from app_server.protocol.item_deltas import (
    ITEM_AGENT_MESSAGE_DELTA,
    ITEM_COMMAND_EXECUTION_OUTPUT_DELTA,
)
from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_CLEAN,
    THREAD_BACKGROUND_TERMINALS_LIST,
    THREAD_BACKGROUND_TERMINALS_TERMINATE,
    THREAD_SHELL_COMMAND,
    ThreadBackgroundTerminalsCleanParams,
    ThreadBackgroundTerminalsListParams,
    ThreadBackgroundTerminalsTerminateParams,
    ThreadShellCommandParams,
)
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    hangs,
    provider_toml,
    requests_seen,
    runs_command,
    says,
    waits_at,
)


@pytest.fixture
async def thread(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> Conversation:
    """A thread whose own commands may write nothing."""
    provider_toml(model, home=codex_home)
    return await Conversation.begin(
        await connect(), cwd=str(workspace), approval_policy="never", sandbox="read-only"
    )


async def run(thread: Conversation, line: str) -> None:
    params = ThreadShellCommandParams(thread_id=thread.thread_id, command=line)
    await thread.call(THREAD_SHELL_COMMAND, params)


async def test_a_users_line_is_a_turn_of_its_own_unconfined_and_told_to_the_model(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    await run(thread, "echo from user; touch made.txt")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    (item,) = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    assert isinstance(item, CommandExecutionThreadItem)
    assert (item.source, item.exit_code, item.aggregated_output, item.process_id) == (
        "userShell",
        0,
        "from user\n",
        None,
    )
    assert (workspace / "made.txt").exists()
    await thread.say("What did I run?")
    await thread.ended()
    (request,) = await requests_seen(model, 1)
    told = request.body["input"][0]["content"][0]["text"]
    assert told.startswith("<user_shell_command>\n<command>\necho from user; touch made.txt\n")
    assert "Exit code: 0\n" in told
    assert told.endswith("Output:\nfrom user\n\n</result>\n</user_shell_command>")


async def test_a_line_beside_a_running_turn_shows_up_in_it_and_reaches_the_next_request(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(waits_at("gate", runs_command("true")), says("I saw it."))
    turn_id = await thread.say("Work.")
    await requests_seen(model, 1)
    await run(thread, "echo beside; exit 3")
    done = await thread.until(ITEM_COMPLETED, is_users_command, PROCESS_WAIT_SECONDS)
    assert (done.turn_id, done.item.status, done.item.exit_code) == (turn_id, "failed", 3)
    model.release("gate")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).id == turn_id
    _, second = await requests_seen(model, 2)
    last = second.body["input"][-1]["content"][0]["text"]
    assert "Exit code: 3\n" in last
    answers = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    assert any(isinstance(item, AgentMessageThreadItem) for item in answers)


def is_users_command(params: object) -> bool:
    item = getattr(params, "item", None)
    return isinstance(item, CommandExecutionThreadItem) and item.source == "userShell"


async def test_an_interrupt_ends_the_users_line(thread: Conversation, model: ScriptedModel) -> None:
    await run(thread, "echo begun; sleep 300")
    begun = await thread.until(ITEM_STARTED, is_users_command, PROCESS_WAIT_SECONDS)
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt(begun.turn_id)
    assert (await thread.ended()).status == "interrupted"


async def test_a_message_sent_while_the_line_runs_is_answered_after_it(
    thread: Conversation, model: ScriptedModel, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    await run(thread, f"echo begun; cat {gate}")
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.say("And now?")
    gate.write_text("data\n")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    (request,) = await requests_seen(model, 1)
    texts = [item["content"][0]["text"] for item in request.body["input"]]
    assert texts[-1] == "And now?"
    assert any(text.startswith("<user_shell_command>") for text in texts)


async def test_an_empty_line_is_refused(thread: Conversation) -> None:
    with pytest.raises(RpcError, match="command must not be empty"):
        await run(thread, "  ")


async def test_background_terminals_can_be_ended(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(runs_command("echo up; sleep 300", yield_time_ms=250), says("It runs."))
    await thread.say("Start it.")
    await thread.ended(PROCESS_WAIT_SECONDS)
    _, second = await requests_seen(model, 2)
    assert "Process running with session ID" in second.body["input"][-1]["output"]
    params = ThreadBackgroundTerminalsCleanParams(thread_id=thread.thread_id)
    await thread.call(THREAD_BACKGROUND_TERMINALS_CLEAN, params)
    done = await thread.until(
        ITEM_COMPLETED,
        lambda params: isinstance(params.item, CommandExecutionThreadItem),
        PROCESS_WAIT_SECONDS,
    )
    assert done.item.status == "failed"


async def test_a_background_terminal_is_listed_and_can_be_ended_by_its_id(
    thread: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("echo up; sleep 300", yield_time_ms=250), says("It runs."))
    await thread.say("Start it.")
    await thread.ended(PROCESS_WAIT_SECONDS)
    asked = ThreadBackgroundTerminalsListParams(thread_id=thread.thread_id)
    listed = await thread.call(THREAD_BACKGROUND_TERMINALS_LIST, asked)
    (terminal,) = listed.data
    assert "sleep 300" in terminal.command
    assert terminal.cwd == str(workspace)
    ending = ThreadBackgroundTerminalsTerminateParams(
        thread_id=thread.thread_id, process_id=terminal.process_id
    )
    assert (await thread.call(THREAD_BACKGROUND_TERMINALS_TERMINATE, ending)).terminated
    done = await thread.until(ITEM_COMPLETED, is_agents_command, PROCESS_WAIT_SECONDS)
    assert done.item.id == terminal.item_id
    assert (await thread.call(THREAD_BACKGROUND_TERMINALS_LIST, asked)).data == []
    assert not (await thread.call(THREAD_BACKGROUND_TERMINALS_TERMINATE, ending)).terminated


async def test_no_terminal_is_ended_by_an_id_that_none_has(thread: Conversation) -> None:
    ending = ThreadBackgroundTerminalsTerminateParams(
        thread_id=thread.thread_id, process_id="none of mine"
    )
    assert not (await thread.call(THREAD_BACKGROUND_TERMINALS_TERMINATE, ending)).terminated


async def test_a_command_that_survives_an_interruption_tells_its_output_and_its_end(
    thread: Conversation, model: ScriptedModel, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    model.script(
        runs_command(f"echo up; cat {gate}; exit 3", yield_time_ms=250), hangs("Now I ", "wait")
    )
    await thread.say("Start it.")
    turn = await thread.until(ITEM_AGENT_MESSAGE_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt(turn.turn_id)
    assert (await thread.ended()).status == "interrupted"
    gate.write_text("late\n")
    done = await thread.until(ITEM_COMPLETED, is_agents_command, PROCESS_WAIT_SECONDS)
    assert (done.item.exit_code, done.item.aggregated_output) == (3, "up\nlate\n")
    told = [params.delta for params in thread.params_of(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA)]
    assert "".join(told) == "up\nlate\n"


def is_agents_command(params: Any) -> bool:
    item = params.item
    return isinstance(item, CommandExecutionThreadItem) and item.source != "userShell"
