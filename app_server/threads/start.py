"""Starting a thread that has no past."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server import clock, ids
from app_server.protocol.thread import ThreadStartParams
from app_server.threads.places import rollout_path
from app_server.storage.rollout_write import RolloutWriter
from app_server.threads.loaded import LoadedThread
from app_server.threads.opening import Opening, open_settings, trust_named_folder
from app_server.threads.subscriptions import Subscriber
from app_server.threads.whole import Birth, first_line, git_info_of, make_thread

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def start(
    manager: ThreadManager, params: ThreadStartParams, subscriber: Subscriber
) -> LoadedThread:
    """A new thread, heard by whoever asked for it. Its file appears with its first turn."""

    def prepare() -> LoadedThread:
        services = manager.services
        opening: Opening = open_settings(services, params)
        warning = trust_named_folder(services, params, opening)
        thread_id, now = ids.uuid7(), clock.now()
        path = None if params.ephemeral else rollout_path(services.codex_home, thread_id, now)
        birth = Birth(
            id=thread_id,
            opening=opening,
            created_at=int(now),
            source=services.session_source,
            ephemeral=path is None,
            path=path,
            git_info=git_info_of(opening.settings.cwd),
        )
        writer = path and RolloutWriter(path, [first_line(birth, services.originator)])
        thread = make_thread(manager, birth, writer)
        if warning is not None:
            thread.warn(warning)
        return thread

    thread = await asyncio.to_thread(prepare)
    thread.subscriptions.add(subscriber)
    manager.add(thread)
    return thread
