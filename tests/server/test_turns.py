"""Turns, as a client sees them: what is said, in which order, and what the model is sent."""

from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.item import ITEM_COMPLETED, AgentMessageThreadItem, ReasoningThreadItem
from app_server.protocol.model import MODEL_REROUTED
from app_server.protocol.notices import ERROR, WARNING
from app_server.protocol.rate_limits import ACCOUNT_RATE_LIMITS_UPDATED
from app_server.protocol.thread import THREAD_STATUS_CHANGED, THREAD_TOKEN_USAGE_UPDATED
from app_server.protocol.thread_data import SystemErrorThreadStatus
from app_server.protocol.turn import TURN_PLAN_UPDATED, TURN_START, TurnStartParams
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import (
    disconnects,
    fails_with,
    provider_toml,
    refuses,
    requests_seen,
    says,
    streams,
    thinks,
    updates_plan,
    waits_at,
)


@pytest.fixture
async def thread(model: ScriptedModel, codex_home: Path, connect: Connector) -> Conversation:
    """A fresh thread whose model is the script; nobody is ever asked."""
    provider_toml(model, home=codex_home)
    client = await connect()
    return await Conversation.begin(client, approval_policy="never", sandbox="danger-full-access")


def messages(body: object) -> list[tuple[str, str]]:
    """The (role, text) of every message in a request."""
    assert isinstance(body, dict)
    return [
        (item["role"], "".join(part.get("text", "") for part in item["content"]))
        for item in body["input"]
        if item["type"] == "message"
    ]


async def test_a_plain_turn_is_told_from_start_to_end_in_order(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(streams("Hel", "lo", phase="final_answer"))
    turn_id = await thread.say("Say hello.")
    done = await thread.ended()
    assert (done.id, done.status, done.error, done.items) == (turn_id, "completed", None, [])
    assert thread.told() == [
        "thread/status/changed active",
        "turn/started inProgress",
        "item/started userMessage",
        "item/completed userMessage",
        "item/started agentMessage",
        "item/agentMessage/delta 'Hel'",
        "item/agentMessage/delta 'lo'",
        "item/completed agentMessage",
        "thread/status/changed idle",
        "turn/completed completed",
    ]
    usage = thread.params_of(THREAD_TOKEN_USAGE_UPDATED)[-1].token_usage
    assert (usage.total.total_tokens, usage.model_context_window) == (120, 258_400)


async def test_reasoning_is_streamed_by_section_and_completed_whole(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(thinks("first part", "second", then="Done."))
    await thread.say("Think.", summary="auto")
    await thread.ended()
    items = [params.item for params in thread.params_of(ITEM_COMPLETED)]
    assert [type(item).__name__ for item in items] == [
        "UserMessageThreadItem",
        "ReasoningThreadItem",
        "AgentMessageThreadItem",
    ]
    assert isinstance(items[1], ReasoningThreadItem)
    assert items[1].summary == ["first part", "second"]
    (request,) = await requests_seen(model, 1)
    assert request.body["reasoning"] == {"effort": "medium", "summary": "auto"}


async def test_the_second_turn_carries_the_first_and_tells_the_surroundings_once(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(says("My name is Mock."), says("Mock, still."))
    await thread.say("Name?")
    await thread.ended()
    await thread.say("Again?")
    await thread.ended()
    first, second = await requests_seen(model, 2)
    sent = messages(second.body)
    assert sent[: len(messages(first.body))] == messages(first.body)
    assert [role for role, _ in sent] == ["developer", "user", "user", "assistant", "user"]
    assert sent[0][1].startswith("<permissions instructions>")
    assert sent[1][1].startswith("<environment_context>")
    assert [text for _, text in sent[2:]] == ["Name?", "My name is Mock.", "Again?"]


async def test_only_what_changed_is_told_again(
    thread: Conversation, model: ScriptedModel, tmp_path: Path
) -> None:
    await thread.say("One.")
    await thread.ended()
    await thread.say("Two.", cwd=str(tmp_path), approval_policy="on-request")
    await thread.ended()
    _, second = await requests_seen(model, 2)
    roles = messages(second.body)[4:]
    assert [role for role, _ in roles] == ["developer", "user", "user"]
    assert "`on-request`" in roles[0][1]
    assert f"<cwd>{tmp_path}</cwd>" in roles[1][1]


@pytest.mark.parametrize(
    ("answering", "is_another"),
    [("gpt-5.5", False), ("GPT-5.5-2026-04-01", False), ("gpt-5.2", True), ("gpt-5.5-mini", True)],
)
async def test_another_model_than_the_one_asked_for_is_told(
    thread: Conversation, model: ScriptedModel, answering: str, is_another: bool
) -> None:
    model.script(says("Hello.", headers={"openai-model": answering}))
    await thread.say("Hello?")
    await thread.ended()
    told = [(each.from_model, each.to_model) for each in thread.params_of(MODEL_REROUTED)]
    assert told == ([("gpt-5.5", answering)] if is_another else [])
    warnings = [each.message for each in thread.params_of(WARNING)]
    assert any(answering in message for message in warnings) is is_another


async def test_the_limits_a_refusal_names_are_told_before_the_turn_fails(
    thread: Conversation, model: ScriptedModel
) -> None:
    body = {"error": {"type": "usage_limit_reached", "plan_type": "plus", "resets_at": 2000000000}}
    limits = {"x_codex_primary_used_percent": "100", "x_codex_primary_window_minutes": "300"}
    model.script(fails_with(429, body, **limits))
    await thread.say("Hello?")
    assert (await thread.ended()).status == "failed"
    (told,) = thread.params_of(ACCOUNT_RATE_LIMITS_UPDATED)
    assert told.rate_limits.primary.used_percent == 100
    told_in_order = thread.told(without=set())
    assert told_in_order.index("account/rateLimits/updated") < told_in_order.index("error")


async def test_a_refusal_of_the_service_fails_the_turn_and_the_next_one_works(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(fails_with(500), says("Fine now."))
    await thread.say("Hi.")
    failed = await thread.ended()
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.codex_error_info == "internalServerError"
    (error,) = thread.params_of(ERROR)
    assert (error.error, error.will_retry) == (failed.error, False)
    statuses = [params.status for params in thread.params_of(THREAD_STATUS_CHANGED)]
    assert statuses[-1] == SystemErrorThreadStatus()
    await thread.say("Again.")
    assert (await thread.ended()).status == "completed"


async def test_a_mistake_of_ours_fails_the_turn_by_its_kind_and_without_its_words(
    thread: Conversation, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(turn: Any) -> None:
        raise KeyError("sk-secret")

    with monkeypatch.context() as broken:
        broken.setattr("app_server.agent.turn.sample", fails)
        await thread.say("Hi.")
        failed = (await thread.ended()).error
    assert failed is not None
    assert failed.message == "internal error (KeyError): see the log"
    await thread.say("Again.")
    assert (await thread.ended()).status == "completed"


async def test_a_broken_stream_is_asked_for_again_and_the_user_is_told(
    model: ScriptedModel, codex_home: Path, connect: Connector
) -> None:
    provider_toml(model, home=codex_home, retries=1)
    thread = await Conversation.begin(await connect(), approval_policy="never")
    model.script(disconnects("half "), says("whole"))
    await thread.say("Hi.")
    assert (await thread.ended()).status == "completed"
    (error,) = thread.params_of(ERROR)
    assert error.will_retry
    assert error.error.message == "Reconnecting... 1/1"
    assert error.error.additional_details.startswith("stream disconnected before completion: ")


async def test_a_service_that_asks_for_a_long_wait_is_not_waited_for(
    model: ScriptedModel, codex_home: Path, connect: Connector
) -> None:
    provider_toml(model, home=codex_home, retries=1)
    thread = await Conversation.begin(await connect(), approval_policy="never")
    model.script(refuses("rate_limit_exceeded", "Rate limit reached: try again in 3600 seconds."))
    await thread.say("Hi.")
    failed = await thread.ended()
    assert failed.status == "failed"
    assert failed.error is not None
    assert "try again in 3600 seconds" in failed.error.message
    assert [error.will_retry for error in thread.params_of(ERROR)] == [False]


async def test_a_plan_is_shown_and_the_model_told_so(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(
        updates_plan(("Look", "completed"), ("Write", "in_progress"), explanation="Two steps"),
        says("Planned."),
    )
    await thread.say("Plan.")
    await thread.ended()
    (plan,) = thread.params_of(TURN_PLAN_UPDATED)
    assert plan.explanation == "Two steps"
    assert [(step.step, step.status) for step in plan.plan] == [
        ("Look", "completed"),
        ("Write", "inProgress"),
    ]
    _, second = await requests_seen(model, 2)
    assert second.body["input"][-1]["output"] == "Plan updated"


async def test_an_empty_message_is_answered_and_then_fails(thread: Conversation) -> None:
    turn_id = await thread.say()
    error = await thread.until(ERROR)
    assert (error.turn_id, error.error.message) == (turn_id, "input must not be empty")
    assert error.error.codex_error_info == "badRequest"


async def test_a_message_beyond_the_limit_is_refused_with_its_size(thread: Conversation) -> None:
    text = "x" * 1_048_577
    with pytest.raises(RpcError) as refused:
        await thread.say(text)
    assert refused.value.code == -32602
    assert refused.value.message == "Input exceeds the maximum length of 1048576 characters."
    assert refused.value.data["actual_chars"] == len(text)


async def test_a_thread_nobody_knows_takes_no_turns(connect: Connector) -> None:
    client = await connect()
    unknown = "01890000-0000-7000-8000-000000000000"
    with pytest.raises(RpcError, match=f"thread not found: {unknown}"):
        await client.request(TURN_START, TurnStartParams(thread_id=unknown, input=[]))
    with pytest.raises(RpcError, match="invalid thread id"):
        await client.request(TURN_START, TurnStartParams(thread_id="../../etc", input=[]))


async def test_what_is_shown_as_complete_is_on_disk_already(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(says("Kept."))
    await thread.say("Keep this.")
    await thread.until(
        ITEM_COMPLETED, lambda params: isinstance(params.item, AgentMessageThreadItem)
    )
    stored = thread.path.read_text()
    assert stored.endswith("\n")
    assert '"message":"Kept."' in stored
    assert '"message":"Keep this."' in stored


async def test_a_schema_holds_for_its_own_turn_only(
    thread: Conversation, model: ScriptedModel
) -> None:
    schema = {"type": "object"}
    await thread.say("One.", output_schema=schema)
    await thread.ended()
    await thread.say("Two.")
    await thread.ended()
    first, second = await requests_seen(model, 2)
    assert first.body["text"]["format"]["schema"] == schema
    assert "format" not in second.body["text"]


async def test_what_was_typed_into_a_turn_that_fails_is_kept(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(waits_at("gate", refuses("invalid_prompt", "No.")), says("Fine."))
    await thread.say("Start.")
    await requests_seen(model, 1)
    await thread.say("Also this.")
    model.release("gate")
    assert (await thread.ended()).status == "failed"
    await thread.say("Next.")
    await thread.ended()
    _, second = await requests_seen(model, 2)
    assert [text for _, text in messages(second.body)[2:]] == ["Start.", "Also this.", "Next."]
