"""Branch, commit and remote of the repository around a folder."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec

from app_server.git.command import git
from app_server.repositories import holds_repository

_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/@]*@")


class RepositoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known; each may be missing on its own."""

    commit_hash: str | None = None
    branch: str | None = None
    """None when no branch is checked out."""
    repository_url: str | None = None
    """The URL of `origin`, without credentials."""


async def repository_facts(cwd: Path) -> RepositoryFacts | None:
    """The facts of the repository around `cwd`; None outside of repositories or without git."""
    if find_repository(cwd) is None:
        return None
    commit, branch, url = await asyncio.gather(
        git(cwd, "rev-parse", "HEAD"),
        git(cwd, "rev-parse", "--abbrev-ref", "HEAD"),
        git(cwd, "remote", "get-url", "origin"),
    )
    if commit is None and branch is None and await git(cwd, "rev-parse", "--git-dir") is None:
        return None
    name = branch.strip() if branch else None
    return RepositoryFacts(
        commit_hash=commit.strip() if commit else None,
        branch=None if name == "HEAD" else name,
        repository_url=without_credentials(url.strip()) if url and url.strip() else None,
    )


def find_repository(cwd: Path) -> Path | None:
    """The nearest folder at or above `cwd` that holds `.git`; asks only the file system."""
    for folder in (cwd, *cwd.parents):
        if holds_repository(folder):
            return folder
    return None


def without_credentials(url: str) -> str:
    """A remote's URL without user and password; `git@host:path` names no secret and stays."""
    match = _CREDENTIALS.match(url)
    if match is None or match[1] == "ssh://":
        return url
    return match[1] + url[match.end() :]
