"""A stored conversation in short, and what a folder holds that its remote does not."""

import os
import subprocess
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.legacy import (
    GET_CONVERSATION_SUMMARY,
    GIT_DIFF_TO_REMOTE,
    GetConversationSummaryParams,
    GitDiffToRemoteParams,
)
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml, says

UNKNOWN = "01890000-0000-7000-8000-000000000000"


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    run(folder, "add", "-A")
    run(folder, "commit", "-q", "-m", name)
    return run(folder, "rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose one commit its remote has."""
    remote = tmp_path / "remote"
    remote.mkdir()
    run(remote, "init", "-q", "-b", "main")
    commit(remote, "a.txt", "one\n")
    run(tmp_path, "clone", "-q", str(remote), "clone")
    return tmp_path / "clone"


async def test_a_conversation_is_found_by_its_id_and_by_its_file(
    connect: Connector, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    provider_toml(model, home=codex_home)
    model.script(says("an answer"))
    client = await connect()
    thread = await Conversation.begin(client)
    await thread.say("what it is about")
    await thread.ended()
    by_id = GetConversationSummaryParams(conversation_id=thread.thread_id)
    summary = (await client.request(GET_CONVERSATION_SUMMARY, by_id)).summary
    assert (summary.conversation_id, summary.path) == (thread.thread_id, str(thread.path))
    assert (summary.preview, summary.cwd) == ("what it is about", str(workspace))
    assert summary.timestamp is not None
    assert summary.updated_at is not None
    assert summary.timestamp[:10] <= summary.updated_at[:10]
    relative = thread.path.relative_to(codex_home)
    by_file = GetConversationSummaryParams(rollout_path=str(relative))
    assert (await client.request(GET_CONVERSATION_SUMMARY, by_file)).summary == summary


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"conversation_id": UNKNOWN}, f"no rollout found for conversation id {UNKNOWN}"),
        (
            {"rollout_path": "sessions/gone.jsonl"},
            "failed to resolve rollout path `/.*gone.jsonl`: No such file",
        ),
        ({}, "requires conversationId or rolloutPath"),
    ],
)
async def test_what_is_not_there_is_named(
    connect: Connector, params: dict[str, str], message: str
) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest, match=message):
        await client.request(GET_CONVERSATION_SUMMARY, GetConversationSummaryParams(**params))


async def test_the_diff_to_the_remote_has_commits_changes_and_new_files(
    connect: Connector, clone: Path
) -> None:
    pushed = run(clone, "rev-parse", "HEAD")
    commit(clone, "b.txt", "committed\n")
    commit(clone, "c.txt", "also\n")
    (clone / "a.txt").write_text("changed\n")
    (clone / "new.txt").write_text("new\n")
    client = await connect()
    found = await client.request(GIT_DIFF_TO_REMOTE, GitDiffToRemoteParams(cwd=str(clone)))
    assert found.sha == pushed
    for line in ("+committed", "+also", "-one", "+changed", "+new"):
        assert f"\n{line}\n" in found.diff


async def test_where_all_is_pushed_the_diff_is_what_is_not_committed(
    connect: Connector, clone: Path
) -> None:
    client = await connect()
    params = GitDiffToRemoteParams(cwd=str(clone))
    clean = await client.request(GIT_DIFF_TO_REMOTE, params)
    assert (clean.sha, clean.diff) == (run(clone, "rev-parse", "HEAD"), "")
    (clone / "a.txt").write_text("changed\n")
    assert "+changed" in (await client.request(GIT_DIFF_TO_REMOTE, params)).diff


async def test_without_a_remote_there_is_no_such_diff(connect: Connector, workspace: Path) -> None:
    client = await connect()
    for prepare in (lambda: None, lambda: run(workspace, "init", "-q")):
        prepare()
        with pytest.raises(InvalidRequest, match='failed to compute git diff to remote for cwd: "'):
            await client.request(GIT_DIFF_TO_REMOTE, GitDiffToRemoteParams(cwd=str(workspace)))
    commit(workspace, "a.txt", "one\n")
    with pytest.raises(InvalidRequest, match="failed to compute git diff"):
        await client.request(GIT_DIFF_TO_REMOTE, GitDiffToRemoteParams(cwd=str(workspace)))
