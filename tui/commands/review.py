"""/review: what is to be reviewed is chosen, or said behind the command."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from app_server.protocol.errors import RpcError
from app_server.protocol.review import (
    BaseBranchReviewTarget,
    CommitReviewTarget,
    ReviewTarget,
    UncommittedChangesReviewTarget,
)
from tui.commands.git import git
from tui.state.actions import StartReview
from tui.widgets.pickers.list_picker import Choice

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

Pick: TypeAlias = "Callable[[ChatScreen], Awaitable[ReviewTarget | None]]"

COMMITS_LISTED = 100
OWN_WORDS = "/review "
"""Put into the composer, to be gone on from."""


async def choose_review(chat: "ChatScreen") -> None:
    """Ask what to review and begin; leaving the list of one kind leads back to the kinds."""
    kinds = [
        Choice("Uncommitted changes", _uncommitted, "what the last commit lacks, new files too"),
        Choice("Against a branch", _against_branch, "what this branch adds to another one"),
        Choice("A commit", _commit, "what one commit changed"),
        Choice("Something else", OWN_WORDS, "say what to look at"),
    ]
    while (chosen := await chat.choose("What is to be reviewed?", kinds)) is not None:
        if chosen == OWN_WORDS:
            chat.composer.type_ahead(OWN_WORDS)
            return
        pick: Pick = chosen
        try:
            target = await pick(chat)
        except RpcError as error:
            chat.say("error", f"git could not be asked: {error.message}")
            return
        if target is not None:
            chat.act(StartReview(target=target))
            return


async def _uncommitted(chat: "ChatScreen") -> ReviewTarget | None:
    return UncommittedChangesReviewTarget()


async def _against_branch(chat: "ChatScreen") -> ReviewTarget | None:
    current = (await git(chat, "branch", "--show-current") or "").strip()
    listed = await git(
        chat, "for-each-ref", "--sort=-committerdate", "--format=%(refname:short)", "refs/heads"
    )
    names = [name for name in (listed or "").splitlines() if name and name != current]
    if not names:
        chat.say("info", "There is no other branch here.")
        return None
    title = f"What {current or 'this commit'} adds to"
    branch = await chat.choose(title, [Choice(name, name) for name in names], searchable=True)
    return None if branch is None else BaseBranchReviewTarget(branch=branch)


async def _commit(chat: "ChatScreen") -> ReviewTarget | None:
    # Without --no-show-signature a repository's settings could name a program that checks them.
    words = ("log", "--no-show-signature", f"--max-count={COMMITS_LISTED}")
    listed = await git(chat, *words, "--format=%H%x00%h%x00%s%x00%cr")
    commits = [line.split("\0") for line in (listed or "").splitlines()]
    choices = [
        Choice(f"{short} {title}", (sha, title), age)
        for sha, short, title, age in (commit for commit in commits if len(commit) == 4)
    ]
    if not choices:
        chat.say("info", "There is no commit here.")
        return None
    chosen = await chat.choose("Which commit?", choices, searchable=True)
    return None if chosen is None else CommitReviewTarget(sha=chosen[0], title=chosen[1])
