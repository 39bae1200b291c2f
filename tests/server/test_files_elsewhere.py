"""Patches and pictures reach the files of the place where commands run, and no others.

The service runs in a view of the file system of its own, in which the workspace is another folder.
"""

from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.exec import remote
from app_server.exec_server.client import ExecServerClient
from app_server.exec_server.websocket_client import connect_websocket
from app_server.protocol.approvals import (
    ITEM_FILE_CHANGE_REQUEST_APPROVAL,
    FileChangeApprovalDecision,
    FileChangeRequestApprovalResponse,
)
from app_server.protocol.turn import TURN_DIFF_UPDATED
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    applies_patch,
    calls_tool,
    requests_seen,
    says,
    waits_at,
)

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


@pytest.fixture
def connect(elsewhere: Connector) -> Connector:
    return elsewhere


async def begun(connect: Connector, workspace: Path, **settings: object) -> Conversation:
    chosen = {"approval_policy": "on-request", "sandbox": "workspace-write", **settings}
    return await Conversation.begin(await connect(), cwd=str(workspace), **chosen)


def patch(body: str) -> str:
    return f"*** Begin Patch\n{body}*** End Patch"


async def told_the_model(model: ScriptedModel, count: int) -> str:
    output = (await requests_seen(model, count))[-1].body["input"][-1]["output"]
    return str(output)


async def test_a_patch_changes_the_files_there_with_the_events_of_one_here(
    connect: Connector, model: ScriptedModel, workspace: Path, there: Path
) -> None:
    (there / "old.txt").write_text("one\ntwo\n")
    (there / "run.sh").write_text("echo\n")
    (there / "run.sh").chmod(0o755)
    (workspace / "old.txt").write_text("here\n")
    body = (
        "*** Add File: new/a.txt\n+a\n"
        "*** Update File: old.txt\n@@\n one\n-two\n+2\n"
        "*** Update File: run.sh\n*** Move to: bin/run.sh\n@@\n-echo\n+echo hi\n"
    )
    thread = await begun(connect, workspace)
    model.script(applies_patch(patch(body)), says("Done."))
    await thread.say("Patch.")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    assert (there / "new/a.txt").read_text() == "a\n"
    assert (there / "old.txt").read_text() == "one\n2\n"
    assert (there / "bin/run.sh").read_text() == "echo hi\n"
    assert (there / "bin/run.sh").stat().st_mode & 0o111 == 0o111
    assert not (there / "run.sh").exists()
    assert (workspace / "old.txt").read_text() == "here\n"
    assert sorted(path.name for path in workspace.iterdir()) == ["old.txt"]
    summary = "Success. Updated the following files:\nA new/a.txt\nM old.txt\nM bin/run.sh\n"
    assert [line for line in thread.told() if "fileChange" in line] == [
        "item/started fileChange inProgress",
        f"item/fileChange/outputDelta {summary!r}",
        "item/completed fileChange completed",
    ]
    diff = thread.params_of(TURN_DIFF_UPDATED)[-1].diff
    assert "-two\n+2\n" in diff
    assert "-echo\n+echo hi\n" in diff


async def test_a_patch_that_does_not_fit_the_files_there_changes_nothing(
    connect: Connector, model: ScriptedModel, workspace: Path, there: Path
) -> None:
    (workspace / "old.txt").write_text("one\n")
    body = "*** Update File: old.txt\n@@\n-one\n+1\n"
    thread = await begun(connect, workspace)
    model.script(applies_patch(patch(body)), says("It cannot be done."))
    await thread.say("Patch.")
    await thread.ended(PROCESS_WAIT_SECONDS)
    assert await told_the_model(model, 2) == (
        "apply_patch verification failed: Failed to read file to update "
        f"{workspace}/old.txt: No such file or directory (os error 2)"
    )
    assert (workspace / "old.txt").read_text() == "one\n"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[ExecServerClient]:
    """All that were made to the service."""
    made: list[ExecServerClient] = []

    async def connected(url: str, **options: Any) -> ExecServerClient:
        made.append(await connect_websocket(url, **options))
        return made[-1]

    monkeypatch.setattr(remote, "connect_websocket", connected)
    return made


async def test_after_a_lost_connection_the_diff_of_the_turn_still_tells_all_of_it(
    connect: Connector,
    model: ScriptedModel,
    workspace: Path,
    there: Path,
    connections: list[ExecServerClient],
) -> None:
    (there / "old.txt").write_text("one\n")
    body = "*** Update File: old.txt\n@@\n-{}\n+{}\n"
    model.script(
        applies_patch(patch(body.format("one", "two"))),
        waits_at("lost", applies_patch(patch(body.format("two", "three")))),
        says("Done."),
    )
    thread = await begun(connect, workspace)
    await thread.say("Patch twice.")
    await requests_seen(model, 2)
    await connections[0].close()
    model.release("lost")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    assert (there / "old.txt").read_text() == "three\n"
    assert "-one\n+three\n" in thread.params_of(TURN_DIFF_UPDATED)[-1].diff


async def test_where_the_files_cannot_be_reached_nothing_is_said_of_them(
    connect: Connector,
    model: ScriptedModel,
    workspace: Path,
    there: Path,
    connections: list[ExecServerClient],
) -> None:
    (there / "old.txt").write_text("one\n")
    model.script(
        applies_patch(patch("*** Update File: old.txt\n@@\n-one\n+two\n")),
        applies_patch(patch("*** Add File: .git/config\n+a\n")),
        says("It cannot be done."),
    )
    thread = await begun(connect, workspace)
    await thread.say("Patch twice.")
    asked = await thread.until(
        ITEM_FILE_CHANGE_REQUEST_APPROVAL, within_seconds=PROCESS_WAIT_SECONDS
    )
    await connections[0].close()
    await thread.client.answer(asked.id, FileChangeRequestApprovalResponse(decision="accept"))
    await thread.ended(PROCESS_WAIT_SECONDS)
    assert "transport closed" in await told_the_model(model, 3)
    assert "-one\n+two\n" in thread.params_of(TURN_DIFF_UPDATED)[-1].diff


@pytest.mark.parametrize("decision", ["accept", "decline"])
async def test_what_a_link_there_leads_out_of_the_workspace_is_asked_about(
    connect: Connector,
    model: ScriptedModel,
    workspace: Path,
    there: Path,
    tmp_path: Path,
    decision: FileChangeApprovalDecision,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (there / "door").symlink_to(outside)
    body = "*** Add File: door/a.txt\n+a\n"
    thread = await begun(
        connect,
        workspace,
        config={"sandbox_workspace_write": {"exclude_slash_tmp": True}},
    )
    model.script(applies_patch(patch(body)), says("Done."))
    await thread.say("Patch.")
    asked = await thread.until(
        ITEM_FILE_CHANGE_REQUEST_APPROVAL, within_seconds=PROCESS_WAIT_SECONDS
    )
    assert asked.params.reason == f"{workspace}/door/a.txt leads to {outside}/a.txt."
    assert not (outside / "a.txt").exists()
    await thread.client.answer(asked.id, FileChangeRequestApprovalResponse(decision=decision))
    await thread.ended(PROCESS_WAIT_SECONDS)
    assert (outside / "a.txt").exists() == (decision == "accept")


@pytest.mark.parametrize(
    "path",
    ["../outside.txt", ".git/config", ".codex/config.toml", "dangling"],
)
async def test_where_nobody_is_asked_nothing_outside_the_workspace_there_is_written(
    connect: Connector,
    model: ScriptedModel,
    workspace: Path,
    there: Path,
    tmp_path: Path,
    path: str,
) -> None:
    (there / ".git").mkdir()
    (there / "dangling").symlink_to(tmp_path / "outside.txt")
    thread = await begun(
        connect,
        workspace,
        approval_policy="never",
        config={"sandbox_workspace_write": {"exclude_slash_tmp": True}},
    )
    model.script(applies_patch(patch(f"*** Add File: {path}\n+a\n")), says("It cannot be done."))
    await thread.say("Patch.")
    await thread.ended(PROCESS_WAIT_SECONDS)
    told = await told_the_model(model, 2)
    assert "writing outside of the project" in told or "leads nowhere" in told
    assert not (tmp_path / "outside.txt").exists()
    assert list((there / ".git").iterdir()) == []
    assert not (there / ".codex").exists()


async def test_a_picture_is_that_of_the_other_machine(
    connect: Connector, model: ScriptedModel, workspace: Path, there: Path
) -> None:
    (there / "dot.png").write_bytes(PIXEL)
    (there / "large.png").write_bytes(PIXEL + bytes(5 * 1024 * 1024))
    (workspace / "here.png").write_bytes(PIXEL)
    thread = await begun(connect, workspace)
    for name in ("dot.png", "large.png", "here.png"):
        model.script(calls_tool("view_image", {"path": name}), says("Seen."))
        await thread.say("Look.")
        await thread.ended(PROCESS_WAIT_SECONDS)
    seen = await requests_seen(model, 6)
    small, large, missing = (seen[at].body["input"][-1]["output"] for at in (1, 3, 5))
    assert small[0]["image_url"].startswith("data:image/png;base64,iVBOR")
    assert len(large[0]["image_url"]) > 5 * 1024 * 1024
    assert missing == (
        f"unable to locate image at `{workspace}/here.png`: No such file or directory (os error 2)"
    )
