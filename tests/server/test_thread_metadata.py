"""Correcting what is known of the repository a thread was begun in."""

from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.thread import (
    THREAD_METADATA_UPDATE,
    ThreadMetadataGitInfoUpdateParams,
    ThreadMetadataUpdateParams,
)
from app_server.protocol.thread_data import GitInfo
from app_server.protocol.thread_history import (
    THREAD_LIST,
    THREAD_READ,
    ThreadListParams,
    ThreadReadParams,
)
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml, says

UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def update(client: Client, thread_id: str, **fields: str | None) -> GitInfo | None:
    params = ThreadMetadataUpdateParams(
        thread_id=thread_id, git_info=ThreadMetadataGitInfoUpdateParams(**fields)
    )
    thread = (await client.request(THREAD_METADATA_UPDATE, params)).thread
    assert (thread.id, thread.turns) == (thread_id, [])
    return thread.git_info


@pytest.fixture
async def thread(connect: Connector, codex_home: Path, model: ScriptedModel) -> Conversation:
    provider_toml(model, home=codex_home)
    model.script(says("an answer"))
    thread = await Conversation.begin(await connect())
    await thread.say("hello")
    await thread.ended()
    return thread


async def test_a_field_is_set_kept_or_cleared_and_everyone_sees_it(thread: Conversation) -> None:
    client, thread_id = thread.client, thread.thread_id
    assert await update(client, thread_id, sha="abc", branch=" topic ") == GitInfo(
        sha="abc", branch="topic", origin_url=None
    )
    after = GitInfo(sha="abc", branch=None, origin_url="https://example.com/r")
    assert await update(client, thread_id, branch=None, origin_url=after.origin_url) == after
    read = await client.request(THREAD_READ, ThreadReadParams(thread_id=thread_id))
    assert read.thread.git_info == after
    (listed,) = (await client.request(THREAD_LIST, ThreadListParams())).data
    assert listed.git_info == after


async def test_a_correction_outlives_the_server_and_reaches_stored_threads(
    thread: Conversation, codex_home: Path, workspace: Path, through_json: bool
) -> None:
    await update(thread.client, thread.thread_id, sha="abc")
    async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as second:
        connect = Connector(second, through_json)
        client = await connect()
        assert await update(client, thread.thread_id, branch="main") == GitInfo(
            sha="abc", branch="main", origin_url=None
        )
        read = await client.request(THREAD_READ, ThreadReadParams(thread_id=thread.thread_id))
        assert read.thread.git_info == GitInfo(sha="abc", branch="main", origin_url=None)
        await connect.leave()
    assert ((codex_home / "thread_git.jsonl").stat().st_mode & 0o777) == 0o600


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "gitInfo must include at least one field"),
        ({"sha": ""}, "gitInfo.sha must not be empty"),
        ({"origin_url": " "}, "gitInfo.originUrl must not be empty"),
    ],
)
async def test_a_correction_says_something(
    thread: Conversation, fields: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        await update(thread.client, thread.thread_id, **fields)


async def test_threads_without_a_file_take_no_corrections(thread: Conversation) -> None:
    with pytest.raises(InvalidRequest, match=f"thread not found: {UNKNOWN}"):
        await update(thread.client, UNKNOWN, sha="a")
    passing = await Conversation.begin(thread.client, ephemeral=True)
    with pytest.raises(InvalidRequest, match="ephemeral thread does not support metadata updates"):
        await update(thread.client, passing.thread_id, sha="a")
