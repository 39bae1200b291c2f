"""Pages: of stored threads, of loaded ones, of the turns of one thread."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from app_server import ids
from app_server.protocol.thread_data import Turn
from app_server.protocol.thread_history import (
    ThreadListParams,
    ThreadListResponse,
    ThreadLoadedListParams,
    ThreadLoadedListResponse,
    ThreadTurnsListParams,
    ThreadTurnsListResponse,
)
from app_server.storage.errors import InvalidCursor
from app_server.storage.listing import ListQuery
from app_server.threads.errors import Refused, ThreadNotLoaded
from app_server.threads.read import check_has_turns
from app_server.threads.stored import find_stored, listed, read_stored

if TYPE_CHECKING:
    from app_server.threads.manager import ThreadManager

TURNS_PER_PAGE = 25
TURNS_PER_PAGE_AT_MOST = 100


class TurnCursor(msgspec.Struct, frozen=True, rename="camel"):
    """Where a page of turns goes on: beside a turn, or with it."""

    turn_id: str
    include_anchor: bool


async def list_threads(manager: ThreadManager, params: ThreadListParams) -> ThreadListResponse:
    """Stored threads, with what the loaded ones among them are doing."""
    query = ListQuery(
        cursor=params.cursor,
        limit=params.limit,
        sort_key=params.sort_key or "created_at",
        newest_first=params.sort_direction != "asc",
        archived=bool(params.archived),
        source_kinds=params.source_kinds or (),
        model_providers=params.model_providers or (),
        cwds=[params.cwd] if isinstance(params.cwd, str) else params.cwd,
        search_term=params.search_term,
    )
    try:
        page = await asyncio.to_thread(manager.stored_lists.page, query)
    except InvalidCursor as error:
        raise Refused(str(error)) from error
    return ThreadListResponse(
        data=[listed(entry, manager.status_of(entry.head.meta.id)) for entry in page.threads],
        next_cursor=page.next_cursor,
        backwards_cursor=page.backwards_cursor,
    )


def list_loaded(
    thread_ids: Sequence[str], params: ThreadLoadedListParams
) -> ThreadLoadedListResponse:
    """A page of the ids in memory, in order of age."""
    start = 0
    if params.cursor is not None:
        if not ids.is_uuid(params.cursor):
            raise Refused(f"invalid cursor: {params.cursor}")
        start = bisect_right(thread_ids, params.cursor)
    end = len(thread_ids) if params.limit is None else start + max(params.limit, 1)
    page = list(thread_ids[start:end])
    more = end < len(thread_ids)
    return ThreadLoadedListResponse(data=page, next_cursor=page[-1] if more else None)


async def list_turns(
    manager: ThreadManager, params: ThreadTurnsListParams
) -> ThreadTurnsListResponse:
    """A page of a thread's turns, newest first unless told otherwise."""
    turns = await _turns_of(manager, params.thread_id)
    if params.sort_direction != "asc":
        turns = turns[::-1]
    start = 0 if params.cursor is None else _place(turns, params.cursor)
    size = TURNS_PER_PAGE if params.limit is None else params.limit
    page = turns[start : start + min(max(size, 1), TURNS_PER_PAGE_AT_MOST)]
    more = page and start + len(page) < len(turns)
    return ThreadTurnsListResponse(
        data=page,
        next_cursor=_cursor(page[-1], include=False) if more else None,
        backwards_cursor=_cursor(page[0], include=True) if page else None,
    )


async def _turns_of(manager: ThreadManager, thread_id: str) -> list[Turn]:
    loaded = manager.find_loaded(thread_id)
    if loaded is not None:
        check_has_turns(loaded, "thread/turns/list")
        return loaded.session.timeline.turns()
    home = manager.services.codex_home
    path = await asyncio.to_thread(find_stored, home, thread_id)
    if path is None:
        raise ThreadNotLoaded(thread_id)
    stored = await asyncio.to_thread(read_stored, home, path)
    return stored.restored().timeline.turns()


def _place(turns: Sequence[Turn], cursor: str) -> int:
    try:
        anchor = msgspec.json.decode(cursor, type=TurnCursor)
    except msgspec.DecodeError as error:
        raise Refused(f"invalid cursor: {cursor}") from error
    for index, turn in enumerate(turns):
        if turn.id == anchor.turn_id:
            return index if anchor.include_anchor else index + 1
    raise Refused("invalid cursor: anchor turn is no longer present")


def _cursor(turn: Turn, *, include: bool) -> str:
    return msgspec.json.encode(TurnCursor(turn.id, include)).decode()
