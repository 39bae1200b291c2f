"""Fuzzy search for files: one shot, or a session that follows the typing."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification
from app_server.protocol.shared import PathParam, Unsigned32
from app_server.protocol.wire import SnakeWire, Wire

FuzzyFileSearchMatchType: TypeAlias = Literal["file", "directory"]


class FuzzyFileSearchResult(SnakeWire):
    """A match; `indices` are the matched characters, for highlighting."""

    root: str
    path: str
    match_type: FuzzyFileSearchMatchType
    file_name: str
    score: Unsigned32
    indices: list[Unsigned32] | None = None


class FuzzyFileSearchParams(Wire):
    """Search once. A repeated `cancellation_token` ends the earlier search that had it."""

    query: str
    roots: list[PathParam]
    cancellation_token: str | None = None


class FuzzyFileSearchResponse(Wire):
    files: list[FuzzyFileSearchResult]


class FuzzyFileSearchSessionStartParams(Wire):
    roots: list[PathParam]
    session_id: str


class FuzzyFileSearchSessionStartResponse(Wire): ...


class FuzzyFileSearchSessionUpdateParams(Wire):
    query: str
    session_id: str


class FuzzyFileSearchSessionUpdateResponse(Wire): ...


class FuzzyFileSearchSessionStopParams(Wire):
    session_id: str


class FuzzyFileSearchSessionStopResponse(Wire): ...


class FuzzyFileSearchSessionUpdatedNotification(Wire):
    session_id: str
    query: str
    files: list[FuzzyFileSearchResult]


class FuzzyFileSearchSessionCompletedNotification(Wire):
    session_id: str


def _by_session(
    params: FuzzyFileSearchSessionStartParams
    | FuzzyFileSearchSessionUpdateParams
    | FuzzyFileSearchSessionStopParams,
) -> str:
    return f"search:{params.session_id}"


FUZZY_FILE_SEARCH = ClientMethod("fuzzyFileSearch", FuzzyFileSearchParams, FuzzyFileSearchResponse)
FUZZY_FILE_SEARCH_SESSION_START = ClientMethod(
    "fuzzyFileSearch/sessionStart",
    FuzzyFileSearchSessionStartParams,
    FuzzyFileSearchSessionStartResponse,
    queue=_by_session,
    experimental=True,
)
FUZZY_FILE_SEARCH_SESSION_UPDATE = ClientMethod(
    "fuzzyFileSearch/sessionUpdate",
    FuzzyFileSearchSessionUpdateParams,
    FuzzyFileSearchSessionUpdateResponse,
    queue=_by_session,
    experimental=True,
)
FUZZY_FILE_SEARCH_SESSION_STOP = ClientMethod(
    "fuzzyFileSearch/sessionStop",
    FuzzyFileSearchSessionStopParams,
    FuzzyFileSearchSessionStopResponse,
    queue=_by_session,
    experimental=True,
)
FUZZY_FILE_SEARCH_SESSION_UPDATED = ServerNotification(
    "fuzzyFileSearch/sessionUpdated", FuzzyFileSearchSessionUpdatedNotification
)
FUZZY_FILE_SEARCH_SESSION_COMPLETED = ServerNotification(
    "fuzzyFileSearch/sessionCompleted", FuzzyFileSearchSessionCompletedNotification
)
