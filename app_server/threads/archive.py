"""Putting threads away and bringing them back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server.protocol.thread_data import Thread
from app_server.threads.errors import NoRollout
from app_server.threads.stored import find_active, find_archived, read_stored

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def archive(manager: ThreadManager, thread_id: str) -> None:
    """Unload the thread if need be and move its file out of sight."""
    from app_server.storage.archive import archive as move

    home = manager.services.codex_home
    path = await asyncio.to_thread(find_active, home, thread_id)
    if path is None:
        raise NoRollout(thread_id)
    await manager.unload(thread_id)
    await asyncio.to_thread(move, home, path)


async def unarchive(manager: ThreadManager, thread_id: str) -> Thread:
    """Move an archived thread's file back into its folder."""
    from app_server.storage.archive import unarchive as move

    home = manager.services.codex_home
    path = await asyncio.to_thread(find_archived, home, thread_id)
    if path is None:
        raise NoRollout(thread_id, archived=True)
    restored = await asyncio.to_thread(move, home, path)
    stored = await asyncio.to_thread(read_stored, home, restored)
    return stored.described(include_turns=False)
