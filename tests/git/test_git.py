"""Facts and diffs of repositories."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from app_server.git.command import git
from app_server.git.diff import working_tree_diff
from app_server.git.facts import RepositoryFacts, repository_facts, without_credentials


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(workspace: Path) -> Path:
    run(workspace, "init", "-q", "-b", "main")
    (workspace / "a.txt").write_text("one\n")
    (workspace / ".gitignore").write_text("*.log\n")
    run(workspace, "add", "-A")
    run(workspace, "commit", "-q", "-m", "start")
    return workspace


async def test_the_facts_are_branch_commit_and_remote(repository: Path) -> None:
    run(repository, "remote", "add", "origin", "https://user:secret@example.com/r.git")
    inner = repository / "inner"
    inner.mkdir()
    assert await repository_facts(inner) == RepositoryFacts(
        commit_hash=run(repository, "rev-parse", "HEAD"),
        branch="main",
        repository_url="https://example.com/r.git",
    )


async def test_a_detached_head_has_no_branch(repository: Path) -> None:
    run(repository, "checkout", "-q", "--detach")
    facts = await repository_facts(repository)
    assert facts is not None
    assert (facts.branch, facts.repository_url) == (None, None)


async def test_outside_of_a_repository_there_are_no_facts(workspace: Path) -> None:
    assert await repository_facts(workspace) is None
    assert await working_tree_diff(workspace) is None
    (workspace / ".git").write_text("nonsense")
    assert await repository_facts(workspace) is None
    assert await working_tree_diff(workspace) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@example.com/r.git", "https://example.com/r.git"),
        ("https://token@example.com/r.git", "https://example.com/r.git"),
        ("https://example.com/u@h/r.git", "https://example.com/u@h/r.git"),
        ("git@example.com:u/r.git", "git@example.com:u/r.git"),
        ("ssh://git@example.com/r.git", "ssh://git@example.com/r.git"),
        ("/local/path", "/local/path"),
    ],
)
def test_credentials_never_leave_a_url(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


async def test_the_diff_shows_changes_and_untracked_files_but_not_ignored_ones(
    repository: Path,
) -> None:
    (repository / "a.txt").write_text("two\n")
    (repository / "new é.txt").write_text("fresh\n")
    (repository / "noise.log").write_text("x\n")
    diff = await working_tree_diff(repository)
    assert diff is not None
    assert "-one\n+two\n" in diff
    assert "+fresh\n" in diff
    assert "noise" not in diff
    assert diff.index("+two") < diff.index("+fresh")


async def test_a_clean_tree_has_an_empty_diff(repository: Path) -> None:
    assert await working_tree_diff(repository) == ""


async def test_the_repositorys_own_diff_programs_are_not_run(repository: Path) -> None:
    mark = repository.parent / "ran"
    run(repository, "config", "diff.external", f"touch {mark}; true")
    (repository / "a.txt").write_text("two\n")
    assert "+two\n" in (await working_tree_diff(repository) or "")
    assert not mark.exists()


async def test_a_question_that_takes_too_long_is_given_up(repository: Path) -> None:
    assert await git(repository, "hash-object", "--stdin", timeout_seconds=30) is not None
    assert await git(repository, "no-such-command") is None
    async with asyncio.timeout(30):
        slow = await git(repository, "-c", "alias.s=!sleep 60", "s", timeout_seconds=0.05)
    assert slow is None
