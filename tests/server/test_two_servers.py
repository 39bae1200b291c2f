"""Two real servers on one home: what one does to a thread's file costs the other nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.notices import WARNING
from app_server.protocol.thread import (
    THREAD_ARCHIVE,
    THREAD_RESUME,
    THREAD_UNARCHIVE,
    ThreadArchiveParams,
    ThreadResumeParams,
    ThreadUnarchiveParams,
)
from app_server.protocol.thread_history import THREAD_READ, ThreadReadParams
from app_server.storage.rollout import UserMessage
from app_server.storage.rollout_read import read_rollout
from tests.server.listening_program import listening
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml


@pytest.fixture
async def clients(model: ScriptedModel, codex_home: Path) -> AsyncIterator[tuple[Client, Client]]:
    """One client of each server."""
    provider_toml(model, home=codex_home)
    async with AsyncExitStack() as stack:
        started = (listening(codex_home, "--listen", "ws://127.0.0.1:0") for _ in range(2))
        servers = await asyncio.gather(*(stack.enter_async_context(one) for one in started))
        first, second = [await server.client() for server in servers]
        yield first, second
        for client in (first, second):
            await client.__aexit__(None, None, None)


async def said(thread: Conversation, text: str) -> None:
    await thread.say(text)
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"


def stored(path: Path) -> list[str]:
    items = [line.item for line in read_rollout(path).lines]
    return [item.message for item in items if isinstance(item, UserMessage)]


async def test_a_thread_is_followed_into_the_archive_and_back(
    clients: tuple[Client, Client], workspace: Path, codex_home: Path
) -> None:
    first, second = clients
    thread = await Conversation.begin(first, cwd=str(workspace))
    await said(thread, "One.")
    await second.request(THREAD_ARCHIVE, ThreadArchiveParams(thread_id=thread.thread_id))
    archived = codex_home / "archived_sessions" / thread.path.name
    read = await first.request(THREAD_READ, ThreadReadParams(thread_id=thread.thread_id))
    assert read.thread.path == str(archived)
    await said(thread, "Two.")
    assert stored(archived) == ["One.", "Two."]
    await second.request(THREAD_UNARCHIVE, ThreadUnarchiveParams(thread_id=thread.thread_id))
    await said(thread, "Three.")
    assert stored(thread.path) == ["One.", "Two.", "Three."]
    assert not archived.exists()


async def test_a_thread_whose_file_is_deleted_is_written_again_with_its_next_turn(
    clients: tuple[Client, Client], workspace: Path
) -> None:
    first, second = clients
    thread = await Conversation.begin(first, cwd=str(workspace))
    await said(thread, "One.")
    thread.path.unlink()
    await said(thread, "Two.")
    (warning,) = thread.params_of(WARNING)
    assert warning.message == (
        "The file of this thread was deleted while the thread was in use; "
        f"it has been written again: {thread.path}"
    )
    assert stored(thread.path) == ["One.", "Two."]
    elsewhere = await second.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    assert [turn.status for turn in elsewhere.thread.turns] == ["completed", "completed"]
    thread.path.unlink()
    resumed = Conversation(second)
    resumed.thread_id = thread.thread_id
    await said(resumed, "Three.")
    assert stored(thread.path) == ["One.", "Two.", "Three."]
