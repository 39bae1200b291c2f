"""What was streamed and what is rebuilt from the file are the same conversation.

Seeded random conversations run against the scripted model; afterwards the file alone must give the
turns the client saw end and the history the model would be sent.
"""

import random
from pathlib import Path

import pytest

from app_server.agent.history import History
from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Reply
from app_server.protocol.item import (
    ITEM_COMPLETED,
    AgentMessageThreadItem,
    ReasoningThreadItem,
    ThreadItem,
    UserMessageThreadItem,
)
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.thread_data import Turn
from app_server.protocol.thread_history import THREAD_READ, ThreadReadParams
from app_server.protocol.turn import TURN_COMPLETED
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from app_server.storage.rollout_read import read_rollout
from app_server.threads.restored import Restored
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import (
    calls_tool,
    disconnects,
    fails_with,
    hangs,
    in_one_answer,
    provider_toml,
    says,
    streams,
    thinks,
    updates_plan,
)

SEEDS = range(6)


def answers(dice: random.Random) -> tuple[list[Reply], str]:
    """The model's answers for one turn, and how the turn will end."""
    calls = [
        updates_plan(("Look", "in_progress")),
        calls_tool("nonsense", {}),
        calls_tool("update_plan", "{broken"),
        calls_tool("view_image", {"path": "/nowhere.png"}),
        in_one_answer(says("I will plan.", phase="commentary"), updates_plan(("Go", "completed"))),
        thinks("first", "second", then="Interim."),
    ]
    middle = [dice.choice(calls) for _ in range(dice.randrange(3))]
    middle = [reply for reply in middle if reply is not calls[-1]]
    ends = {
        "completed": streams("All ", "done."),
        "failed": fails_with(400),
        "interrupted": hangs("never "),
        "broken": disconnects("half "),
    }
    end = dice.choice(list(ends))
    return [*middle, ends[end]], "failed" if end == "broken" else end


def visible(item: ThreadItem) -> object:
    """An item without its id, which storage does not keep."""
    match item:
        case UserMessageThreadItem():
            return ("user", item.content)
        case AgentMessageThreadItem():
            return ("agent", item.text, item.phase)
        case ReasoningThreadItem():
            return ("reasoning", item.summary, item.content)
        case _:
            return None


def shown(turns: list[Turn]) -> list[tuple[str, str, list[object]]]:
    return [
        (turn.id, turn.status, [seen for item in turn.items if (seen := visible(item))])
        for turn in turns
    ]


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_thread_rebuilt_from_its_file_is_the_one_that_was_streamed(
    seed: int, model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    dice = random.Random(seed)
    provider_toml(model, home=codex_home)
    async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as server:
        connect = Connector(server, through_json=bool(seed % 2))
        thread = await Conversation.begin(await connect(), approval_policy="never")
        for number in range(4):
            replies, end = answers(dice)
            model.script(*replies)
            turn_id = await thread.say(f"Message {number}.", "and more")
            if end == "interrupted":
                await thread.until(
                    ITEM_AGENT_MESSAGE_DELTA, lambda params: params.delta == "never "
                )
                await thread.interrupt(turn_id)
            assert (await thread.ended()).status == end
        loaded = server.threads.loaded(thread.thread_id)
        live_history = loaded.session.history.for_model(sees_images=True)
        read = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
        live_turns = (await thread.call(THREAD_READ, read)).thread.turns
        await connect.leave()

    restored = Restored(line.item for line in read_rollout(thread.path).lines)
    rebuilt = restored.timeline.turns()
    assert rebuilt == live_turns
    assert History(restored.items).for_model(sees_images=True) == live_history
    assert shown(rebuilt) == streamed(thread)


def streamed(thread: Conversation) -> list[tuple[str, str, list[object]]]:
    """The turns as their notifications told them."""
    items: dict[str, list[object]] = {}
    for params in thread.params_of(ITEM_COMPLETED):
        seen = visible(params.item)
        if isinstance(params.item, UserMessageThreadItem):
            seen = ("user", joined(params.item))
        items.setdefault(params.turn_id, []).append(seen)
    return [
        (params.turn.id, params.turn.status, items[params.turn.id])
        for params in thread.params_of(TURN_COMPLETED)
    ]


def joined(item: UserMessageThreadItem) -> list[object]:
    """Text parts are stored as one."""
    text = "".join(part.text for part in item.content if hasattr(part, "text"))
    first = item.content[0]
    return [type(first)(text=text)]  # type: ignore[call-arg]
