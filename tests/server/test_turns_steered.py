"""Turns that are added to while they run, and interrupted."""

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.item import ITEM_COMPLETED, AgentMessageThreadItem
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.turn import (
    TURN_COMPLETED,
    TURN_INTERRUPT,
    TURN_STEER,
    TurnInterruptParams,
    TurnSteerParams,
)
from app_server.protocol.user_input import TextUserInput
from app_server.server.server import Server
from tests.server.test_turns import messages, thread
from tests.support.conversation import Conversation
from tests.support.model_server import hangs, requests_seen, says, waits_at

__all__ = ["thread"]


async def test_input_added_to_a_running_turn_reaches_the_model_with_the_next_request(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(waits_at("gate", says("first answer")), says("second answer"))
    turn_id = await thread.say("Start.")
    await requests_seen(model, 1)
    steered = await thread.call(
        TURN_STEER,
        TurnSteerParams(
            thread_id=thread.thread_id,
            expected_turn_id=turn_id,
            input=[TextUserInput(text="Also this.")],
        ),
    )
    assert steered.turn_id == turn_id
    model.release("gate")
    done = await thread.ended()
    assert done.id == turn_id
    _, second = await requests_seen(model, 2)
    assert [text for _, text in messages(second.body)[2:]] == [
        "Start.",
        "first answer",
        "Also this.",
    ]
    answers = [
        params.item.text
        for params in thread.params_of(ITEM_COMPLETED)
        if isinstance(params.item, AgentMessageThreadItem)
    ]
    assert answers == ["first answer", "second answer"]


async def steered_and_interrupted(
    thread: Conversation, model: ScriptedModel, text: str = "Also this."
) -> None:
    model.script(waits_at("gate", says("never read")))
    turn_id = await thread.say("Start.")
    await requests_seen(model, 1)
    params = TurnSteerParams(
        thread_id=thread.thread_id, expected_turn_id=turn_id, input=[TextUserInput(text=text)]
    )
    await thread.call(TURN_STEER, params)
    await thread.interrupt(turn_id)
    assert (await thread.ended()).status == "interrupted"


async def test_what_an_interrupted_turn_did_not_read_comes_with_the_next_one(
    thread: Conversation, model: ScriptedModel
) -> None:
    await steered_and_interrupted(thread, model)
    model.script(says("Read."))
    await thread.say("Go on.")
    assert (await thread.ended()).status == "completed"
    _, second = await requests_seen(model, 2)
    assert [text for role, text in messages(second.body) if role == "user"][-2:] == [
        "Also this.",
        "Go on.",
    ]


async def test_a_client_that_sends_again_what_was_not_read_is_heard_once(
    thread: Conversation, model: ScriptedModel
) -> None:
    await steered_and_interrupted(thread, model)
    model.script(says("Read."))
    await thread.say("Also this.\nAnd that.")
    assert (await thread.ended()).status == "completed"
    _, second = await requests_seen(model, 2)
    assert [text for _, text in messages(second.body)].count("Also this.") == 0


async def test_words_that_occur_again_in_another_sentence_are_not_a_repetition(
    thread: Conversation, model: ScriptedModel
) -> None:
    await steered_and_interrupted(thread, model, "Use tabs")
    model.script(says("Read."))
    await thread.say("Use tabs in Makefiles only")
    assert (await thread.ended()).status == "completed"
    _, second = await requests_seen(model, 2)
    assert [text for _, text in messages(second.body)].count("Use tabs") == 1


async def test_what_no_turn_came_for_is_in_the_thread_when_it_is_loaded_again(
    thread: Conversation, model: ScriptedModel, server: Server
) -> None:
    await steered_and_interrupted(thread, model)
    await server.threads.unload(thread.thread_id)
    assert "Also this." in thread.path.read_text()


async def test_a_turn_started_while_one_runs_joins_it(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(waits_at("gate", says("first")), says("second"))
    running = await thread.say("Start.")
    await requests_seen(model, 1)
    joined = await thread.say("Also this.")
    assert joined != running
    model.release("gate")
    assert (await thread.ended()).id == running
    assert len(thread.params_of(TURN_COMPLETED)) == 1
    _, second = await requests_seen(model, 2)
    assert messages(second.body)[-1] == ("user", "Also this.")


async def test_nothing_can_be_steered_or_interrupted_when_nothing_runs(
    thread: Conversation,
) -> None:
    params = TurnSteerParams(
        thread_id=thread.thread_id, expected_turn_id="x", input=[TextUserInput(text="x")]
    )
    with pytest.raises(RpcError, match="no active turn to steer") as refused:
        await thread.call(TURN_STEER, params)
    assert refused.value.code == -32600
    with pytest.raises(RpcError, match="no active turn to interrupt"):
        await thread.interrupt("x")


async def test_steering_another_turn_than_the_running_one_is_refused_by_name(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(hangs("working "))
    turn_id = await thread.say("Start.")
    await thread.until(ITEM_AGENT_MESSAGE_DELTA)
    for expected, text, words in (
        ("", "x", "expectedTurnId must not be empty"),
        ("wrong", "x", f"expected active turn id `wrong` but found `{turn_id}`"),
        (turn_id, "", "input must not be empty"),
    ):
        params = TurnSteerParams(
            thread_id=thread.thread_id,
            expected_turn_id=expected,
            input=[TextUserInput(text=text)] if text else [],
        )
        with pytest.raises(RpcError) as refused:
            await thread.call(TURN_STEER, params)
        assert refused.value.message == words
    with pytest.raises(RpcError) as other:
        await thread.interrupt("wrong")
    assert other.value.message == f"expected active turn id wrong but found {turn_id}"


async def test_interrupting_ends_the_turn_although_the_model_is_silent(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(hangs("part one ", "part two "), says("after"))
    turn_id = await thread.say("Go on.")
    await thread.until(ITEM_AGENT_MESSAGE_DELTA, lambda params: params.delta == "part two ")
    await thread.interrupt(turn_id)
    done = await thread.ended()
    assert (done.status, done.error) == ("interrupted", None)
    assert thread.told()[-2:] == ["thread/status/changed idle", "turn/completed interrupted"]

    await thread.say("Next.")
    assert (await thread.ended()).status == "completed"
    _, second = await requests_seen(model, 2)
    texts = [text for _, text in messages(second.body)[2:]]
    assert [texts[0], texts[2]] == ["Go on.", "Next."]
    assert texts[1].startswith("<turn_aborted>")


async def test_an_interrupt_without_a_turn_id_means_whatever_runs(
    thread: Conversation, model: ScriptedModel
) -> None:
    params = TurnInterruptParams(thread_id=thread.thread_id, turn_id="")
    await thread.call(TURN_INTERRUPT, params)
    model.script(hangs("x"))
    await thread.say("Go.")
    await thread.until(ITEM_AGENT_MESSAGE_DELTA)
    await thread.call(TURN_INTERRUPT, params)
    assert (await thread.ended()).status == "interrupted"
