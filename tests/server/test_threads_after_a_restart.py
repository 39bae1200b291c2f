"""What a thread is like that is opened again: its turns, actions and settings."""

from pathlib import Path

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.item import ITEM_COMPLETED
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.notices import WARNING
from app_server.protocol.thread import THREAD_RESUME, THREAD_TOKEN_USAGE_UPDATED, ThreadResumeParams
from app_server.protocol.thread_data import NotLoadedThreadStatus
from app_server.protocol.thread_history import (
    THREAD_LOADED_LIST,
    THREAD_READ,
    ThreadLoadedListParams,
    ThreadReadParams,
)
from app_server.server.server import Server
from tests.server.test_threads import after_restart, client, home, words
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import applies_patch, hangs, requests_seen, runs_command, says

__all__ = ["client", "home"]


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
