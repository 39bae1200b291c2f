"""Putting threads away and bringing them back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server.protocol.thread_data import Thread
from app_server.storage.errors import RolloutNotFound
from app_server.storage.files import find_active
from app_server.threads.errors import NoRollout
from app_server.threads.stored import read_stored
from app_server.threads.thread_ids import check_id

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def archive(manager: ThreadManager, thread_id: str) -> None:
    """Unload the thread if need be and move its file out of sight."""
    from app_server.storage.archive import archive as move_away

    thread_id = check_id(thread_id)
    home = manager.services.codex_home
    if await asyncio.to_thread(find_active, home, thread_id) is None:
        raise NoRollout(thread_id)
    await manager.unload(thread_id)
    try:
        await asyncio.to_thread(move_away, home, thread_id)
    except RolloutNotFound as error:
        raise NoRollout(thread_id) from error


async def unarchive(manager: ThreadManager, thread_id: str) -> Thread:
    """Move an archived thread's file back into its folder; it may have been resumed there."""
    from app_server.storage.archive import unarchive as bring_back

    thread_id = check_id(thread_id)
    home = manager.services.codex_home
    try:
        path = await asyncio.to_thread(bring_back, home, thread_id)
    except RolloutNotFound as error:
        raise NoRollout(thread_id, archived=True) from error
    loaded = manager.find_loaded(thread_id)
    if loaded is not None:
        loaded.file_moved(path)
        return loaded.described(include_turns=False)
    stored = await asyncio.to_thread(read_stored, home, path)
    return stored.described(include_turns=False)
