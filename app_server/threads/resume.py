"""Going on with a thread: loading it from its file, or joining it where it runs.

Joining reads the present state and subscribes in the same step. Loading happens once, however many
clients ask at the same time: the others join what the first one loaded.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from app_server import ids
from app_server.protocol.thread import ThreadResumeParams
from app_server.storage.rollout_write import RolloutWriter
from app_server.threads.errors import NoRollout, Refused, ThreadClosing
from app_server.threads.loaded import LoadedThread, as_response_item
from app_server.threads.opening import open_settings
from app_server.threads.stored import StoredThread, find_stored, named_file, read_stored
from app_server.threads.subscriptions import Subscriber
from app_server.threads.thread_ids import check_id
from app_server.threads.whole import Birth, make_thread

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager

log = logging.getLogger(__name__)


async def resume(
    manager: ThreadManager, params: ThreadResumeParams, subscriber: Subscriber
) -> LoadedThread:
    """The thread, loaded and heard by whoever asked."""
    if params.history is not None:
        return await _from_history(manager, params, subscriber)
    thread_id, path = await _which(manager, params)
    async with manager.loading(thread_id):
        running = manager.find_loaded(thread_id)
        if running is not None:
            return _join(running, params, subscriber)
        thread = await asyncio.to_thread(_load, manager, params, path)
        thread.subscriptions.add(subscriber)
        manager.add(thread)
        thread.announce_loaded()
        return thread


async def _which(manager: ThreadManager, params: ThreadResumeParams) -> tuple[str, Path | None]:
    """The id of the thread that is meant, and its file unless it is loaded."""
    if params.path is not None:
        named = manager.find_loaded(params.thread_id) if ids.is_uuid(params.thread_id) else None
        if named is not None:
            _check_same_file(named, params)
        path = await asyncio.to_thread(named_file, Path(params.path))
        stored = await asyncio.to_thread(read_stored, manager.services.codex_home, path)
        return check_id(stored.meta.id), path
    thread_id = check_id(params.thread_id)
    if manager.find_loaded(thread_id) is not None:
        return thread_id, None
    found = await asyncio.to_thread(find_stored, manager.services.codex_home, thread_id)
    if found is None:
        raise NoRollout(thread_id)
    return thread_id, found


def _join(thread: LoadedThread, params: ThreadResumeParams, subscriber: Subscriber) -> LoadedThread:
    if thread.closing:
        raise ThreadClosing(thread.thread_id, "thread/resume")
    _check_same_file(thread, params)
    log.info("thread %s: joined while loaded; its settings stay as they are", thread.thread_id)
    thread.subscriptions.add(subscriber)
    return thread


def _check_same_file(thread: LoadedThread, params: ThreadResumeParams) -> None:
    active = thread.session.file
    if params.path is not None and active is not None and Path(params.path) != active:
        raise Refused(
            f"cannot resume running thread {thread.thread_id} with mismatched path: "
            f"requested `{params.path}`, active `{active}`"
        )


def _load(manager: ThreadManager, params: ThreadResumeParams, path: Path | None) -> LoadedThread:
    if path is None:
        raise NoRollout(params.thread_id)
    stored: StoredThread = read_stored(manager.services.codex_home, path)
    past = stored.restored()
    birth = Birth(
        id=check_id(stored.meta.id),
        opening=open_settings(manager.services, params, past.last_context, stored.meta),
        created_at=stored.created_at,
        source=stored.source,
        forked_from_id=stored.meta.forked_from_id,
        git_info=stored.git_info,
        name=stored.name,
        dynamic_tools=stored.dynamic_tools,
        keeps_actions=params.persist_extended_history,
        past=past,
    )
    writer = RolloutWriter(path)
    thread = make_thread(manager, birth, writer)
    writer.hold()
    thread.session.updated_at = stored.updated_at
    recorded, now = past.last_context, birth.opening.settings.model
    if recorded is not None and recorded.model != now:
        thread.warn(
            f"This thread was recorded with model `{recorded.model}` and goes on with `{now}`, "
            "which may take up the work differently."
        )
    if stored.skipped_lines:
        thread.warn(
            f"{stored.skipped_lines} line(s) of the thread's file could not be read and were "
            f"left out: {path}"
        )
    return thread


async def _from_history(
    manager: ThreadManager, params: ThreadResumeParams, subscriber: Subscriber
) -> LoadedThread:
    """A new thread that begins with model items the client supplies."""
    if ids.is_uuid(params.thread_id) and manager.find_loaded(params.thread_id) is not None:
        raise Refused(
            f"cannot resume thread {params.thread_id} with history while it is already running"
        )
    from app_server.threads.start import begin

    items = [as_response_item(index, raw) for index, raw in enumerate(params.history or [])]
    if not items:
        raise Refused("history must not be empty")
    return await begin(manager, params, subscriber, items)
