"""What is different in the working tree, untracked files included."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app_server.git.command import git
from app_server.git.facts import find_repository

MAX_UNTRACKED = 1_000
AT_ONCE = 4

_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color")


async def working_tree_diff(cwd: Path, base: str | None = None) -> str | None:
    """The diff of tracked files, then each untracked file as a new one; None outside of git.

    Against the commit `base`, or against what is staged. At most `MAX_UNTRACKED` untracked files
    are shown; ignored ones never.
    """
    if find_repository(cwd) is None:
        return None
    tracked, listed = await asyncio.gather(
        git(cwd, "diff", *_PLAIN, *([base, "--"] if base else []), ok=(0, 1), timeout_seconds=30),
        git(cwd, "ls-files", "--others", "--exclude-standard", "-z", timeout_seconds=30),
    )
    if tracked is None:
        return None
    names = [name for name in (listed or "").split("\0") if name][:MAX_UNTRACKED]
    at_once = asyncio.Semaphore(AT_ONCE)

    async def as_new(name: str) -> str:
        async with at_once:
            shown = await git(
                cwd, "diff", *_PLAIN, "--no-index", "--", "/dev/null", name, ok=(0, 1)
            )
        return shown or ""

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(as_new(name)) for name in names]
    return tracked + "".join(task.result() for task in tasks)
