"""Fuzzy file search: one shot and by session."""

from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.file_search import (
    FUZZY_FILE_SEARCH,
    FUZZY_FILE_SEARCH_SESSION_COMPLETED,
    FUZZY_FILE_SEARCH_SESSION_START,
    FUZZY_FILE_SEARCH_SESSION_STOP,
    FUZZY_FILE_SEARCH_SESSION_UPDATE,
    FUZZY_FILE_SEARCH_SESSION_UPDATED,
    FuzzyFileSearchParams,
    FuzzyFileSearchSessionCompletedNotification,
    FuzzyFileSearchSessionStartParams,
    FuzzyFileSearchSessionStopParams,
    FuzzyFileSearchSessionUpdatedNotification,
    FuzzyFileSearchSessionUpdateParams,
)
from tests.server.connector import Connector


@pytest.fixture
def workspace(workspace: Path) -> Path:
    for name in ("src/alpha.py", "src/beta.py", "docs/alphabet.md"):
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).touch()
    return workspace


async def next_of(client: Client, method: str) -> Notification:
    while True:
        async for event in client.events():
            if isinstance(event, Notification) and event.method == method:
                return event


async def test_one_search_finds_files_below_its_roots(connect: Connector, workspace: Path) -> None:
    client = await connect()
    found = await client.request(
        FUZZY_FILE_SEARCH,
        FuzzyFileSearchParams(query="alph", roots=[str(workspace)], cancellation_token="t"),
    )
    assert {file.path for file in found.files} == {"docs/alphabet.md", "src/alpha.py"}
    nothing = FuzzyFileSearchParams(query="  ", roots=[str(workspace)])
    assert (await client.request(FUZZY_FILE_SEARCH, nothing)).files == []


async def test_a_session_answers_each_query_with_an_update_and_its_end(
    connect: Connector, workspace: Path
) -> None:
    client = await connect()
    await client.request(
        FUZZY_FILE_SEARCH_SESSION_START,
        FuzzyFileSearchSessionStartParams(session_id="s", roots=[str(workspace)]),
    )
    for query, path in (("alpha.p", "src/alpha.py"), ("bet", "src/beta.py")):
        await client.request(
            FUZZY_FILE_SEARCH_SESSION_UPDATE,
            FuzzyFileSearchSessionUpdateParams(session_id="s", query=query),
        )
        update = (await next_of(client, FUZZY_FILE_SEARCH_SESSION_UPDATED.name)).params
        assert isinstance(update, FuzzyFileSearchSessionUpdatedNotification)
        assert (update.query, update.files[0].path) == (query, path)
        end = (await next_of(client, FUZZY_FILE_SEARCH_SESSION_COMPLETED.name)).params
        assert end == FuzzyFileSearchSessionCompletedNotification(session_id="s")
    stop = FuzzyFileSearchSessionStopParams(session_id="s")
    await client.request(FUZZY_FILE_SEARCH_SESSION_STOP, stop)
    await client.request(FUZZY_FILE_SEARCH_SESSION_STOP, stop)
    with pytest.raises(InvalidRequest, match="fuzzy file search session not found: s"):
        await client.request(
            FUZZY_FILE_SEARCH_SESSION_UPDATE,
            FuzzyFileSearchSessionUpdateParams(session_id="s", query="x"),
        )


async def test_a_new_session_says_that_it_is_ready(connect: Connector, workspace: Path) -> None:
    client = await connect()
    await client.request(
        FUZZY_FILE_SEARCH_SESSION_START,
        FuzzyFileSearchSessionStartParams(session_id="s", roots=[str(workspace)]),
    )
    ready = (await next_of(client, FUZZY_FILE_SEARCH_SESSION_UPDATED.name)).params
    assert ready == FuzzyFileSearchSessionUpdatedNotification(session_id="s", query="", files=[])
    await next_of(client, FUZZY_FILE_SEARCH_SESSION_COMPLETED.name)
    nowhere = FuzzyFileSearchSessionStartParams(session_id="t", roots=[])
    with pytest.raises(InternalError, match="at least one search directory is required"):
        await client.request(FUZZY_FILE_SEARCH_SESSION_START, nowhere)


async def test_sessions_belong_to_their_connection(connect: Connector, workspace: Path) -> None:
    first, second = await connect("first"), await connect("second")
    await first.request(
        FUZZY_FILE_SEARCH_SESSION_START,
        FuzzyFileSearchSessionStartParams(session_id="s", roots=[str(workspace)]),
    )
    with pytest.raises(InvalidRequest, match="session not found"):
        await second.request(
            FUZZY_FILE_SEARCH_SESSION_UPDATE,
            FuzzyFileSearchSessionUpdateParams(session_id="s", query="x"),
        )
    with pytest.raises(InvalidRequest, match="sessionId must not be empty"):
        await second.request(
            FUZZY_FILE_SEARCH_SESSION_START,
            FuzzyFileSearchSessionStartParams(session_id="", roots=[]),
        )
