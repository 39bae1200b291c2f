"""A model that leaves terminals open is told before the first of them is ended for it."""

from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.exec import sessions
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, requests_seen, runs_command, says


async def test_the_model_is_warned_when_so_many_terminals_are_open_that_one_will_be_ended(
    model: ScriptedModel,
    codex_home: Path,
    connect: Connector,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MANY_SESSIONS", 2)
    provider_toml(model, home=codex_home)
    thread = await Conversation.begin(
        await connect(),
        cwd=str(workspace),
        approval_policy="never",
        sandbox="danger-full-access",
    )
    model.script(
        runs_command("sleep 60", yield_time_ms=0),
        runs_command("sleep 61", yield_time_ms=0),
        runs_command("true"),
        says("Done."),
    )
    await thread.say("Run.")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    inputs = [str(request.body["input"]) for request in await requests_seen(model, 4)]
    warning = "Warning: 2 terminals are open. At most 64 are kept"
    assert [text.count(warning) for text in inputs] == [0, 0, 1, 1]
