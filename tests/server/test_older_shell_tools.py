"""The shell tools of older models: not offered, but answered under every name."""

from pathlib import Path
from typing import Any

import pytest

from app_server.client.events import Question
from app_server.demo.provider import ScriptedModel
from app_server.demo.script import RawItem, Reply
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    CommandExecutionRequestApprovalResponse,
)
from app_server.protocol.item import (
    ITEM_COMPLETED,
    ITEM_STARTED,
    CommandExecutionThreadItem,
    FileChangeThreadItem,
)
from app_server.protocol.item_deltas import ITEM_COMMAND_EXECUTION_OUTPUT_DELTA
from app_server.sandbox import probe
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import calls_tool, provider_toml, requests_seen, says

PATCH = "*** Begin Patch\n*** Add File: q.txt\n+a\n*** End Patch\n"


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Any:
    provider_toml(model, home=codex_home)
    return await connect()


async def begin(
    client: Any, workspace: Path, approvals: Any = "never", sandbox: str = "danger-full-access"
) -> Conversation:
    return await Conversation.begin(
        client, cwd=str(workspace), approval_policy=approvals, sandbox=sandbox
    )


async def ended(thread: Conversation) -> str:
    return (await thread.ended(PROCESS_WAIT_SECONDS)).status


def done(thread: Conversation) -> CommandExecutionThreadItem:
    (item,) = [
        params.item
        for params in thread.params_of(ITEM_COMPLETED)
        if isinstance(params.item, CommandExecutionThreadItem)
    ]
    return item


async def last_output(model: ScriptedModel) -> str:
    seen = await requests_seen(model, 2)
    output: str = seen[-1].body["input"][-1]["output"]
    return output


def without_time(output: str) -> list[str]:
    return [line for line in output.split("\n") if not line.startswith("Wall time: ")]


FAILS = "echo out; echo err >&2; exit 3"


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("shell", {"command": ["sh", "-c", FAILS]}, ["Exit code: 3", "Output:", "out", "err", ""]),
        ("container.exec", {"command": ["echo", "c"]}, ["Exit code: 0", "Output:", "c", ""]),
        ("shell_command", {"command": "printf hi"}, ["Exit code: 0", "Output:", "hi"]),
        ("shell_command", {"command": "kill -9 $$"}, ["Exit code: 137", "Output:", ""]),
        (
            "shell",
            {"command": ["sleep", "300"], "timeout_ms": 20},
            ["Exit code: 124", "Output:", "command timed out after 20 milliseconds", ""],
        ),
        ("shell", {"command": []}, ["command args are empty"]),
        ("shell", {"cmd": "x"}, ["failed to parse function arguments: missing field `command`"]),
    ],
)
async def test_a_call_runs_to_its_end_and_is_reported_whole(
    client: Any,
    workspace: Path,
    model: ScriptedModel,
    tool: str,
    arguments: Any,
    told: list[str],
) -> None:
    model.script(calls_tool(tool, arguments), says("Done."))
    thread = await begin(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert without_time(await last_output(model)) == told


@pytest.mark.parametrize("allows_login", [True, False])
async def test_words_run_through_the_login_shell_where_the_profile_is_wanted(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel, allows_login: bool
) -> None:
    config = codex_home / "config.toml"
    wanted = "\n[shell_environment_policy]\nexperimental_use_profile = true\n"
    allowed = f"allow_login_shell = {str(allows_login).lower()}\n"
    config.write_text(allowed + config.read_text() + wanted)
    model.script(calls_tool("shell", {"command": ["echo", "a b"]}), says("Done."))
    thread = await begin(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert without_time(await last_output(model)) == ["Exit code: 0", "Output:", "a b", ""]
    shown = "/bin/bash -lc \"echo 'a b'\"" if allows_login else "echo 'a b'"
    assert done(thread).command == shown


async def test_the_item_shows_the_command_its_output_and_how_it_ended(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(calls_tool("shell", {"command": ["sh", "-c", FAILS]}), says("Done."))
    thread = await begin(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    item = done(thread)
    assert (item.status, item.exit_code, item.aggregated_output, item.source, item.process_id) == (
        "failed",
        3,
        "out\nerr\n",
        "agent",
        None,
    )
    deltas = [params.delta for params in thread.params_of(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA)]
    assert sorted("".join(deltas).split()) == ["err", "out"]


async def test_the_services_own_kind_of_shell_call_is_run_where_it_says(
    client: Any, workspace: Path, model: ScriptedModel, tmp_path: Path
) -> None:
    action = {"type": "exec", "command": ["pwd"], "working_directory": str(tmp_path), "env": {}}
    call = {"type": "local_shell_call", "call_id": "L", "status": "completed", "action": action}
    model.script(Reply(items=[RawItem(item=call)]), says("Done."))
    thread = await begin(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert without_time(await last_output(model))[-2] == str(tmp_path)


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("shell", ["apply_patch", PATCH]),
        ("shell_command", f"apply_patch <<'EOF'\n{PATCH}EOF"),
    ],
)
async def test_a_call_that_is_only_a_patch_changes_files_right_here(
    client: Any, workspace: Path, model: ScriptedModel, tool: str, command: Any
) -> None:
    model.script(calls_tool(tool, {"command": command}), says("Done."))
    thread = await begin(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert (workspace / "q.txt").read_text() == "a\n"
    items = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    assert any(isinstance(item, FileChangeThreadItem) for item in items)


async def test_a_declined_call_is_told_in_plain_words(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(calls_tool("shell", {"command": ["touch", "a"]}), says("No."))
    thread = await begin(client, workspace, "untrusted")
    await thread.say("Go.")
    question = await asked(thread)
    await thread.client.answer(
        question.id, CommandExecutionRequestApprovalResponse(decision="decline")
    )
    assert await ended(thread) == "completed"
    assert await last_output(model) == "rejected by user"
    assert done(thread).status == "declined"
    assert not (workspace / "a").exists()


async def asked(thread: Conversation) -> Question:
    question: Question = await thread.until(
        ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL, within_seconds=PROCESS_WAIT_SECONDS
    )
    return question


TOUCHES = [("shell", {"command": ["touch", "a"]}), ("exec_command", {"cmd": "touch a"})]


@pytest.mark.parametrize(("tool", "arguments"), TOUCHES)
async def test_what_the_sandbox_stopped_runs_outside_once_somebody_agrees(
    client: Any, workspace: Path, model: ScriptedModel, tool: str, arguments: Any
) -> None:
    if probe.facts().mechanism == "none":
        pytest.skip("nothing here can confine a command")
    model.script(calls_tool(tool, arguments), says("Done."))
    thread = await begin(client, workspace, "on-failure", "read-only")
    await thread.say("Go.")
    question: Any = await asked(thread)
    assert question.params.reason == "command failed; retry without sandbox?"
    assert question.params.proposed_execpolicy_amendment == ["touch", "a"]
    assert not (workspace / "a").exists()
    await thread.client.answer(
        question.id, CommandExecutionRequestApprovalResponse(decision="accept")
    )
    assert await ended(thread) == "completed"
    assert (workspace / "a").exists()
    assert done(thread).status == "completed"
    begun = [params.item for params in thread.params_of(ITEM_STARTED)]
    assert len([item for item in begun if isinstance(item, CommandExecutionThreadItem)]) == 1


@pytest.mark.parametrize(("tool", "arguments"), TOUCHES)
async def test_what_the_sandbox_stopped_stays_undone_when_somebody_declines(
    client: Any, workspace: Path, model: ScriptedModel, tool: str, arguments: Any
) -> None:
    if probe.facts().mechanism == "none":
        pytest.skip("nothing here can confine a command")
    model.script(calls_tool(tool, arguments), says("I stop."))
    thread = await begin(client, workspace, "on-failure", "read-only")
    await thread.say("Go.")
    question = await asked(thread)
    await thread.client.answer(
        question.id, CommandExecutionRequestApprovalResponse(decision="decline")
    )
    assert await ended(thread) == "completed"
    assert done(thread).status == "declined"
    assert "rejected by user" in await last_output(model)
    assert not (workspace / "a").exists()


@pytest.mark.parametrize(("tool", "arguments"), TOUCHES)
async def test_under_on_request_what_the_sandbox_stopped_is_told_to_the_model(
    client: Any, workspace: Path, model: ScriptedModel, tool: str, arguments: Any
) -> None:
    if probe.facts().mechanism == "none":
        pytest.skip("nothing here can confine a command")
    model.script(calls_tool(tool, arguments), says("No."))
    thread = await begin(client, workspace, "on-request", "read-only")
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert "touch: cannot touch 'a'" in await last_output(model)
    assert thread.params_of(ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL) == []
