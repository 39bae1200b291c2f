"""Threads that are named, archived and brought back, and put away when nobody needs them."""

from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.thread import (
    THREAD_ARCHIVE,
    THREAD_CLOSED,
    THREAD_NAME_SET,
    THREAD_NAME_UPDATED,
    THREAD_RESUME,
    THREAD_UNARCHIVE,
    THREAD_UNSUBSCRIBE,
    ThreadArchiveParams,
    ThreadResumeParams,
    ThreadSetNameParams,
    ThreadUnarchiveParams,
    ThreadUnsubscribeParams,
)
from app_server.protocol.thread_data import IdleThreadStatus, NotLoadedThreadStatus
from app_server.protocol.thread_history import (
    THREAD_LIST,
    THREAD_READ,
    ThreadListParams,
    ThreadReadParams,
)
from app_server.server.server import Server
from app_server.threads import manager
from tests.server.conftest import Connector
from tests.server.test_threads import client, home, words
from tests.support.conversation import Conversation

__all__ = ["client", "home"]


async def test_a_thread_named_before_its_first_message_can_be_put_away_and_brought_back(
    client: Client, workspace: Path
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    thread_id = thread.thread_id
    await client.request(THREAD_NAME_SET, ThreadSetNameParams(thread_id=thread_id, name="Later"))
    await client.request(THREAD_ARCHIVE, ThreadArchiveParams(thread_id=thread_id))
    back = await client.request(THREAD_UNARCHIVE, ThreadUnarchiveParams(thread_id=thread_id))
    assert back.thread.name == "Later"


async def test_a_name_is_trimmed_kept_and_told_to_everyone(
    client: Client, connect: Connector, workspace: Path, model: ScriptedModel
) -> None:
    bystander = Conversation(await connect("bystander"))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    params = ThreadSetNameParams(thread_id=thread.thread_id, name="  My thread  ")
    await client.request(THREAD_NAME_SET, params)
    told = await bystander.until(THREAD_NAME_UPDATED)
    assert (told.thread_id, told.thread_name) == (thread.thread_id, "My thread")
    (listed,) = (await client.request(THREAD_LIST, ThreadListParams())).data
    assert (listed.name, listed.preview, listed.status) == ("My thread", "Hi.", IdleThreadStatus())
    with pytest.raises(RpcError, match="thread name must not be empty"):
        await client.request(
            THREAD_NAME_SET, ThreadSetNameParams(thread_id=thread.thread_id, name="   ")
        )


async def test_an_archived_thread_is_unloaded_and_can_still_be_resumed(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    params = ThreadArchiveParams(thread_id=thread.thread_id)
    with pytest.raises(RpcError, match="no rollout found"):
        await client.request(THREAD_ARCHIVE, params)
    await thread.say("Hi.")
    await thread.ended()
    await client.request(THREAD_ARCHIVE, params)
    assert (await client.request(THREAD_LIST, ThreadListParams())).data == []
    (archived,) = (await client.request(THREAD_LIST, ThreadListParams(archived=True))).data
    assert (archived.id, archived.status) == (thread.thread_id, NotLoadedThreadStatus())
    resumed = await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    assert words(resumed.thread.turns) == [["Hi.", "ok"]]


async def test_what_is_said_in_a_thread_that_was_brought_back_while_loaded_is_stored(
    client: Client, workspace: Path, home: Path
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    thread_id = thread.thread_id
    await client.request(THREAD_ARCHIVE, ThreadArchiveParams(thread_id=thread_id))
    await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread_id))
    back = await client.request(THREAD_UNARCHIVE, ThreadUnarchiveParams(thread_id=thread_id))
    assert (back.thread.path, back.thread.status) == (str(thread.path), IdleThreadStatus())
    await thread.say("Once more.")
    await thread.ended()
    assert "Once more." in thread.path.read_text()
    read = await client.request(THREAD_READ, ThreadReadParams(thread_id=thread_id))
    assert read.thread.path == str(thread.path)


async def test_a_thread_nobody_hears_and_nothing_happens_in_is_put_away(
    client: Client,
    connect: Connector,
    server: Server,
    workspace: Path,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manager, "UNLOAD_CHECK_SECONDS", 0)
    bystander = Conversation(await connect("bystander"))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    await client.request(THREAD_UNSUBSCRIBE, ThreadUnsubscribeParams(thread_id=thread.thread_id))
    assert server.threads.find_loaded(thread.thread_id) is not None
    monkeypatch.setattr(manager, "UNLOAD_AFTER_SECONDS", 0)
    closed = await bystander.until(THREAD_CLOSED)
    assert closed.thread_id == thread.thread_id
    assert bystander.told()[-2:] == ["thread/status/changed notLoaded", "thread/closed"]
    assert server.threads.find_loaded(thread.thread_id) is None


async def test_a_thread_that_fails_to_end_does_not_keep_others_from_being_put_away(
    client: Client,
    connect: Connector,
    server: Server,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails() -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(manager, "UNLOAD_CHECK_SECONDS", 0)
    bystander = Conversation(await connect("bystander"))
    threads = [await Conversation.begin(client, cwd=str(workspace)) for _ in range(2)]
    monkeypatch.setattr(server.threads.loaded(threads[0].thread_id).actor, "close", fails)
    for thread in threads:
        params = ThreadUnsubscribeParams(thread_id=thread.thread_id)
        await client.request(THREAD_UNSUBSCRIBE, params)
    monkeypatch.setattr(manager, "UNLOAD_AFTER_SECONDS", 0)
    for thread in threads:
        assert (await bystander.until(THREAD_CLOSED)).thread_id == thread.thread_id
        assert server.threads.find_loaded(thread.thread_id) is None
