"""Starting a thread that has no past, or one that is given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app_server import clock, ids
from app_server.protocol.response_item import ResponseItem
from app_server.protocol.thread import DynamicToolSpec, ThreadResumeParams, ThreadStartParams
from app_server.protocol.thread_data import GitInfo
from app_server.storage.files import rollout_path
from app_server.storage.rollout_write import RolloutWriter
from app_server.threads.dynamic_tools import check_tools
from app_server.threads.loaded import LoadedThread
from app_server.threads.opening import (
    Opening,
    named_folder,
    open_settings,
    trust_named_folder,
)
from app_server.threads.restored import Restored
from app_server.threads.subscriptions import Subscriber
from app_server.threads.whole import Birth, first_line, git_info_of, make_thread

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def start(
    manager: ThreadManager, params: ThreadStartParams, subscriber: Subscriber
) -> LoadedThread:
    """A new thread, heard by whoever asked for it. Its file appears with its first turn."""
    return await begin(manager, params, subscriber)


async def begin(
    manager: ThreadManager,
    params: ThreadStartParams | ThreadResumeParams,
    subscriber: Subscriber,
    remembers: Sequence[ResponseItem] = (),
) -> LoadedThread:
    """A thread under a new id; `remembers` is history supplied from outside."""
    if isinstance(params, ThreadStartParams):
        check_tools(params.dynamic_tools or ())
    services = manager.services
    folder = named_folder(services, params)
    opening, git_info = await asyncio.gather(
        asyncio.to_thread(open_settings, services, params), git_info_of(folder)
    )
    thread = await asyncio.to_thread(_born, manager, params, opening, git_info, remembers)
    thread.subscriptions.add(subscriber)
    manager.add(thread)
    return thread


def _born(
    manager: ThreadManager,
    params: ThreadStartParams | ThreadResumeParams,
    opening: Opening,
    git_info: GitInfo | None,
    remembers: Sequence[ResponseItem],
) -> LoadedThread:
    services = manager.services
    warning: str | None = None
    ephemeral = False
    tools: list[DynamicToolSpec] = []
    if isinstance(params, ThreadStartParams):
        warning = trust_named_folder(services, params, opening)
        ephemeral = bool(params.ephemeral)
        tools = params.dynamic_tools or []
    thread_id, now = ids.uuid7(), clock.now()
    path = None if ephemeral else rollout_path(services.codex_home, thread_id, now)
    birth = Birth(
        id=thread_id,
        opening=opening,
        created_at=int(now),
        source=services.session_source,
        ephemeral=ephemeral,
        git_info=git_info,
        dynamic_tools=tools,
        keeps_actions=params.persist_extended_history,
        past=Restored(remembers) if remembers else None,
    )
    first_lines = [first_line(birth, services.originator), *remembers]
    writer = None if path is None else RolloutWriter(path, first_lines)
    thread = make_thread(manager, birth, writer)
    if warning is not None:
        thread.warn(warning)
    return thread
