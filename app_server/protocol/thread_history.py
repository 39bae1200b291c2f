"""Stored threads: list, read, shorten, extend."""

from typing import Any, Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, by_thread
from app_server.protocol.shared import SortDirection, Unsigned32
from app_server.protocol.thread_data import Thread, Turn
from app_server.protocol.wire import Wire

ThreadSortKey: TypeAlias = Literal["created_at", "updated_at"]

ThreadSourceKind: TypeAlias = Literal[
    "cli",
    "vscode",
    "exec",
    "appServer",
    "subAgent",
    "subAgentReview",
    "subAgentCompact",
    "subAgentThreadSpawn",
    "subAgentOther",
    "unknown",
]

ThreadListCwdFilter: TypeAlias = str | list[str]
"""One directory or several; exact matches only."""


class ThreadListParams(Wire):
    """Page through stored threads, newest first unless told otherwise."""

    cursor: str | None = None
    limit: Unsigned32 | None = None
    sort_key: ThreadSortKey | None = None
    sort_direction: SortDirection | None = None
    model_providers: list[str] | None = None
    source_kinds: list[ThreadSourceKind] | None = None
    archived: bool | None = None
    cwd: ThreadListCwdFilter | None = None
    search_term: str | None = None
    use_state_db_only: bool = False


class ThreadListResponse(Wire):
    data: list[Thread]
    next_cursor: str | None = None
    backwards_cursor: str | None = None


class ThreadLoadedListParams(Wire):
    cursor: str | None = None
    limit: Unsigned32 | None = None


class ThreadLoadedListResponse(Wire):
    data: list[str]
    next_cursor: str | None = None


class ThreadReadParams(Wire):
    """Ask for one stored thread without loading it."""

    thread_id: str
    include_turns: bool = False


class ThreadReadResponse(Wire):
    thread: Thread


class ThreadTurnsListParams(Wire):
    """Page through the turns of a stored thread, newest first unless told otherwise."""

    thread_id: str
    cursor: str | None = None
    limit: Unsigned32 | None = None
    sort_direction: SortDirection | None = None


class ThreadTurnsListResponse(Wire):
    data: list[Turn]
    next_cursor: str | None = None
    backwards_cursor: str | None = None


class ThreadCompactStartParams(Wire):
    thread_id: str


class ThreadCompactStartResponse(Wire): ...


class ThreadRollbackParams(Wire):
    """Forget the latest turns."""

    thread_id: str
    num_turns: Unsigned32


class ThreadRollbackResponse(Wire):
    thread: Thread


class ThreadInjectItemsParams(Wire):
    """Append raw model items to the history, without a turn."""

    thread_id: str
    items: list[Any]


class ThreadInjectItemsResponse(Wire): ...


class ContextCompactedNotification(Wire):
    """Older twin of the `contextCompaction` item."""

    thread_id: str
    turn_id: str


THREAD_COMPACT_START = ClientMethod(
    "thread/compact/start", ThreadCompactStartParams, ThreadCompactStartResponse, queue=by_thread
)
THREAD_ROLLBACK = ClientMethod(
    "thread/rollback", ThreadRollbackParams, ThreadRollbackResponse, queue=by_thread
)
THREAD_LIST = ClientMethod("thread/list", ThreadListParams, ThreadListResponse)
THREAD_LOADED_LIST = ClientMethod(
    "thread/loaded/list", ThreadLoadedListParams, ThreadLoadedListResponse
)
THREAD_READ = ClientMethod("thread/read", ThreadReadParams, ThreadReadResponse, queue=by_thread)
THREAD_TURNS_LIST = ClientMethod(
    "thread/turns/list", ThreadTurnsListParams, ThreadTurnsListResponse
)
THREAD_INJECT_ITEMS = ClientMethod(
    "thread/inject_items", ThreadInjectItemsParams, ThreadInjectItemsResponse, queue=by_thread
)
THREAD_COMPACTED = ServerNotification("thread/compacted", ContextCompactedNotification)
