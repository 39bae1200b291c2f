"""What a thread that keeps its actions still shows when it is opened again, whatever ended it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL
from app_server.protocol.item import (
    ITEM_COMPLETED,
    ITEM_STARTED,
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    ImageViewThreadItem,
)
from app_server.protocol.item_deltas import ITEM_COMMAND_EXECUTION_OUTPUT_DELTA
from app_server.protocol.thread import (
    THREAD_FORK,
    THREAD_RESUME,
    THREAD_TOKEN_USAGE_UPDATED,
    ThreadResumeParams,
)
from app_server.protocol.thread_data import Turn
from app_server.protocol.thread_history import (
    THREAD_READ,
    THREAD_ROLLBACK,
    ThreadReadParams,
    ThreadRollbackParams,
)
from app_server.protocol.thread_shell import (
    THREAD_DECREMENT_ELICITATION,
    THREAD_INCREMENT_ELICITATION,
    THREAD_SHELL_COMMAND,
    ThreadDecrementElicitationParams,
    ThreadIncrementElicitationParams,
    ThreadShellCommandParams,
)
from app_server.protocol.turn import TURN_PLAN_UPDATED
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    applies_patch,
    calls_tool,
    fails_with,
    model,
    provider_toml,
    runs_command,
    says,
    updates_plan,
)

__all__ = ["model"]

ENDLESS = "echo begun; sleep 300"


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Client:
    provider_toml(model, home=codex_home)
    return await connect()


async def begun(client: Client, workspace: Path, **settings: Any) -> Conversation:
    wanted = {"approval_policy": "never", "sandbox": "danger-full-access", **settings}
    return await Conversation.begin(
        client, cwd=str(workspace), persist_extended_history=True, **wanted
    )


async def opened_again(thread: Conversation, server: Server) -> list[Turn]:
    """Its turns after it was put away and resumed."""
    await server.threads.unload(thread.thread_id)
    resumed = await thread.call(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    turns: list[Turn] = resumed.thread.turns
    return turns


async def after_a_crash(thread: Conversation, codex_home: Path, through_json: bool) -> list[Turn]:
    """Its turns as a server finds them that knows only what is on disk at this moment."""
    copy = codex_home.with_name("after-the-crash")
    shutil.copytree(codex_home / "sessions", copy / "sessions")
    async with Server(ServerOptions(codex_home=copy, cwd=copy)) as other:
        connect = Connector(other, through_json)
        read = await (await connect()).request(
            THREAD_READ, ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
        )
        await connect.leave()
    return read.thread.turns


def actions(turns: list[Turn]) -> list[Any]:
    kinds = CommandExecutionThreadItem | FileChangeThreadItem | ImageViewThreadItem
    return [item for turn in turns for item in turn.items if isinstance(item, kinds)]


def facts(item: Any) -> tuple[str, str | None, int | None]:
    return item.status, item.aggregated_output, item.exit_code


@pytest.mark.parametrize(
    "call",
    [
        runs_command(ENDLESS, yield_time_ms=30_000),
        calls_tool("shell", {"command": ["bash", "-c", ENDLESS], "timeout_ms": 300_000}),
        calls_tool("shell_command", {"command": ENDLESS, "timeout_ms": 300_000}),
    ],
    ids=["exec_command", "shell", "shell_command"],
)
async def test_an_interrupted_command_is_there_with_what_it_wrote(
    call: Any, client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    model.script(call)
    thread = await begun(client, workspace)
    turn_id = await thread.say("Run it.")
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt(turn_id)
    await thread.ended()
    assert thread.params_of(ITEM_COMPLETED)[1:] == []  # the message of the user alone was told
    (turn,) = turns = await opened_again(thread, server)
    (command,) = actions(turns)
    assert turn.status == "interrupted"
    assert facts(command) == ("failed", "begun\n", None)
    assert ENDLESS in command.command
    assert command.duration_ms is not None


async def test_an_interrupted_command_of_the_person_is_there_with_what_it_wrote(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await begun(client, workspace)
    params = ThreadShellCommandParams(thread_id=thread.thread_id, command=ENDLESS)
    await thread.call(THREAD_SHELL_COMMAND, params)
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt("")
    await thread.ended()
    (command,) = actions(await opened_again(thread, server))
    assert facts(command) == ("failed", "begun\n", None)
    assert command.source == "userShell"


async def test_a_command_left_in_the_background_goes_on_through_an_interruption_in_the_file_too(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    model.script(
        runs_command(ENDLESS, yield_time_ms=250, call_id="behind"),
        runs_command("echo waited for; sleep 300", yield_time_ms=30_000, call_id="waited"),
    )
    thread = await begun(client, workspace)
    turn_id = await thread.say("Run both.")
    row = ITEM_COMMAND_EXECUTION_OUTPUT_DELTA
    while {params.item_id for params in thread.params_of(row)} != {"behind", "waited"}:
        await thread.until(row, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt(turn_id)
    await thread.ended()
    read = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    loaded = (await thread.call(THREAD_READ, read)).thread.turns
    assert [(item.id, item.status) for item in actions(loaded)] == [
        ("behind", "inProgress"),
        ("waited", "failed"),
    ]
    stopped, waited = actions(await opened_again(thread, server))
    assert facts(stopped) == ("failed", "begun\n", None)
    assert facts(waited) == ("failed", "waited for\n", None)


async def test_a_command_nobody_was_asked_about_yet_is_there_without_having_run(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    model.script(runs_command("touch made.txt"))
    thread = await begun(client, workspace, approval_policy="untrusted", sandbox="read-only")
    turn_id = await thread.say("Go.")
    await thread.until(ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt(turn_id)
    await thread.ended()
    (command,) = actions(await opened_again(thread, server))
    assert facts(command) == ("failed", None, None)
    assert (command.process_id, command.duration_ms) == (None, None)


async def test_a_crash_leaves_the_command_that_ran(
    client: Client,
    codex_home: Path,
    workspace: Path,
    model: ScriptedModel,
    through_json: bool,
) -> None:
    model.script(runs_command(ENDLESS, yield_time_ms=30_000))
    thread = await begun(client, workspace)
    await thread.say("Run it.")
    started = await thread.until(
        ITEM_STARTED,
        lambda params: isinstance(params.item, CommandExecutionThreadItem),
        within_seconds=PROCESS_WAIT_SECONDS,
    )
    (turn,) = turns = await after_a_crash(thread, codex_home, through_json)
    (command,) = actions(turns)
    assert turn.status == "interrupted"
    assert facts(command) == ("failed", None, None)
    assert (command.id, command.command, command.process_id) == (
        started.item.id,
        started.item.command,
        started.item.process_id,
    )


async def test_a_crash_leaves_what_a_command_had_written_when_it_went_to_the_background(
    client: Client,
    codex_home: Path,
    workspace: Path,
    model: ScriptedModel,
    through_json: bool,
) -> None:
    model.script(runs_command(ENDLESS, yield_time_ms=250), says("It runs."))
    thread = await begun(client, workspace)
    asking = ThreadIncrementElicitationParams(thread_id=thread.thread_id)
    await thread.call(THREAD_INCREMENT_ELICITATION, asking)  # waiting stands still until it wrote
    await thread.say("Run it.")
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    asked = ThreadDecrementElicitationParams(thread_id=thread.thread_id)
    await thread.call(THREAD_DECREMENT_ELICITATION, asked)
    await thread.ended(PROCESS_WAIT_SECONDS)
    (turn,) = turns = await after_a_crash(thread, codex_home, through_json)
    (command,) = actions(turns)
    assert turn.status == "completed"
    assert facts(command) == ("failed", "begun\n", None)


async def test_a_command_of_a_turn_that_was_taken_back_does_not_come_back_with_its_end(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    waiting = "while [ ! -e go ]; do sleep 0.01; done"
    model.script(says("Hi."), runs_command(waiting, yield_time_ms=250), says("It runs."))
    thread = await begun(client, workspace)
    for text in ("Hello.", "Run it."):
        await thread.say(text)
        await thread.ended(PROCESS_WAIT_SECONDS)
    await thread.call(
        THREAD_ROLLBACK, ThreadRollbackParams(thread_id=thread.thread_id, num_turns=1)
    )
    (workspace / "go").touch()
    await thread.until(
        ITEM_COMPLETED,
        lambda params: isinstance(params.item, CommandExecutionThreadItem),
        within_seconds=PROCESS_WAIT_SECONDS,
    )
    turns = await opened_again(thread, server)
    assert (len(turns), actions(turns)) == (1, [])


async def test_whoever_joins_sees_the_command_that_runs(
    client: Client, connect: Connector, workspace: Path, model: ScriptedModel
) -> None:
    model.script(runs_command(ENDLESS, yield_time_ms=30_000))
    thread = await begun(client, workspace)
    await thread.say("Run it.")
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    joined = await (await connect("other")).request(
        THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id)
    )
    (command,) = actions(joined.thread.turns)
    assert command.status == "inProgress"


async def test_a_patch_that_failed_keeps_its_reason(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    (workspace / "a.txt").write_text("one\n")
    model.script(
        applies_patch("*** Begin Patch\n*** Update File: a.txt\n@@\n-nope\n+yes\n*** End Patch\n"),
        says("Could not."),
    )
    thread = await begun(client, workspace)
    await thread.say("Edit.")
    await thread.ended()
    (told,) = [
        params.item
        for params in thread.params_of(ITEM_COMPLETED)
        if isinstance(params.item, FileChangeThreadItem)
    ]
    assert told.error == f"Failed to find expected lines in {workspace}/a.txt:\nnope\n"
    assert actions(await opened_again(thread, server)) == [told]


async def test_a_picture_that_was_looked_at_is_there(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    picture = workspace / "dot.png"
    picture.write_bytes(ONE_DOT)
    model.script(calls_tool("view_image", {"path": "dot.png"}, call_id="look"), says("A dot."))
    thread = await begun(client, workspace)
    await thread.say("Look.")
    await thread.ended()
    assert actions(await opened_again(thread, server)) == [
        ImageViewThreadItem(id="look", path=str(picture))
    ]


@pytest.mark.parametrize("row", [THREAD_RESUME, THREAD_FORK], ids=["resume", "fork"])
async def test_an_unfinished_plan_is_told_again(
    row: Any, client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    model.script(
        updates_plan(("Look", "in_progress"), ("Do", "pending"), explanation="Two steps."),
        updates_plan(("Look", "completed"), ("Do", "in_progress")),
        calls_tool("update_plan", "{broken"),
        says("Going on."),
    )
    thread = await begun(client, workspace)
    turn_id = await thread.say("Go.")
    await thread.ended()
    *_, latest = thread.params_of(TURN_PLAN_UPDATED)
    await server.threads.unload(thread.thread_id)
    params = row.params(thread_id=thread.thread_id, persist_extended_history=True)
    opened = (await thread.call(row, params)).thread
    told = await thread.until(TURN_PLAN_UPDATED, lambda params: params is not latest)
    assert (told.thread_id, told.turn_id) == (opened.id, turn_id)
    assert [(step.step, step.status) for step in told.plan] == [
        ("Look", "completed"),
        ("Do", "inProgress"),
    ]


async def test_a_finished_plan_and_one_of_a_turn_that_was_taken_back_are_not_told_again(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await begun(client, workspace)
    model.script(updates_plan(("Look", "completed")), says("Done."))
    await thread.say("Go.")
    await thread.ended()
    assert await plans_told_by_resuming(thread, server) == 0
    model.script(updates_plan(("More", "pending")), says("Begun."))
    await thread.say("Go on.")
    await thread.ended()
    assert await plans_told_by_resuming(thread, server) == 1
    await thread.call(
        THREAD_ROLLBACK, ThreadRollbackParams(thread_id=thread.thread_id, num_turns=1)
    )
    assert await plans_told_by_resuming(thread, server) == 0


async def plans_told_by_resuming(thread: Conversation, server: Server) -> int:
    """How often a plan is told before the next turn begins."""
    before = len(thread.params_of(TURN_PLAN_UPDATED))
    await server.threads.unload(thread.thread_id)
    params = ThreadResumeParams(thread_id=thread.thread_id, persist_extended_history=True)
    await thread.call(THREAD_RESUME, params)
    await thread.until(THREAD_TOKEN_USAGE_UPDATED)
    await thread.say("Hm.")
    await thread.ended()
    told = len(thread.params_of(TURN_PLAN_UPDATED)) - before
    await thread.call(
        THREAD_ROLLBACK, ThreadRollbackParams(thread_id=thread.thread_id, num_turns=1)
    )
    return told


async def test_what_a_failing_service_said_is_told_and_kept(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    body = {"error": {"message": "the GPU is out of memory"}}
    model.script(fails_with(500, body, x_request_id="req_1"))
    thread = await begun(client, workspace)
    await thread.say("Hi.")
    failed = (await thread.ended()).error
    assert failed is not None
    assert failed.message.startswith("We're currently experiencing high demand")
    assert failed.codex_error_info == "internalServerError"
    assert failed.additional_details == (
        "500 Internal Server Error: the GPU is out of memory, request id: req_1"
    )
    (turn,) = await opened_again(thread, server)
    assert turn.error == failed


async def test_other_clients_get_the_error_without_details(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    model.script(fails_with(500))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    failed = (await thread.ended()).error
    assert failed is not None
    assert failed.additional_details is None


ONE_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
