"""What a terminal shows of patches beyond what other clients get: previews, and those that fail."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.item import (
    ITEM_COMPLETED,
    ITEM_STARTED,
    AddPatchChangeKind,
    FileChangeThreadItem,
    FileUpdateChange,
    UpdatePatchChangeKind,
)
from app_server.protocol.item_deltas import (
    ITEM_FILE_CHANGE_OUTPUT_DELTA,
    ITEM_FILE_CHANGE_PATCH_UPDATED,
)
from app_server.protocol.thread_history import THREAD_READ, ThreadReadParams
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import applies_patch, provider_toml, says

ADD = "*** Begin Patch\n*** Add File: new.txt\n+alpha\n+beta\n*** End Patch\n"
MISFIT = "*** Begin Patch\n*** Update File: a.txt\n@@\n-nope\n+yes\n*** End Patch\n"


@pytest.fixture
async def server(codex_home: Path, workspace: Path) -> AsyncIterator[Server]:
    options = ServerOptions(codex_home=codex_home, cwd=workspace, session_source="cli")
    async with Server(options) as running:
        yield running


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Any:
    provider_toml(model, home=codex_home)
    return await connect()


async def patched(client: Any, workspace: Path) -> Conversation:
    thread = await Conversation.begin(
        client, cwd=str(workspace), approval_policy="never", sandbox="danger-full-access"
    )
    await thread.say("Edit.")
    assert (await thread.ended()).status == "completed"
    return thread


def patches(thread: Conversation, row: Any) -> list[FileChangeThreadItem]:
    items = [params.item for params in thread.params_of(row)]
    return [item for item in items if isinstance(item, FileChangeThreadItem)]


async def test_a_patch_that_does_not_fit_is_a_failed_change_with_its_reason(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    (workspace / "a.txt").write_text("one\n")
    model.script(applies_patch(MISFIT, call_id="call_1"), says("Could not."))
    thread = await patched(client, workspace)
    wanted = FileChangeThreadItem(
        id="call_1",
        changes=[
            FileUpdateChange(
                path=str(workspace / "a.txt"),
                kind=UpdatePatchChangeKind(),
                diff="@@ -1,1 +1,1 @@\n-nope\n+yes\n",
            )
        ],
        status="inProgress",
    )
    assert patches(thread, ITEM_STARTED) == [wanted]
    reason = f"Failed to find expected lines in {workspace}/a.txt:\nnope\n"
    failed = msgspec.structs.replace(wanted, status="failed", error=reason)
    assert patches(thread, ITEM_COMPLETED) == [failed]
    (said,) = thread.params_of(ITEM_FILE_CHANGE_OUTPUT_DELTA)
    assert said.delta == reason
    read = await thread.call(
        THREAD_READ, ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    )
    stored = [item for turn in read.thread.turns for item in turn.items]
    assert failed in stored


async def test_a_text_that_is_no_patch_is_a_failed_change_of_nothing(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(applies_patch("no patch at all"), says("Could not."))
    thread = await patched(client, workspace)
    (item,) = patches(thread, ITEM_COMPLETED)
    assert (item.changes, item.status) == ([], "failed")
    (said,) = thread.params_of(ITEM_FILE_CHANGE_OUTPUT_DELTA)
    assert said.delta.startswith("invalid patch: ")


async def test_a_patch_is_shown_while_the_model_writes_it(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(applies_patch(ADD, call_id="call_1", chunk=5), says("Done."))
    thread = await patched(client, workspace)
    first = thread.params_of(ITEM_FILE_CHANGE_PATCH_UPDATED)[0]
    assert first.item_id == "call_1"
    assert first.changes == [
        FileUpdateChange(path=str(workspace / "new.txt"), kind=AddPatchChangeKind(), diff="")
    ]


async def test_previews_come_no_faster_than_eyes_can_read(
    client: Any, workspace: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.script(applies_patch(ADD, chunk=5), says("Done."), applies_patch(ADD, chunk=5), says("."))
    monkeypatch.setattr("app_server.agent.patch_preview.TOLD_EVERY_SECONDS", 1e9)
    thread = await patched(client, workspace)
    assert len(thread.params_of(ITEM_FILE_CHANGE_PATCH_UPDATED)) == 1
    monkeypatch.setattr("app_server.agent.patch_preview.TOLD_EVERY_SECONDS", 0)
    await thread.say("Again.")
    assert (await thread.ended()).status == "completed"
    assert [params.changes[0].diff for params in thread.params_of(ITEM_FILE_CHANGE_PATCH_UPDATED)][
        1:
    ] == ["", "alpha\n", "alpha\nbeta\n"]
