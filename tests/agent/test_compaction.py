"""Making room: when, with what request, and what the model knows afterwards."""

from pathlib import Path

import msgspec
import pytest

from app_server.agent.compaction import is_summary, kept_messages
from app_server.agent.history import message_text, text_message
from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Usage
from app_server.prompts import text
from app_server.protocol.item import ITEM_COMPLETED, ContextCompactionThreadItem
from app_server.protocol.notices import WARNING
from app_server.protocol.response_item import MessageResponseItem
from app_server.protocol.thread import THREAD_TOKEN_USAGE_UPDATED
from app_server.protocol.thread_history import (
    THREAD_COMPACT_START,
    THREAD_COMPACTED,
    ThreadCompactStartParams,
)
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from app_server.storage.rollout_read import read_rollout
from app_server.threads.restored import Restored
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import (
    provider_toml,
    refuses,
    requests_seen,
    says,
    updates_plan,
)

NEARLY_FULL = Usage(input_tokens=9_500, output_tokens=100)


def user_texts(body: object) -> list[str]:
    assert isinstance(body, dict)
    return [
        item["content"][0]["text"]
        for item in body["input"]
        if item["type"] == "message" and item["role"] == "user"
    ]


@pytest.fixture
def home(model: ScriptedModel, codex_home: Path) -> Path:
    settings = provider_toml(model)
    (codex_home / "config.toml").write_text(f"model_context_window = 10000\n{settings}")
    return codex_home


@pytest.mark.parametrize("within_turn", [False, True], ids=["before a turn", "within a turn"])
async def test_a_nearly_full_context_is_summarised_and_the_work_goes_on(
    within_turn: bool, home: Path, workspace: Path, model: ScriptedModel
) -> None:
    full = updates_plan(("Look", "in_progress")) if within_turn else says("Long answer.")
    full = msgspec.structs.replace(full, usage=NEARLY_FULL)
    summary = says("All about the task.")
    model.script(full, summary, says("Going on."))
    async with Server(ServerOptions(codex_home=home, cwd=workspace)) as server:
        connect = Connector(server, through_json=False)
        thread = await Conversation.begin(await connect(), approval_policy="never")
        await thread.say("Do the task.")
        assert (await thread.ended()).status == "completed"
        if not within_turn:
            await thread.say("And more.")
            assert (await thread.ended()).status == "completed"
        _, asked, goes_on = await requests_seen(model, 3)
        session = server.threads.loaded(thread.thread_id).session
        history, compactions = list(session.history.items), session.compactions
        await connect.leave()

    assert asked.body["tools"] == []
    assert user_texts(asked.body)[-1] == text("compact.md")
    told = user_texts(goes_on.body)
    assert "Do the task." in told
    (note,) = [each for each in told if each.startswith(text("compact_prefix.md"))]
    assert note.endswith("\nAll about the task.")
    assert any(each.startswith("<environment_context>") for each in told)
    assert ("And more." in told) is not within_turn
    assert goes_on.headers["x-codex-window-id"].endswith(":1")
    assert compactions == 1

    items = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    assert any(isinstance(item, ContextCompactionThreadItem) for item in items)
    assert len(thread.params_of(THREAD_COMPACTED)) == 1
    assert len(thread.params_of(WARNING)) == 1

    restored = Restored(line.item for line in read_rollout(thread.path).lines)
    assert (restored.items, restored.compactions) == (history, 1)


async def test_a_message_for_which_no_room_could_be_made_is_kept(
    home: Path, workspace: Path, model: ScriptedModel
) -> None:
    full = msgspec.structs.replace(says("Long answer."), usage=NEARLY_FULL)
    model.script(full, refuses("invalid_prompt", "No summary today."))
    async with Server(ServerOptions(codex_home=home, cwd=workspace)) as server:
        connect = Connector(server, through_json=False)
        thread = await Conversation.begin(await connect(), approval_policy="never")
        await thread.say("Do the task.")
        assert (await thread.ended()).status == "completed"
        await thread.say("My precious words.")
        assert (await thread.ended()).status == "failed"
        await connect.leave()
    assert "My precious words." in thread.path.read_text()


async def test_a_history_that_was_refused_as_too_long_is_summarised_before_the_next_turn(
    home: Path, workspace: Path, model: ScriptedModel
) -> None:
    model.script(refuses("context_length_exceeded"), says("Their task."), says("Going on."))
    async with Server(ServerOptions(codex_home=home, cwd=workspace)) as server:
        connect = Connector(server, through_json=True)
        thread = await Conversation.begin(await connect(), approval_policy="never")
        await thread.say("Do the task.")
        assert (await thread.ended()).status == "failed"
        usage = thread.params_of(THREAD_TOKEN_USAGE_UPDATED)[-1].token_usage
        assert usage.last.total_tokens == usage.model_context_window == 9_500
        await thread.say("And more.")
        assert (await thread.ended()).status == "completed"
        _, asked, _ = await requests_seen(model, 3)
        await connect.leave()
    assert user_texts(asked.body)[-1] == text("compact.md")


async def test_a_thread_can_be_asked_to_make_room(
    home: Path, workspace: Path, model: ScriptedModel
) -> None:
    model.script(says("Hello."), refuses("context_length_exceeded"), says("A short summary."))
    async with Server(ServerOptions(codex_home=home, cwd=workspace)) as server:
        connect = Connector(server, through_json=True)
        thread = await Conversation.begin(await connect(), approval_policy="never")
        await thread.say("Hi.")
        await thread.ended()
        params = ThreadCompactStartParams(thread_id=thread.thread_id)
        await thread.call(THREAD_COMPACT_START, params)
        assert (await thread.ended()).status == "completed"
        _, too_long, shorter = await requests_seen(model, 3)
        assert shorter.body["input"] == too_long.body["input"][1:]
        await connect.leave()


def test_of_what_people_said_the_newest_survives_and_the_oldest_kept_is_cut() -> None:
    items = [
        text_message("user", "a" * 400),
        text_message("user", "b" * 400),
        text_message("user", "<environment_context>\n</environment_context>"),
        text_message("user", f"{text('compact_prefix.md')}\nan older summary"),
        text_message("user", "c" * 400),
    ]
    assert is_summary(items[3])
    kept = [
        message_text(item)
        for item in kept_messages(items, 150)
        if isinstance(item, MessageResponseItem)
    ]
    assert kept[1] == "c" * 400
    assert kept[0].startswith("b" * 90)
    assert "tokens truncated" in kept[0]
