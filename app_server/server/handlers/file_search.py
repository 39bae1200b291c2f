"""Fuzzy search for files: one shot, or a session that follows the typing.

Sessions and cancellation tokens belong to the connection that named them.
"""

from __future__ import annotations

import threading

from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.file_search import (
    FUZZY_FILE_SEARCH,
    FUZZY_FILE_SEARCH_SESSION_COMPLETED,
    FUZZY_FILE_SEARCH_SESSION_START,
    FUZZY_FILE_SEARCH_SESSION_STOP,
    FUZZY_FILE_SEARCH_SESSION_UPDATE,
    FUZZY_FILE_SEARCH_SESSION_UPDATED,
    FuzzyFileSearchParams,
    FuzzyFileSearchResponse,
    FuzzyFileSearchResult,
    FuzzyFileSearchSessionCompletedNotification,
    FuzzyFileSearchSessionStartParams,
    FuzzyFileSearchSessionStartResponse,
    FuzzyFileSearchSessionStopParams,
    FuzzyFileSearchSessionStopResponse,
    FuzzyFileSearchSessionUpdatedNotification,
    FuzzyFileSearchSessionUpdateParams,
    FuzzyFileSearchSessionUpdateResponse,
)
from app_server.search.find import SEARCHING, FileIndex
from app_server.search.sessions import SearchSession
from app_server.server.connection import Connection
from app_server.server.context import RequestContext
from app_server.server.registry import handles


class Searches:
    """What one client is searching for."""

    def __init__(self) -> None:
        self.sessions: dict[str, SearchSession] = {}
        self.cancellations: dict[str, threading.Event] = {}

    async def close(self) -> None:
        for cancelled in self.cancellations.values():
            cancelled.set()
        for session in self.sessions.values():
            await session.close()


@handles(FUZZY_FILE_SEARCH)
async def search(ctx: RequestContext, params: FuzzyFileSearchParams) -> FuzzyFileSearchResponse:
    cancellations = ctx.connection.belonging(Searches).cancellations
    cancelled = threading.Event()
    token = params.cancellation_token
    if token is not None:
        if token in cancellations:
            cancellations[token].set()
        cancellations[token] = cancelled
    try:
        files = await SEARCHING.run(lambda: _search_once(params.roots, params.query, cancelled))
    finally:
        if token is not None and cancellations.get(token) is cancelled:
            del cancellations[token]
    return FuzzyFileSearchResponse(files=files)


@handles(FUZZY_FILE_SEARCH_SESSION_START)
async def start_session(
    ctx: RequestContext, params: FuzzyFileSearchSessionStartParams
) -> FuzzyFileSearchSessionStartResponse:
    """A session of the same name is replaced; the first news is that nothing is searched yet."""
    if not params.session_id:
        raise InvalidRequest("sessionId must not be empty")
    if not params.roots:
        raise InternalError(
            "failed to start fuzzy file search session: at least one search directory is required"
        )
    sessions = ctx.connection.belonging(Searches).sessions
    earlier = sessions.pop(params.session_id, None)
    if earlier is not None:
        await earlier.close()
    session = sessions[params.session_id] = _session(ctx.connection, params)
    ctx.after_reply(lambda: session.update(""))
    return FuzzyFileSearchSessionStartResponse()


@handles(FUZZY_FILE_SEARCH_SESSION_UPDATE)
async def update_session(
    ctx: RequestContext, params: FuzzyFileSearchSessionUpdateParams
) -> FuzzyFileSearchSessionUpdateResponse:
    session = ctx.connection.belonging(Searches).sessions.get(params.session_id)
    if session is None:
        raise InvalidRequest(f"fuzzy file search session not found: {params.session_id}")
    ctx.after_reply(lambda: session.update(params.query))
    return FuzzyFileSearchSessionUpdateResponse()


@handles(FUZZY_FILE_SEARCH_SESSION_STOP)
async def stop_session(
    ctx: RequestContext, params: FuzzyFileSearchSessionStopParams
) -> FuzzyFileSearchSessionStopResponse:
    session = ctx.connection.belonging(Searches).sessions.pop(params.session_id, None)
    if session is not None:
        await session.close()
    return FuzzyFileSearchSessionStopResponse()


def _search_once(
    roots: list[str], query: str, cancelled: threading.Event
) -> list[FuzzyFileSearchResult]:
    if not query.strip():
        return []
    return FileIndex(roots).search(query, is_cancelled=cancelled.is_set)


def _session(connection: Connection, params: FuzzyFileSearchSessionStartParams) -> SearchSession:
    def updated(query: str, files: list[FuzzyFileSearchResult]) -> None:
        update = FuzzyFileSearchSessionUpdatedNotification(
            session_id=params.session_id, query=query, files=files
        )
        connection.notify(FUZZY_FILE_SEARCH_SESSION_UPDATED, update)

    def completed() -> None:
        end = FuzzyFileSearchSessionCompletedNotification(session_id=params.session_id)
        connection.notify(FUZZY_FILE_SEARCH_SESSION_COMPLETED, end)

    return SearchSession(params.roots, updated, completed)
