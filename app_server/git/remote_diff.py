"""What is different from the nearest commit that a remote has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from app_server.git.command import git
from app_server.git.diff import working_tree_diff


class RemoteDiff(msgspec.Struct, frozen=True):
    sha: str
    """The commit the remote has."""
    diff: str
    """Everything since: commits not pushed, changes not committed, new files."""


async def diff_to_remote(cwd: Path) -> RemoteDiff | None:
    """None outside of repositories, and where no remote branch shares history with HEAD."""
    sha = await nearest_pushed_commit(cwd)
    if sha is None:
        return None
    diff = await working_tree_diff(cwd, sha)
    return None if diff is None else RemoteDiff(sha, diff)


async def nearest_pushed_commit(cwd: Path) -> str | None:
    """The newest commit on HEAD's first-parent line that some remote branch holds."""
    head, unpushed = await asyncio.gather(
        git(cwd, "rev-parse", "--verify", "--quiet", "HEAD"),
        git(cwd, "rev-list", "--first-parent", "--boundary", "HEAD", "--not", "--remotes"),
    )
    if head is None or unpushed is None:
        return None
    lines = unpushed.split()
    if not lines:  # HEAD itself is pushed
        return head.strip()
    return next((line[1:] for line in reversed(lines) if line.startswith("-")), None)
