"""Looking at one thread, loaded or stored, without loading it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server.protocol.thread_data import Thread
from app_server.threads.errors import Refused, ThreadNotLoaded
from app_server.threads.loaded import LoadedThread
from app_server.threads.stored import find_stored, read_stored

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager


async def read(manager: ThreadManager, thread_id: str, *, include_turns: bool) -> Thread:
    """The thread as it is now; a loaded one is asked itself."""
    loaded = manager.find_loaded(thread_id)
    if loaded is not None:
        if include_turns:
            check_has_turns(loaded, "includeTurns")
        return loaded.described(include_turns=include_turns)
    path = await asyncio.to_thread(find_stored, manager.services.codex_home, thread_id)
    if path is None:
        raise ThreadNotLoaded(thread_id)
    stored = await asyncio.to_thread(read_stored, manager.services.codex_home, path)
    return stored.described(include_turns=include_turns)


def check_has_turns(thread: LoadedThread, asked: str) -> None:
    """Raises where a loaded thread has no turns to show, by its kind or not yet."""
    if thread.facts.ephemeral:
        raise Refused(f"ephemeral threads do not support {asked}")
    session = thread.session
    if not (session.timeline.latest_turn_id or session.history.items or session.has_begun_its_file):
        raise Refused(
            f"thread {thread.thread_id} is not materialized yet; "
            f"{asked} is unavailable before first user message"
        )
