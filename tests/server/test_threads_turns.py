"""The turns of a thread: read in pages, and taken back."""

from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.thread import THREAD_RESUME, ThreadResumeParams
from app_server.protocol.thread_history import (
    THREAD_READ,
    THREAD_ROLLBACK,
    THREAD_TURNS_LIST,
    ThreadReadParams,
    ThreadRollbackParams,
    ThreadTurnsListParams,
)
from tests.server.test_threads import UNKNOWN, client, home, words
from tests.support.conversation import Conversation
from tests.support.model_server import hangs, requests_seen, says

__all__ = ["client", "home"]


async def test_turns_cannot_be_read_before_there_is_one(client: Client, workspace: Path) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    whole = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    with pytest.raises(RpcError, match="is not materialized yet; includeTurns is unavailable"):
        await client.request(THREAD_READ, whole)
    with pytest.raises(RpcError, match=f"thread not loaded: {UNKNOWN}"):
        await client.request(THREAD_READ, ThreadReadParams(thread_id=UNKNOWN))
    with pytest.raises(RpcError, match=f"no rollout found for thread id {UNKNOWN}"):
        await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=UNKNOWN))


async def test_an_ephemeral_thread_has_no_pages_of_turns(client: Client, workspace: Path) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace), ephemeral=True)
    asked = ThreadTurnsListParams(thread_id=thread.thread_id)
    with pytest.raises(RpcError, match="ephemeral threads do not support thread/turns/list"):
        await client.request(THREAD_TURNS_LIST, asked)


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
