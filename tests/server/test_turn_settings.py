"""Settings a client gives with a turn: refused where they are not allowed or cannot be meant."""

from pathlib import Path

import pytest

from app_server.config import load
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import RpcError
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ReadOnlySandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml

DEMANDS = 'allowed_approval_policies = ["on-request"]\nallowed_sandbox_modes = ["read-only"]\n'


@pytest.fixture
async def thread(model: ScriptedModel, codex_home: Path, connect: Connector) -> Conversation:
    provider_toml(model, home=codex_home)
    return await Conversation.begin(await connect())


@pytest.fixture
def demands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "requirements.toml").write_text(DEMANDS)
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder)


async def test_a_writable_folder_must_be_absolute(thread: Conversation) -> None:
    policy = WorkspaceWriteSandboxPolicy(writable_roots=["src"])
    with pytest.raises(RpcError, match="writableRoots: `src` is not an absolute path"):
        await thread.say("Go.", sandbox_policy=policy)


async def test_what_an_administrator_does_not_allow_is_refused_and_changes_nothing(
    demands: None, thread: Conversation
) -> None:
    with pytest.raises(RpcError, match='`approval_policy` = "never" is not allowed'):
        await thread.say("Go.", approval_policy="never")
    with pytest.raises(RpcError, match='`sandbox_mode` = "danger-full-access" is not allowed'):
        await thread.say("Go.", sandbox_policy=DangerFullAccessSandboxPolicy())
    await thread.say("Go.", sandbox_policy=ReadOnlySandboxPolicy(), approval_policy="on-request")
    assert (await thread.ended()).status == "completed"
