"""Threads, as clients see them: opened, joined, left, found again."""

import asyncio
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.item import ITEM_COMPLETED, AgentMessageThreadItem, UserMessageThreadItem
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.protocol.thread import (
    THREAD_FORK,
    THREAD_NAME_SET,
    THREAD_NAME_UPDATED,
    THREAD_RESUME,
    THREAD_START,
    THREAD_STARTED,
    THREAD_STATUS_CHANGED,
    THREAD_UNSUBSCRIBE,
    ThreadForkParams,
    ThreadResumeParams,
    ThreadSetNameParams,
    ThreadStartParams,
    ThreadUnsubscribeParams,
)
from app_server.protocol.thread_data import ActiveThreadStatus, IdleThreadStatus, Turn
from app_server.protocol.thread_history import (
    THREAD_LIST,
    THREAD_LOADED_LIST,
    THREAD_READ,
    ThreadListParams,
    ThreadLoadedListParams,
    ThreadReadParams,
)
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import hangs, provider_toml, requests_seen, says, waits_at

UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def home(model: ScriptedModel, codex_home: Path) -> Path:
    """A home whose model is the script."""
    provider_toml(model, home=codex_home)
    return codex_home


@pytest.fixture
async def client(home: Path, connect: Connector) -> Client:
    return await connect()


def words(turns: list[Turn]) -> list[list[str]]:
    """What was said in each turn."""
    return [
        [
            item.text if isinstance(item, AgentMessageThreadItem) else item.content[0].text
            for item in turn.items
            if isinstance(item, AgentMessageThreadItem | UserMessageThreadItem)
        ]
        for turn in turns
    ]


async def after_restart(
    home: Path, workspace: Path, through_json: bool
) -> tuple[Server, Connector]:
    """Another server on the same home."""
    server = Server(ServerOptions(codex_home=home, cwd=workspace))
    return server, Connector(server, through_json)


async def test_a_new_thread_is_answered_for_before_it_is_announced(
    client: Client, workspace: Path
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    announced = await thread.until(THREAD_STARTED)
    assert thread.started is not None
    assert announced.thread == thread.started.thread
    assert (announced.thread.preview, announced.thread.turns) == ("", [])
    assert announced.thread.status == IdleThreadStatus()
    assert announced.thread.path.endswith(f"-{announced.thread.id}.jsonl")
    assert not thread.path.exists()


async def test_a_broken_configuration_starts_no_thread_and_names_the_place(
    client: Client, home: Path
) -> None:
    (home / "config.toml").write_text('model = "x"\nsandbox_mode = 5\n')
    with pytest.raises(RpcError, match=r"config\.toml:2:\d+") as refused:
        await client.request(THREAD_START, ThreadStartParams())
    assert refused.value.code == -32600


async def test_naming_a_folder_to_be_written_in_trusts_it(
    client: Client, home: Path, workspace: Path
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace), sandbox="workspace-write")
    assert thread.started is not None
    assert isinstance(thread.started.sandbox, WorkspaceWriteSandboxPolicy)
    settings = (home / "config.toml").read_text()
    assert str(workspace) in settings
    assert 'trust_level = "trusted"' in settings


async def test_a_second_client_joins_in_the_middle_and_misses_nothing(
    client: Client, connect: Connector, workspace: Path, model: ScriptedModel
) -> None:
    model.script(waits_at("gate", says("Hello both.")))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Wait.")
    await requests_seen(model, 1)
    other = await connect("other")
    joined = await other.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    assert joined.thread.status == ActiveThreadStatus(active_flags=[])
    assert [turn.status for turn in joined.thread.turns] == ["inProgress"]
    model.release("gate")
    listener = Conversation(other)
    await listener.until(ITEM_COMPLETED)
    await listener.ended()
    await thread.ended()
    told = [line for line in thread.told() if "agentMessage" in line or line.startswith("turn/c")]
    assert [line for line in listener.told() if line in told] == told


async def test_a_client_that_only_connected_hears_statuses_and_nothing_else(
    client: Client, connect: Connector, workspace: Path, model: ScriptedModel
) -> None:
    bystander = Conversation(await connect("bystander"))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    for status in (ActiveThreadStatus, IdleThreadStatus):  # idle it is at the beginning as well
        await bystander.until(
            THREAD_STATUS_CHANGED, lambda params, kind=status: isinstance(params.status, kind)
        )
    assert set(bystander.told()) == {"thread/status/changed active", "thread/status/changed idle"}


async def test_a_turn_goes_on_when_its_client_leaves(
    client: Client, connect: Connector, workspace: Path, model: ScriptedModel
) -> None:
    model.script(waits_at("gate", says("Finished alone.")))
    watcher = Conversation(await connect("watcher"))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Work.")
    await requests_seen(model, 1)
    await client._channel.close()
    model.release("gate")
    await watcher.until(THREAD_STATUS_CHANGED, lambda params: params.status == IdleThreadStatus())
    resumed = await watcher.call(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    assert words(resumed.thread.turns) == [["Work.", "Finished alone."]]


async def test_an_unsubscribed_client_hears_no_more(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    params = ThreadUnsubscribeParams(thread_id=thread.thread_id)
    answers = [(await client.request(THREAD_UNSUBSCRIBE, params)).status for _ in range(2)]
    unknown = ThreadUnsubscribeParams(thread_id=UNKNOWN)
    answers.append((await client.request(THREAD_UNSUBSCRIBE, unknown)).status)
    assert answers == ["unsubscribed", "notSubscribed", "notLoaded"]
    await thread.say("Anybody?")
    await thread.until(THREAD_STATUS_CHANGED, lambda params: params.status == IdleThreadStatus())
    assert all(line.startswith("thread/status/changed") for line in thread.told())


async def test_an_ephemeral_thread_leaves_no_trace(
    client: Client, home: Path, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace), ephemeral=True)
    assert thread.started is not None
    assert thread.started.thread.path is None
    await thread.say("Forget this.")
    await thread.ended()
    assert not list(home.rglob("*.jsonl"))
    assert (await client.request(THREAD_LIST, ThreadListParams())).data == []


async def test_a_loaded_thread_is_not_resumed_from_another_file(
    client: Client, workspace: Path
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    other = ThreadResumeParams(thread_id=thread.thread_id, path="/nowhere/at/all.jsonl")
    with pytest.raises(RpcError, match="with mismatched path: requested `/nowhere/at/all") as no:
        await client.request(THREAD_RESUME, other)
    assert no.value.code == -32600


async def test_a_file_that_is_not_there_is_neither_resumed_nor_forked(client: Client) -> None:
    words = "failed to resolve rollout path `/nowhere/at/all.jsonl`: No such file or directory"
    for row, params in (
        (THREAD_RESUME, ThreadResumeParams(thread_id=UNKNOWN, path="/nowhere/at/all.jsonl")),
        (THREAD_FORK, ThreadForkParams(thread_id=UNKNOWN, path="/nowhere/at/all.jsonl")),
    ):
        with pytest.raises(RpcError, match=words) as no:
            await client.request(row, params)
        assert no.value.code == -32600


async def test_a_fork_begins_where_its_parent_is_and_goes_its_own_way(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    model.script(says("Base."), says("Branch."))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("One.")
    await thread.ended()
    forked = await client.request(THREAD_FORK, ThreadForkParams(thread_id=thread.thread_id))
    assert forked.thread.forked_from_id == thread.thread_id
    assert words(forked.thread.turns) == [["One.", "Base."]]
    branch = Conversation(client)
    branch.thread_id = forked.thread.id
    await branch.say("Two.")
    await branch.ended()
    reads = [
        (
            await client.request(
                THREAD_READ, ThreadReadParams(thread_id=thread_id, include_turns=True)
            )
        ).thread.turns
        for thread_id in (thread.thread_id, forked.thread.id)
    ]
    assert [words(turns) for turns in reads] == [
        [["One.", "Base."]],
        [["One.", "Base."], ["Two.", "Branch."]],
    ]


async def test_two_clients_that_resume_at_once_get_the_same_thread(
    client: Client,
    home: Path,
    workspace: Path,
    model: ScriptedModel,
    server: Server,
    through_json: bool,
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    await server.close()
    later, connect = await after_restart(home, workspace, through_json)
    async with later:
        clients = [await connect(name) for name in ("a", "b")]
        params = ThreadResumeParams(thread_id=thread.thread_id)
        async with asyncio.TaskGroup() as group:
            for each in clients:
                group.create_task(each.request(THREAD_RESUME, params))
        loaded = await clients[0].request(THREAD_LOADED_LIST, ThreadLoadedListParams())
        assert loaded.data == [thread.thread_id]
        both = [Conversation(each) for each in clients]
        both[0].thread_id = thread.thread_id
        await both[0].say("Both hear this.")
        for each in both:
            assert (await each.ended()).status == "completed"
        await connect.leave()


async def test_an_id_in_capitals_means_the_same_thread(
    client: Client, workspace: Path, model: ScriptedModel, connect: Connector
) -> None:
    model.script(hangs())
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hello")
    await requests_seen(model, 1)
    shouted = thread.thread_id.upper()
    other = await connect()
    joined = await other.request(THREAD_RESUME, ThreadResumeParams(thread_id=shouted))
    assert joined.thread.id == thread.thread_id
    assert isinstance(joined.thread.status, ActiveThreadStatus)
    loaded = await client.request(THREAD_LOADED_LIST, ThreadLoadedListParams())
    assert loaded.data == [thread.thread_id]
    await client.request(THREAD_NAME_SET, ThreadSetNameParams(thread_id=shouted, name="Loud"))
    assert (await thread.until(THREAD_NAME_UPDATED)).thread_id == thread.thread_id
    left = await other.request(THREAD_UNSUBSCRIBE, ThreadUnsubscribeParams(thread_id=shouted))
    assert left.status == "unsubscribed"
