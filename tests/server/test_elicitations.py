"""Questions a client puts to its user by itself: waiting for commands stands still meanwhile."""

from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.thread_shell import (
    THREAD_DECREMENT_ELICITATION,
    THREAD_INCREMENT_ELICITATION,
    ThreadDecrementElicitationParams,
    ThreadIncrementElicitationParams,
)
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, requests_seen, runs_command, says


async def test_questions_are_counted_and_never_fewer_than_none(
    connect: Connector, codex_home: Path, model: ScriptedModel
) -> None:
    provider_toml(model, home=codex_home)
    thread = await Conversation.begin(await connect())
    more = ThreadIncrementElicitationParams(thread_id=thread.thread_id)
    less = ThreadDecrementElicitationParams(thread_id=thread.thread_id)
    counts = [
        await thread.call(THREAD_INCREMENT_ELICITATION, more),
        await thread.call(THREAD_INCREMENT_ELICITATION, more),
        await thread.call(THREAD_DECREMENT_ELICITATION, less),
        await thread.call(THREAD_DECREMENT_ELICITATION, less),
    ]
    assert [(told.count, told.paused) for told in counts] == [
        (1, True),
        (2, True),
        (1, True),
        (0, False),
    ]
    with pytest.raises(InvalidRequest, match="out-of-band elicitation count is already zero"):
        await thread.call(THREAD_DECREMENT_ELICITATION, less)


async def test_a_command_is_waited_for_beyond_its_time_while_a_question_is_open(
    connect: Connector, codex_home: Path, model: ScriptedModel
) -> None:
    provider_toml(model, home=codex_home)
    model.script(runs_command("sleep 0.6; echo late", yield_time_ms=250), says("done"))
    thread = await Conversation.begin(
        await connect(), sandbox="danger-full-access", approval_policy="never"
    )
    params = ThreadIncrementElicitationParams(thread_id=thread.thread_id)
    await thread.call(THREAD_INCREMENT_ELICITATION, params)
    await thread.say("run it")
    await thread.ended(PROCESS_WAIT_SECONDS)
    (_, after) = await requests_seen(model, 2)
    output = str(after.body["input"][-1]["output"])
    assert "late" in output
    assert "Process exited with code 0" in output
