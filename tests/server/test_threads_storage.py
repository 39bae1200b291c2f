"""Threads and what may happen to their files: torn lines, full disks, crashes."""

import errno
from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.notices import WARNING
from app_server.protocol.thread import THREAD_RESUME, ThreadResumeParams
from app_server.protocol.thread_data import Turn
from app_server.server.server import Server
from app_server.storage import rollout_write
from app_server.storage.rollout_read import read_rollout
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml, requests_seen, says


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Client:
    provider_toml(model, home=codex_home)
    return await connect()


async def a_finished_thread(client: Client, workspace: Path) -> Conversation:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("One.")
    await thread.ended()
    return thread


async def resumed(server: Server, client: Client, thread: Conversation) -> list[Turn]:
    """The turns after the thread was forgotten and read from its file again."""
    await server.threads.unload(thread.thread_id)
    answer = await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    return answer.thread.turns


async def test_a_turn_cut_off_by_a_crash_is_interrupted_and_the_next_one_works(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await a_finished_thread(client, workspace)
    await thread.say("Two.")
    await thread.ended()
    lines = thread.path.read_bytes().splitlines(keepends=True)
    assert b"task_complete" in lines[-1]
    torn = b'{"timestamp":"2026-01-01T00:00:00.000Z","type":"response_it'
    await server.threads.unload(thread.thread_id)
    thread.path.write_bytes(b"".join(lines[:-1]) + torn)

    turns = await resumed(server, client, thread)
    assert [turn.status for turn in turns] == ["completed", "interrupted"]
    assert len(turns[1].items) == 2
    thread.heard.clear()
    thread._read = 0
    await thread.say("Three.")
    assert (await thread.ended()).status == "completed"
    stored = read_rollout(thread.path)
    assert len(stored.skipped) == 1
    turns = await resumed(server, client, thread)
    assert [turn.status for turn in turns] == ["completed", "interrupted", "completed"]


async def test_a_line_of_garbage_costs_that_line_and_a_warning(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await a_finished_thread(client, workspace)
    await server.threads.unload(thread.thread_id)
    first, *rest = thread.path.read_bytes().splitlines(keepends=True)
    thread.path.write_bytes(first + b"\xff\xfe no json\n" + b"".join(rest))
    turns = await resumed(server, client, thread)
    assert [turn.status for turn in turns] == ["completed"]
    warning = await thread.until(WARNING)
    assert str(thread.path) in warning.message


async def test_a_full_disk_is_told_once_and_everything_is_stored_when_there_is_room(
    client: Client,
    server: Server,
    workspace: Path,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thread = await a_finished_thread(client, workspace)
    write = rollout_write._write_whole_lines

    def full(descriptor: int, lines: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(rollout_write, "_write_whole_lines", full)
    await thread.say("Two.")
    assert (await thread.ended()).status == "completed"
    (warning,) = thread.params_of(WARNING)
    assert "No space left on device" in warning.message

    monkeypatch.setattr(rollout_write, "_write_whole_lines", write)
    await thread.say("Three.")
    await thread.ended()
    turns = await resumed(server, client, thread)
    assert [turn.status for turn in turns] == ["completed"] * 3
    assert read_rollout(thread.path).skipped == []


async def test_calls_a_crash_left_unanswered_are_answered_as_aborted(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await a_finished_thread(client, workspace)
    await server.threads.unload(thread.thread_id)
    call = (
        b'{"timestamp":"2026-01-01T00:00:00.000Z","type":"response_item","payload":'
        b'{"type":"function_call","name":"exec_command","arguments":"{}","call_id":"lost"}}\n'
    )
    thread.path.write_bytes(thread.path.read_bytes() + call)
    await resumed(server, client, thread)
    model.script(says("Going on."))
    await thread.say("Two.")
    await thread.ended()
    *_, last = await requests_seen(model, 2)
    outputs = [item for item in last.body["input"] if item["type"] == "function_call_output"]
    assert [(item["call_id"], item["output"]) for item in outputs] == [("lost", "aborted")]
