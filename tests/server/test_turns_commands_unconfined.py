"""Commands of the model that cannot be confined, and those that were allowed for good."""

from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    AcceptWithExecpolicyAmendment,
    AmendingCommandExecutionApprovalDecision,
)
from app_server.protocol.permissions import DangerFullAccessSandboxPolicy, SandboxPolicy
from app_server.sandbox import launch
from app_server.sandbox.errors import SandboxUnavailable
from tests.server.conftest import Connector
from tests.server.test_turns_commands import answer, asking, ended, last_output, thread
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml, runs_command, says

__all__ = ["asking", "thread"]


async def test_a_command_that_cannot_be_confined_is_put_to_the_user_as_unconfined(
    model: ScriptedModel,
    codex_home: Path,
    connect: Connector,
    workspace: Path,
    no_sandbox: None,
) -> None:
    provider_toml(model, home=codex_home)
    model.script(runs_command("touch made.txt"), says("Done."))
    thread = await Conversation.begin(
        await connect(), cwd=str(workspace), approval_policy="on-request", sandbox="workspace-write"
    )
    await thread.say("Go.")
    question = await answer(thread, "accept")
    params: Any = question.params
    assert "without a sandbox" in params.reason
    assert "Install bubblewrap." in params.reason
    assert await ended(thread) == "completed"
    assert (workspace / "made.txt").exists()


async def test_a_command_that_cannot_be_confined_does_not_run_where_nobody_is_asked(
    model: ScriptedModel,
    codex_home: Path,
    connect: Connector,
    workspace: Path,
    no_sandbox: None,
) -> None:
    provider_toml(model, home=codex_home)
    model.script(runs_command("touch made.txt"), says("Pity."))
    thread = await Conversation.begin(
        await connect(), cwd=str(workspace), approval_policy="never", sandbox="workspace-write"
    )
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert "Install bubblewrap." in await last_output(model, 2)
    assert not (workspace / "made.txt").exists()


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing can be confined."""
    prepare = launch.prepare

    def refuse(policy: SandboxPolicy, *args: Any, **options: Any) -> launch.PreparedCommand:
        if isinstance(policy, DangerFullAccessSandboxPolicy):
            return prepare(policy, *args, **options)
        raise SandboxUnavailable("bubblewrap is not installed", "Install bubblewrap.")

    monkeypatch.setattr(launch, "prepare", refuse)


async def test_commands_that_begin_like_an_allowed_one_are_not_asked_about_again(
    asking: Conversation, model: ScriptedModel
) -> None:
    model.script(
        runs_command("touch made.txt", call_id="1"),
        runs_command("touch made.txt other.txt && touch made.txt", call_id="2"),
        runs_command("touch made.txt && touch elsewhere.txt", call_id="3"),
        says("Done."),
    )
    await asking.say("Go.")
    amended = AmendingCommandExecutionApprovalDecision(
        accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment(
            execpolicy_amendment=["touch", "made.txt"]
        )
    )
    await answer(asking, amended)
    third = await answer(asking, "decline")
    params: Any = third.params
    assert params.item_id == "3"
    assert await ended(asking) == "completed"
