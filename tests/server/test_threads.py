"""Threads, as clients see them: opened, joined, left, found again."""

import asyncio
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.item import ITEM_COMPLETED, AgentMessageThreadItem, UserMessageThreadItem
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.notices import WARNING
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.protocol.thread import (
    THREAD_ARCHIVE,
    THREAD_CLOSED,
    THREAD_FORK,
    THREAD_NAME_SET,
    THREAD_NAME_UPDATED,
    THREAD_RESUME,
    THREAD_START,
    THREAD_STARTED,
    THREAD_STATUS_CHANGED,
    THREAD_TOKEN_USAGE_UPDATED,
    THREAD_UNARCHIVE,
    THREAD_UNSUBSCRIBE,
    ThreadArchiveParams,
    ThreadForkParams,
    ThreadResumeParams,
    ThreadSetNameParams,
    ThreadStartParams,
    ThreadUnarchiveParams,
    ThreadUnsubscribeParams,
)
from app_server.protocol.thread_data import (
    ActiveThreadStatus,
    IdleThreadStatus,
    NotLoadedThreadStatus,
    Turn,
)
from app_server.protocol.thread_history import (
    THREAD_LIST,
    THREAD_LOADED_LIST,
    THREAD_READ,
    THREAD_ROLLBACK,
    THREAD_TURNS_LIST,
    ThreadListParams,
    ThreadLoadedListParams,
    ThreadReadParams,
    ThreadRollbackParams,
    ThreadTurnsListParams,
)
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from app_server.threads import manager
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    applies_patch,
    hangs,
    provider_toml,
    requests_seen,
    runs_command,
    says,
    waits_at,
)

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


async def test_a_thread_survives_its_server(
    client: Client,
    home: Path,
    workspace: Path,
    model: ScriptedModel,
    server: Server,
    through_json: bool,
) -> None:
    model.script(says("First."), says("Second."))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("One.")
    await thread.ended()
    await server.close()

    later, connect = await after_restart(home, workspace, through_json)
    async with later:
        again = await connect()
        loaded = await again.request(THREAD_LOADED_LIST, ThreadLoadedListParams())
        assert loaded.data == []
        read = (
            await again.request(
                THREAD_READ, ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
            )
        ).thread
        assert (read.preview, read.status) == ("One.", NotLoadedThreadStatus())
        assert words(read.turns) == [["One.", "First."]]
        resumed = await again.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
        assert resumed.thread.turns == read.turns
        assert resumed.model == "gpt-5.5"

        goes_on = Conversation(again)
        goes_on.thread_id = thread.thread_id
        usage = await goes_on.until(THREAD_TOKEN_USAGE_UPDATED)
        assert usage.token_usage.total.total_tokens == 120
        await goes_on.say("Two.")
        await goes_on.ended()
        last = goes_on.params_of(THREAD_TOKEN_USAGE_UPDATED)[-1]
        assert last.token_usage.total.total_tokens == 240
        _, second = await requests_seen(model, 2)
        sent = [item["content"][0]["text"] for item in second.body["input"][2:]]
        assert sent == ["One.", "First.", "Two."]
        await connect.leave()


async def test_a_resumed_thread_counts_in_the_window_of_the_model_it_goes_on_with(
    client: Client,
    workspace: Path,
    home: Path,
    model: ScriptedModel,
    server: Server,
    through_json: bool,
) -> None:
    model.script(says("First."))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("One.")
    await thread.ended()
    await server.close()

    later, connect = await after_restart(home, workspace, through_json)
    async with later:
        goes_on = Conversation(await connect())
        smaller = ThreadResumeParams(
            thread_id=thread.thread_id, config={"model_context_window": 50_000}
        )
        await goes_on.client.request(THREAD_RESUME, smaller)
        usage = (await goes_on.until(THREAD_TOKEN_USAGE_UPDATED)).token_usage
        assert (usage.last.total_tokens, usage.model_context_window) == (120, 47_500)
        await connect.leave()


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
    await bystander.until(THREAD_STATUS_CHANGED, lambda params: params.status == IdleThreadStatus())
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


async def test_turns_cannot_be_read_before_there_is_one(client: Client, workspace: Path) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    whole = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    with pytest.raises(RpcError, match="is not materialized yet; includeTurns is unavailable"):
        await client.request(THREAD_READ, whole)
    with pytest.raises(RpcError, match=f"thread not loaded: {UNKNOWN}"):
        await client.request(THREAD_READ, ThreadReadParams(thread_id=UNKNOWN))
    with pytest.raises(RpcError, match=f"no rollout found for thread id {UNKNOWN}"):
        await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=UNKNOWN))


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


async def test_an_ephemeral_thread_has_no_pages_of_turns(client: Client, workspace: Path) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace), ephemeral=True)
    asked = ThreadTurnsListParams(thread_id=thread.thread_id)
    with pytest.raises(RpcError, match="ephemeral threads do not support thread/turns/list"):
        await client.request(THREAD_TURNS_LIST, asked)


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


async def test_rolling_back_forgets_the_last_turns_for_reader_and_model(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    model.script(says("a"), says("b"), says("c"))
    thread = await Conversation.begin(client, cwd=str(workspace))
    for text in ("One.", "Two."):
        await thread.say(text)
        await thread.ended()
    with pytest.raises(RpcError, match="numTurns must be >= 1"):
        await thread.call(
            THREAD_ROLLBACK, ThreadRollbackParams(thread_id=thread.thread_id, num_turns=0)
        )
    rolled = await thread.call(
        THREAD_ROLLBACK, ThreadRollbackParams(thread_id=thread.thread_id, num_turns=1)
    )
    assert words(rolled.thread.turns) == [["One.", "a"]]
    await thread.say("Three.")
    await thread.ended()
    *_, third = await requests_seen(model, 3)
    texts = [item["content"][0]["text"] for item in third.body["input"]]
    assert "Two." not in texts
    assert texts[-1] == "Three."


async def test_rolling_back_is_refused_while_a_turn_runs(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    model.script(hangs("x"))
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Go.")
    await thread.until(ITEM_AGENT_MESSAGE_DELTA)
    with pytest.raises(RpcError, match="Cannot rollback while a turn is in progress"):
        await thread.call(
            THREAD_ROLLBACK, ThreadRollbackParams(thread_id=thread.thread_id, num_turns=1)
        )


async def test_turns_are_paged_both_ways(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    turn_ids = []
    for text in ("1", "2", "3"):
        turn_ids.append(await thread.say(text))
        await thread.ended()

    async def page(**query: object) -> tuple[list[str], str | None, str | None]:
        params = ThreadTurnsListParams(thread_id=thread.thread_id, **query)
        answer = await client.request(THREAD_TURNS_LIST, params)
        return [turn.id for turn in answer.data], answer.next_cursor, answer.backwards_cursor

    newest, older, back = await page(limit=2)
    assert newest == turn_ids[:0:-1]
    rest, end, _ = await page(limit=2, cursor=older)
    assert (rest, end) == (turn_ids[:1], None)
    assert (await page(cursor=back, sort_direction="asc"))[0] == turn_ids[2:]
    with pytest.raises(RpcError, match="invalid cursor: nonsense"):
        await page(cursor="nonsense")


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


async def test_a_thread_rolled_back_to_its_beginning_shows_no_turns(
    client: Client, workspace: Path
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    back = ThreadRollbackParams(thread_id=thread.thread_id, num_turns=1)
    await client.request(THREAD_ROLLBACK, back)
    asked = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    assert (await client.request(THREAD_READ, asked)).thread.turns == []
    pages = ThreadTurnsListParams(thread_id=thread.thread_id)
    assert (await client.request(THREAD_TURNS_LIST, pages)).data == []


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


async def test_a_thread_that_keeps_its_actions_shows_them_after_a_restart(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    patch = "*** Begin Patch\n*** Add File: new.txt\n+alpha\n*** End Patch\n"
    model.script(runs_command("echo hi; exit 2"), applies_patch(patch), says("Done."))
    thread = await Conversation.begin(
        client,
        cwd=str(workspace),
        approval_policy="never",
        sandbox="danger-full-access",
        persist_extended_history=True,
    )
    await thread.say("Do it.")
    await thread.ended(PROCESS_WAIT_SECONDS)
    streamed = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    await server.threads.unload(thread.thread_id)
    resumed = await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    (turn,) = resumed.thread.turns
    assert [type(item) for item in turn.items] == [type(item) for item in streamed]
    assert turn.items[1:3] == streamed[1:3]


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


async def test_resuming_with_another_model_says_so(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.")
    await thread.ended()
    await server.threads.unload(thread.thread_id)
    resumed = await client.request(
        THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id, model="gpt-5.4")
    )
    assert resumed.model == "gpt-5.4"
    warning = await thread.until(WARNING)
    assert "`gpt-5.5`" in warning.message
    assert "`gpt-5.4`" in warning.message


async def test_an_answer_that_broke_off_is_still_there_after_a_restart(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    model.script(hangs("part one ", "part two "), says("Whole."))
    thread = await Conversation.begin(client, cwd=str(workspace), persist_extended_history=True)
    turn_id = await thread.say("Go on.")
    await thread.until(ITEM_AGENT_MESSAGE_DELTA, lambda params: params.delta == "part two ")
    await thread.interrupt(turn_id)
    await thread.ended()
    await thread.say("Again.")
    await thread.ended()
    await server.threads.unload(thread.thread_id)
    resumed = await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    assert words(resumed.thread.turns) == [["Go on.", "part one part two "], ["Again.", "Whole."]]
    _, second = await requests_seen(model, 2)
    assert "part one" not in str(second.body["input"])
