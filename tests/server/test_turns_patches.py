"""Patches the model applies: checked first, asked about where they must be, shown as they are."""

import re
from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.ids import uuid4
from app_server.protocol.approvals import (
    ITEM_FILE_CHANGE_REQUEST_APPROVAL,
    FileChangeRequestApprovalResponse,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.item import ITEM_COMPLETED, ITEM_STARTED, FileChangeThreadItem
from app_server.protocol.item_deltas import (
    ITEM_FILE_CHANGE_OUTPUT_DELTA,
    ITEM_FILE_CHANGE_PATCH_UPDATED,
)
from app_server.protocol.method import ServerNotification
from app_server.protocol.turn import TURN_DIFF_UPDATED
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    applies_patch,
    calls_tool,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

ADD = "*** Begin Patch\n*** Add File: {}\n+alpha\n+beta\n*** End Patch\n"
REQUEST = ITEM_FILE_CHANGE_REQUEST_APPROVAL


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Any:
    provider_toml(model, home=codex_home)
    return await connect()


async def thread_under(client: Any, workspace: Path, approvals: str, sandbox: str) -> Conversation:
    return await Conversation.begin(
        client, cwd=str(workspace), approval_policy=approvals, sandbox=sandbox
    )


def patches(thread: Conversation, row: ServerNotification[Any]) -> list[FileChangeThreadItem]:
    return [
        params.item
        for params in thread.params_of(row)
        if isinstance(params.item, FileChangeThreadItem)
    ]


async def told_to_model(model: ScriptedModel, requests: int) -> str:
    seen = await requests_seen(model, requests)
    output: str = seen[-1].body["input"][-1]["output"]
    return output


async def answer(thread: Conversation, decision: Any) -> None:
    question = await thread.until(REQUEST, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.client.answer(question.id, FileChangeRequestApprovalResponse(decision=decision))


async def test_a_patch_inside_the_workspace_is_applied_unasked_and_shown_whole(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    (workspace / "a.txt").write_text("one\ntwo\nthree\n")
    (workspace / "b.txt").write_text("bye\n")
    patch = (
        "*** Begin Patch\n*** Update File: a.txt\n@@\n one\n-two\n+TWO\n three\n"
        "*** Delete File: b.txt\n*** End Patch\n"
    )
    model.script(applies_patch(patch, call_id="p1"), says("Edited."))
    thread = await thread_under(client, workspace, "on-request", "workspace-write")
    await thread.say("Edit.")
    assert (await thread.ended()).status == "completed"
    assert thread.params_of(REQUEST) == []
    (begun,), (done,) = patches(thread, ITEM_STARTED), patches(thread, ITEM_COMPLETED)
    assert (begun.status, done.status) == ("inProgress", "completed")
    assert [change.diff for change in done.changes] == [
        "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n",
        "bye\n",
    ]
    summary = "Success. Updated the following files:\nM a.txt\nD b.txt\n"
    assert [params.delta for params in thread.params_of(ITEM_FILE_CHANGE_OUTPUT_DELTA)] == [summary]
    told = await told_to_model(model, 2)
    assert re.sub(r"[\d.]+ seconds", "0 seconds", told) == (
        f"Exit code: 0\nWall time: 0 seconds\nOutput:\n{summary}"
    )
    assert (workspace / "a.txt").read_text() == "one\nTWO\nthree\n"
    assert not (workspace / "b.txt").exists()
    diffs = [params.diff for params in thread.params_of(TURN_DIFF_UPDATED)]
    assert len(diffs) == 3
    assert len(set(diffs)) == 1
    assert "-two\n+TWO\n" in diffs[0]


async def test_under_untrusted_every_patch_is_asked_about_once_per_file(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(
        applies_patch(ADD.format("new.txt"), call_id="1"),
        applies_patch(ADD.format("new.txt"), call_id="2"),
        applies_patch(ADD.format("other.txt"), call_id="3"),
        says("Done."),
    )
    thread = await thread_under(client, workspace, "untrusted", "danger-full-access")
    await thread.say("Add.")
    await answer(thread, "acceptForSession")
    await answer(thread, "accept")
    assert (await thread.ended()).status == "completed"
    assert [question.item_id for question in thread.params_of(REQUEST)] == ["1", "3"]
    assert [item.status for item in patches(thread, ITEM_COMPLETED)] == ["completed"] * 3


@pytest.mark.parametrize(
    ("decision", "turn_ends"), [("decline", "completed"), ("cancel", "interrupted")]
)
async def test_a_declined_patch_completes_once_and_changes_nothing(
    client: Any, workspace: Path, model: ScriptedModel, decision: str, turn_ends: str
) -> None:
    model.script(applies_patch(ADD.format("new.txt")), says("Pity."))
    thread = await thread_under(client, workspace, "on-request", "read-only")
    await thread.say("Add.")
    await answer(thread, decision)
    assert (await thread.ended()).status == turn_ends
    assert [item.status for item in patches(thread, ITEM_COMPLETED)] == ["declined"]
    assert not (workspace / "new.txt").exists()
    if decision == "decline":
        assert await told_to_model(model, 2) == "patch rejected by user"


async def test_an_error_instead_of_an_answer_leaves_the_files_alone(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(applies_patch(ADD.format("new.txt")), says("Pity."))
    thread = await thread_under(client, workspace, "untrusted", "workspace-write")
    await thread.say("Add.")
    question = await thread.until(REQUEST)
    await thread.client.refuse(question.id, RpcError(-1, "no"))
    assert (await thread.ended()).status == "completed"
    assert [item.status for item in patches(thread, ITEM_COMPLETED)] == ["failed"]
    assert not (workspace / "new.txt").exists()


@pytest.mark.parametrize(
    "place", ["/var/tmp/codex-outside.txt", ".git/hooks/pre-commit", ".codex/config.toml"]
)
async def test_under_never_nothing_outside_the_writable_folders_is_patched(
    client: Any, workspace: Path, model: ScriptedModel, place: str
) -> None:
    (workspace / ".git").mkdir()
    model.script(applies_patch(ADD.format(place)), says("No."))
    thread = await thread_under(client, workspace, "never", "workspace-write")
    await thread.say("Add.")
    assert (await thread.ended()).status == "completed"
    assert await told_to_model(model, 2) == (
        "patch rejected: writing outside of the project; rejected by user approval settings"
    )
    assert not (workspace / place).exists()
    assert patches(thread, ITEM_STARTED) == []


async def test_a_link_in_the_workspace_does_not_lead_a_patch_outside(
    client: Any, workspace: Path, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = Path("/var/tmp") / f"codex-outside-{uuid4()}"
    outside.mkdir(exist_ok=True)
    (workspace / "link").symlink_to(outside)
    model.script(applies_patch(ADD.format("link/new.txt")), says("No."))
    thread = await thread_under(client, workspace, "never", "workspace-write")
    await thread.say("Add.")
    await thread.ended()
    try:
        assert list(outside.iterdir()) == []
    finally:
        outside.rmdir()


async def test_a_linked_file_is_patched_where_it_leads_once_the_person_knows_and_agrees(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    outside = Path("/var/tmp") / f"codex-linked-{uuid4()}.txt"
    outside.write_text("old\n")
    (workspace / "link.txt").symlink_to(outside)
    patch = "*** Begin Patch\n*** Update File: link.txt\n@@\n-old\n+new\n*** End Patch\n"
    model.script(applies_patch(patch), says("Done."))
    thread = await thread_under(client, workspace, "on-request", "workspace-write")
    await thread.say("Edit.")
    await answer(thread, "accept")
    try:
        assert (await thread.ended()).status == "completed"
        (question,) = thread.params_of(REQUEST)
        assert question.reason == f"{workspace / 'link.txt'} leads to {outside}."
        assert outside.read_text() == "new\n"
        assert (workspace / "link.txt").is_symlink()
    finally:
        outside.unlink()


async def test_a_link_changed_after_the_yes_leads_no_patch_elsewhere(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    agreed, other = (Path("/var/tmp") / f"codex-{name}-{uuid4()}.txt" for name in ("a", "b"))
    for path in (agreed, other):
        path.write_text("old\n")
    (workspace / "link.txt").symlink_to(agreed)
    patch = "*** Begin Patch\n*** Update File: link.txt\n@@\n-old\n+new\n*** End Patch\n"
    model.script(applies_patch(patch), says("No."))
    thread = await thread_under(client, workspace, "on-request", "workspace-write")
    await thread.say("Edit.")
    question = await thread.until(REQUEST, within_seconds=PROCESS_WAIT_SECONDS)
    (workspace / "link.txt").unlink()
    (workspace / "link.txt").symlink_to(other)
    await thread.client.answer(question.id, FileChangeRequestApprovalResponse(decision="accept"))
    try:
        await thread.ended()
        (done,) = patches(thread, ITEM_COMPLETED)
        assert done.status == "failed"
        assert [path.read_text() for path in (agreed, other)] == ["old\n", "old\n"]
    finally:
        agreed.unlink()
        other.unlink()


@pytest.mark.parametrize(
    "change", ["*** Delete File: {}\n", "*** Update File: {}\n*** Move to: b.txt\n@@\n-old\n+new\n"]
)
async def test_a_link_outside_that_leads_into_the_workspace_is_not_removed_unasked(
    client: Any, workspace: Path, model: ScriptedModel, change: str
) -> None:
    (workspace / "a.txt").write_text("old\n")
    link = Path("/var/tmp") / f"codex-link-{uuid4()}"
    link.symlink_to(workspace / "a.txt")
    patch = f"*** Begin Patch\n{change.format(link)}*** End Patch\n"
    model.script(applies_patch(patch), says("No."))
    thread = await thread_under(client, workspace, "never", "workspace-write")
    await thread.say("Remove.")
    await thread.ended()
    try:
        assert link.is_symlink()
        assert "writing outside of the project" in await told_to_model(model, 2)
    finally:
        link.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (
            "*** Begin Patch\n*** Update File: a.txt\n@@\n-nope\n+yes\n*** End Patch\n",
            "apply_patch verification failed: Failed to find expected lines in {cwd}/a.txt:\nnope",
        ),
        (
            "*** Begin Patch\n*** Update File: missing.txt\n@@\n-nope\n+yes\n*** End Patch\n",
            "apply_patch verification failed: Failed to read file to update {cwd}/missing.txt: "
            "No such file or directory (os error 2)",
        ),
        (
            "not a patch at all",
            "apply_patch verification failed: invalid patch: The first line of the patch must be "
            "'*** Begin Patch'",
        ),
    ],
)
async def test_a_patch_that_does_not_fit_is_explained_to_the_model_and_shown_to_nobody(
    client: Any, workspace: Path, model: ScriptedModel, patch: str, told: str
) -> None:
    (workspace / "a.txt").write_text("one\n")
    model.script(applies_patch(patch), says("Could not."))
    thread = await thread_under(client, workspace, "never", "danger-full-access")
    await thread.say("Edit.")
    assert (await thread.ended()).status == "completed"
    assert await told_to_model(model, 2) == told.format(cwd=workspace)
    assert patches(thread, ITEM_STARTED) == []


async def test_a_model_that_only_calls_functions_can_patch_too(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(calls_tool("apply_patch", {"input": ADD.format("new.txt")}), says("Done."))
    thread = await Conversation.begin(
        client,
        cwd=str(workspace),
        model="some-local-model",
        approval_policy="never",
        sandbox="danger-full-access",
    )
    await thread.say("Add.")
    assert (await thread.ended()).status == "completed"
    assert (workspace / "new.txt").read_text() == "alpha\nbeta\n"
    first, _ = await requests_seen(model, 2)
    (tool,) = [each for each in first.body["tools"] if each["name"] == "apply_patch"]
    assert tool["type"] == "function"


async def test_a_shell_call_that_only_applies_a_patch_is_treated_as_one(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    script = f"apply_patch <<'EOF'\n{ADD.format('new.txt')}EOF\n"
    model.script(runs_command(script), says("Done."))
    thread = await thread_under(client, workspace, "on-request", "workspace-write")
    await thread.say("Add.")
    assert (await thread.ended()).status == "completed"
    assert (workspace / "new.txt").read_text() == "alpha\nbeta\n"
    assert [item.status for item in patches(thread, ITEM_COMPLETED)] == ["completed"]
    assert "Success. Updated the following files:" in await told_to_model(model, 2)


@pytest.mark.parametrize("wanted", [False, True])
async def test_a_patch_is_previewed_only_with_the_feature(
    connect: Connector, codex_home: Path, workspace: Path, model: ScriptedModel, wanted: bool
) -> None:
    provider_toml(model, home=codex_home)
    config = codex_home / "config.toml"
    feature = f"\n[features]\napply_patch_streaming_events = {str(wanted).lower()}\n"
    config.write_text(config.read_text() + feature)
    model.script(applies_patch(ADD.format("new.txt"), chunk=5), says("Done."))
    thread = await thread_under(await connect(), workspace, "never", "danger-full-access")
    await thread.say("Edit.")
    assert (await thread.ended()).status == "completed"
    assert bool(thread.params_of(ITEM_FILE_CHANGE_PATCH_UPDATED)) is wanted
