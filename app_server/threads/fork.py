"""A new thread that begins with a copy of another one's history.

The copy is taken from the parent's file, line by line as it stands. A parent in the middle of a
turn is copied as if that turn had been interrupted.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app_server import clock, ids
from app_server.agent.history import text_message
from app_server.prompts import text
from app_server.prompts.fragments import marked
from app_server.protocol.thread import ThreadForkParams
from app_server.storage import rollout
from app_server.storage.files import rollout_path
from app_server.storage.rollout_write import RolloutWriter
from app_server.threads.errors import NoRollout, Refused
from app_server.threads.loaded import LoadedThread
from app_server.threads.opening import open_settings
from app_server.threads.restored import Restored
from app_server.threads.stored import find_stored, named_file, read_stored
from app_server.threads.subscriptions import Subscriber
from app_server.threads.whole import Birth, first_line, make_thread

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def fork(
    manager: ThreadManager, params: ThreadForkParams, subscriber: Subscriber
) -> LoadedThread:
    """The new thread, heard by whoever asked; the parent goes on undisturbed."""
    parent = manager.find_loaded(params.thread_id) if params.path is None else None
    if parent is not None:
        path = parent.session.file
        if path is None or not path.exists():
            raise Refused(f"thread {params.thread_id} did not include persisted history")
    else:
        path = await asyncio.to_thread(_find, manager, params)
    thread = await asyncio.to_thread(_branch, manager, params, path)
    thread.subscriptions.add(subscriber)
    manager.add(thread)
    return thread


def _find(manager: ThreadManager, params: ThreadForkParams) -> Path:
    if params.path is not None:
        return named_file(Path(params.path))
    path = find_stored(manager.services.codex_home, params.thread_id)
    if path is None:
        raise NoRollout(params.thread_id)
    return path


def _branch(manager: ThreadManager, params: ThreadForkParams, parent_path: Path) -> LoadedThread:
    services = manager.services
    parent = read_stored(services.codex_home, parent_path)
    copied: list[rollout.RolloutItem | rollout.RolloutLine] = [*parent.lines]
    copied += _end_of_open_turn(parent.lines)
    past = Restored(line.item if isinstance(line, rollout.RolloutLine) else line for line in copied)
    thread_id, now = ids.uuid7(), clock.now()
    path = None if params.ephemeral else rollout_path(services.codex_home, thread_id, now)
    birth = Birth(
        id=thread_id,
        opening=open_settings(services, params, past.last_context, parent.meta),
        created_at=int(now),
        source=services.session_source,
        ephemeral=params.ephemeral,
        forked_from_id=parent.meta.id,
        git_info=parent.git_info,
        name=parent.name,
        dynamic_tools=parent.dynamic_tools,
        keeps_actions=params.persist_extended_history,
        past=past,
    )
    writer = None
    if path is not None:
        writer = RolloutWriter(path, [first_line(birth, services.originator), *copied])
        writer.begin()
    return make_thread(manager, birth, writer)


def _end_of_open_turn(lines: list[rollout.RolloutLine]) -> list[rollout.RolloutItem]:
    """What interrupts the turn the parent was copied in the middle of."""
    open_turn: str | None = None
    for line in lines:
        match line.item:
            case rollout.TaskStarted(turn_id=turn_id):
                open_turn = turn_id
            case rollout.TaskComplete() | rollout.TurnAborted():
                open_turn = None
            case _:
                pass
    if open_turn is None:
        return []
    note = text_message("user", marked("turn_aborted", text("turn_aborted.md")))
    ended = rollout.TurnAborted(
        turn_id=open_turn, reason="interrupted", completed_at=int(clock.now())
    )
    return [note, ended]
