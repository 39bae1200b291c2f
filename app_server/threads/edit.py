"""Changing what is known of a thread: its name, its repository."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from app_server.protocol.thread import ThreadMetadataGitInfoUpdateParams
from app_server.protocol.thread_data import GitInfo, Thread
from app_server.protocol.wire import UNSET, UnsetType
from app_server.storage.git_corrections import correct_git
from app_server.threads.errors import NoRollout, Refused, ThreadNotFound
from app_server.threads.stored import find_stored, read_stored
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
    manager: ThreadManager, thread_id: str, changes: ThreadMetadataGitInfoUpdateParams | None
) -> Thread:
    """Correct the stored facts of a thread's repository; returns the thread without its turns."""
    given = _given(changes)
    thread_id = check_id(thread_id)
    home = manager.services.codex_home
    loaded = manager.find_loaded(thread_id)
    if loaded is not None:
        if loaded.facts.ephemeral:
            raise Refused(f"ephemeral thread does not support metadata updates: {thread_id}")
        git = _changed(loaded.facts.git_info, given)
        await asyncio.to_thread(correct_git, home, thread_id, git)
        loaded.correct_git(git)
        return loaded.described(include_turns=False)
    path = await asyncio.to_thread(find_stored, home, thread_id)
    if path is None:
        raise ThreadNotFound(thread_id)
    stored = await asyncio.to_thread(read_stored, home, path)
    git = _changed(stored.git_info, given)
    await asyncio.to_thread(correct_git, home, thread_id, git)
    return msgspec.structs.replace(stored.described(include_turns=False), git_info=git)


def _given(changes: ThreadMetadataGitInfoUpdateParams | None) -> dict[str, str | None]:
    """The fields to change; None clears one. Refuses a change of nothing, and blank texts."""
    given: dict[str, str | None] = {}
    for field in ThreadMetadataGitInfoUpdateParams.__struct_fields__:
        value = UNSET if changes is None else getattr(changes, field)
        if isinstance(value, UnsetType):
            continue
        if value is not None and not value.strip():
            raise Refused(f"gitInfo.{_wire_name(field)} must not be empty")
        given[field] = value if value is None else value.strip()
    if not given:
        raise Refused("gitInfo must include at least one field")
    return given


def _wire_name(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _changed(git: GitInfo | None, given: dict[str, str | None]) -> GitInfo:
    return msgspec.structs.replace(git or GitInfo(), **given)
