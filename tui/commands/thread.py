"""Commands about conversations: new, resume, fork, rename, compact, review."""

import time
from typing import TYPE_CHECKING

from app_server.protocol.errors import RpcError
from app_server.protocol.review import CustomReviewTarget
from app_server.protocol.thread import ThreadForkParams
from app_server.protocol.thread_data import Thread
from app_server.protocol.thread_history import THREAD_LIST, ThreadListParams
from tui.state.actions import (
    CompactThread,
    ForkThread,
    OpenNewThread,
    OpenStoredThread,
    RenameThread,
    StartReview,
)
from tui.widgets.pickers.list_picker import Choice

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

LISTED_THREADS = 100


def new(chat: "ChatScreen", arguments: str) -> None:
    chat.act(OpenNewThread(params=chat.app.start_params()))


def clear(chat: "ChatScreen", arguments: str) -> None:
    chat.app.clear_everything()
    new(chat, arguments)


def resume(chat: "ChatScreen", arguments: str) -> None:
    """A list of stored threads of this folder; `/resume ID` goes straight there."""
    if arguments:
        chat.act(OpenStoredThread(params=chat.app.resume_params(arguments)))
        return
    chat.run_worker(pick_stored(chat))


async def pick_stored(chat: "ChatScreen", *, any_folder: bool = False) -> None:
    """Show what is stored and open what is chosen."""
    try:
        threads = await stored_threads(chat, any_folder=any_folder)
    except RpcError as error:
        chat.say("error", f"The stored conversations could not be listed: {error.message}")
        return
    threads = [thread for thread in threads if thread.id != chat.state.focused]
    if not threads:
        where = "" if any_folder else " in this folder"
        chat.say("info", f"There are no earlier conversations{where}.")
        chat.app.nothing_to_resume()
        return
    choices = [Choice(_title(thread), thread, _facts(thread)) for thread in threads]
    await chat.until_free()
    chat.pick(
        "Go on with",
        choices,
        lambda choice: chat.act(OpenStoredThread(params=chat.app.resume_params(choice.value.id))),
        searchable=True,
        on_cancelled=chat.app.nothing_to_resume,
    )


async def stored_threads(chat: "ChatScreen", *, any_folder: bool = False) -> list[Thread]:
    """Newest first."""
    params = ThreadListParams(
        limit=LISTED_THREADS,
        sort_key="updated_at",
        source_kinds=["cli", "vscode"],
        cwd=None if any_folder else chat.app.thread_cwd or chat.state.settings.cwd or None,
    )
    listed = await chat.request(THREAD_LIST, params)
    return list(listed.data)


def fork(chat: "ChatScreen", arguments: str) -> None:
    thread = chat.state.thread
    if thread is None or not thread.turns:
        chat.say("info", "There is nothing to fork yet.")
        return
    params = ThreadForkParams(thread_id=thread.id, persist_extended_history=True)
    chat.act(ForkThread(params=params))


def rename(chat: "ChatScreen", arguments: str) -> None:
    if not arguments:
        chat.say("info", "Say how: /rename NAME.")
        return
    chat.act(RenameThread(name=arguments))


def compact(chat: "ChatScreen", arguments: str) -> None:
    chat.act(CompactThread())


def review(chat: "ChatScreen", arguments: str) -> None:
    """What to review is chosen; `/review WORDS` says it."""
    from tui.commands.review import choose_review

    if arguments:
        chat.act(StartReview(target=CustomReviewTarget(instructions=arguments)))
    else:
        chat.run_worker(choose_review(chat))


def _title(thread: Thread) -> str:
    text = thread.name or " ".join(thread.preview.split()) or "(nothing said)"
    return text if len(text) <= 60 else text[:59] + "…"


def _facts(thread: Thread) -> str:
    branch = thread.git_info.branch if thread.git_info is not None else None
    facts = [_ago(time.time() - thread.updated_at), branch or "", thread.cwd]
    return " · ".join(fact for fact in facts if fact)


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
