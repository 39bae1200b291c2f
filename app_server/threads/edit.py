"""Changing what is known of a thread: its name, its repository."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server.protocol.thread import ThreadMetadataGitInfoUpdateParams
from app_server.protocol.thread_data import Thread
from app_server.threads.errors import NoRollout, Refused
from app_server.threads.stored import find_stored
from app_server.threads.thread_ids import check_id

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def set_name(manager: ThreadManager, thread_id: str, name: str) -> str:
    """Name a thread; returns the name as kept."""
    kept = name.strip()
    if not kept:
        raise Refused("thread name must not be empty")
    thread_id = check_id(thread_id)
    loaded = manager.find_loaded(thread_id)
    home = manager.services.codex_home
    if loaded is None:
        if await asyncio.to_thread(find_stored, home, thread_id) is None:
            raise NoRollout(thread_id)
    elif loaded.facts.ephemeral:
        raise Refused(f"ephemeral thread does not support names: {thread_id}")
    from app_server.storage.names import set_name as keep_name

    await asyncio.to_thread(keep_name, home, thread_id, kept)
    if loaded is not None:
        loaded.rename(kept)
    return kept


async def update_metadata(
    manager: ThreadManager, thread_id: str, git_info: ThreadMetadataGitInfoUpdateParams | None
) -> Thread:
    """Correct the stored facts of a thread."""
    raise Refused("`thread/metadata/update` is not implemented yet in this release")
