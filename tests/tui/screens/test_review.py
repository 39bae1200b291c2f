"""/review: what is reviewed is chosen from what git knows, or said."""

from pathlib import Path

from app_server.protocol.review import (
    REVIEW_START,
    BaseBranchReviewTarget,
    CommitReviewTarget,
    CustomReviewTarget,
    ReviewTarget,
    UncommittedChangesReviewTarget,
)
from tests.tui.screens.session import Session, session
from tests.tui.screens.test_diff import GitServer, git

SIGNS = """#!/bin/sh
touch {mark}
cat > /dev/null
printf '\\n[GNUPG:] SIG_CREATED \\n' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'
"""
"""What a repository may name as the program for signatures."""


def repository(folder: Path) -> Path:
    folder = folder / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Locks come first")
    git(folder, "checkout", "-q", "-b", "older-work")
    git(folder, "checkout", "-q", "-b", "topic")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Names in order")
    return folder


async def reviewed(s: Session) -> ReviewTarget:
    await s.until(lambda: s.requests(REVIEW_START.name))
    (asked,) = s.requests(REVIEW_START.name)
    target: ReviewTarget = asked.target
    return target


async def test_uncommitted_changes_come_first(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("/review")
        await s.see("› 1. Uncommitted changes")
        await s.press("enter")
        assert await reviewed(s) == UncommittedChangesReviewTarget()


async def test_a_branch_to_compare_with_is_found_by_its_letters(
    codex_home: Path, tmp_path: Path
) -> None:
    folder = repository(tmp_path)
    async with session(codex_home, GitServer(str(folder)), cwd=str(folder)) as s:
        await s.say("/review")
        await s.see("Against a branch")
        await s.press("2")
        await s.see("What topic adds to")
        assert "older-work" in s.text
        await s.type("mai")
        await s.until(lambda: "older-work" not in s.text)
        await s.press("enter")
        assert await reviewed(s) == BaseBranchReviewTarget(branch="main")


async def test_a_commit_is_chosen_by_its_title_and_nothing_of_the_repository_is_run(
    codex_home: Path, tmp_path: Path
) -> None:
    folder = repository(tmp_path)
    mark = tmp_path / "was-run"
    program = tmp_path / "gpg"
    program.write_text(SIGNS.format(mark=mark))
    program.chmod(0o755)
    git(folder, "config", "gpg.program", str(program))
    git(folder, "config", "log.showSignature", "true")
    git(folder, "commit", "-q", "-S", "--allow-empty", "-m", "Signed and sealed")
    mark.unlink()
    async with session(codex_home, GitServer(str(folder)), cwd=str(folder)) as s:
        await s.say("/review")
        await s.see("A commit")
        await s.press("3")
        await s.see("Signed and sealed")
        await s.press("down", "enter")
        target = await reviewed(s)
        assert isinstance(target, CommitReviewTarget)
        assert (len(target.sha), target.title) == (40, "Names in order")
        assert not mark.exists()


async def test_words_behind_the_command_are_what_is_looked_at(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("/review")
        await s.see("Something else")
        await s.press("4")
        await s.until(lambda: s.draft == "/review ")
        await s.say("the locking only")
        assert await reviewed(s) == CustomReviewTarget(instructions="the locking only")


async def test_leaving_the_branches_leads_back_and_leaving_again_reviews_nothing(
    codex_home: Path, tmp_path: Path
) -> None:
    folder = repository(tmp_path)
    async with session(codex_home, GitServer(str(folder)), cwd=str(folder)) as s:
        await s.say("/review")
        await s.see("Against a branch")
        await s.press("2")
        await s.see("What topic adds to")
        await s.press("escape")
        await s.see("What is to be reviewed?")
        await s.press("escape")
        await s.type("free")
        await s.until(lambda: s.draft == "free")
        assert s.requests(REVIEW_START.name) == []
