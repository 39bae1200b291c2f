"""Pages, filters and search over stored threads.

A list is a scan: names of files give the order, the beginning of a file gives the rest, and only as
many files are opened as the page needs. What was read from the beginning of a file is kept, since
it does not change once it holds the first user message. An index would take the place of
`_Candidates`.

A thread is listed only if its file begins as a thread's does and holds a user message. Reads files;
call it off the event loop.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.thread_data import GitInfo
from app_server.storage.errors import InvalidCursor
from app_server.storage.files import (
    SCAN_LIMIT,
    active_files,
    archived_files,
    created_ms,
    thread_id_of,
)
from app_server.storage.git_corrections import corrected_git
from app_server.storage.names import current_names
from app_server.storage.rollout_read import RolloutHead, read_head

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
CACHED_HEADS = 2 * SCAN_LIMIT

INTERACTIVE = frozenset({"cli", "vscode"})

SortKey: TypeAlias = Literal["created_at", "updated_at"]


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which threads, in which order, which page."""

    cursor: str | None = None
    limit: int | None = None
    """None: 25. At least 1, at most 100."""
    sort_key: SortKey = "created_at"
    newest_first: bool = True
    archived: bool = False
    source_kinds: Collection[str] = ()
    """Kinds as `thread/list` names them; none: interactive threads."""
    model_providers: Collection[str] = ()
    """None given: all. A file that names no provider counts for `default_provider`."""
    default_provider: str = "openai"
    cwds: Collection[str] | None = None
    """Exact paths; none: anywhere."""
    search_term: str | None = None
    """A part of the title: of the name, or of the first message where there is no name."""


class ListedThread(msgspec.Struct, frozen=True, kw_only=True):
    """One entry."""

    head: RolloutHead
    name: str | None
    corrected_git: GitInfo | None
    created_ms: int
    updated_ms: int

    @property
    def preview(self) -> str:
        return self.head.preview or ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    threads: list[ListedThread]
    next_cursor: str | None = None
    """Where the next page begins; None at the end."""
    backwards_cursor: str | None = None
    """For paging the other way from the first entry; None for an empty page."""


Key: TypeAlias = tuple[int, str]
"""Time in milliseconds, then the id, so that threads of the same moment keep an order."""


class ThreadLists:
    """Lists over one home, with what it remembers of the files."""

    def __init__(self, codex_home: Path) -> None:
        self._home = codex_home
        self._heads: dict[Path, tuple[int, RolloutHead]] = {}

    def page(self, query: ListQuery) -> Page:
        """One page; raises `InvalidCursor`."""
        limit = min(max(DEFAULT_LIMIT if query.limit is None else query.limit, 1), MAX_LIMIT)
        start = None if query.cursor is None else parse_cursor(query.cursor)
        matches = self._matches(query, start)
        found = list(islice(matches, limit + 1))
        threads = found[:limit]
        return Page(
            threads=threads,
            next_cursor=_cursor(query, threads[-1]) if len(found) > limit else None,
            backwards_cursor=_cursor(query, threads[0]) if threads else None,
        )

    def _matches(self, query: ListQuery, start: Key | None) -> Iterator[ListedThread]:
        names, gits = current_names(self._home), corrected_git(self._home)
        for key, path in self._in_order(query):
            if start is not None and (key >= start if query.newest_first else key <= start):
                continue
            head = self._head(path)
            if head is None or head.preview is None:
                continue
            name = names.get(key[1])
            if not _wanted(query, head, name):
                continue
            try:
                updated_ms = os.stat(path).st_mtime_ns // 1_000_000
            except OSError:
                continue
            yield ListedThread(
                head=head,
                name=name,
                corrected_git=gits.get(key[1]),
                created_ms=created_ms(path),
                updated_ms=updated_ms,
            )

    def _in_order(self, query: ListQuery) -> list[tuple[Key, Path]]:
        files = archived_files(self._home) if query.archived else active_files(self._home)
        keyed: list[tuple[Key, Path]] = []
        for path in islice(files, SCAN_LIMIT):
            moment = created_ms(path) if query.sort_key == "created_at" else _modified_ms(path)
            keyed.append(((moment, thread_id_of(path) or ""), path))
        keyed.sort(key=lambda entry: entry[0], reverse=query.newest_first)
        return keyed

    def _head(self, path: Path) -> RolloutHead | None:
        try:
            inode = os.stat(path).st_ino
        except OSError:
            return None
        known = self._heads.get(path)
        if known is not None and known[0] == inode:
            return known[1]
        head = read_head(path)
        if head is not None and head.preview is not None:
            if len(self._heads) >= CACHED_HEADS:
                self._heads.clear()
            self._heads[path] = (inode, head)
        return head


def list_threads(codex_home: Path, query: ListQuery) -> Page:
    """One page without remembering anything; a server keeps a `ThreadLists`."""
    return ThreadLists(codex_home).page(query)


def source_kind(source: Any) -> str:
    """The kind `thread/list` filters by, from a source as files hold it."""
    if source is None or isinstance(source, msgspec.UnsetType):
        return "vscode"
    if isinstance(source, str):
        return {"mcp": "appServer"}.get(source, source)
    agent = source.get("subagent")
    if agent is None:
        return "unknown"
    if isinstance(agent, dict):
        return "subAgentThreadSpawn" if "thread_spawn" in agent else "subAgentOther"
    return {"review": "subAgentReview", "compact": "subAgentCompact"}.get(agent, "subAgentOther")


def parse_cursor(cursor: str) -> Key:
    """The place a cursor stands for; a bare time, as the original gives out, is one too."""
    moment, _, thread_id = cursor.partition("|")
    try:
        time = datetime.fromisoformat(moment)
    except ValueError as error:
        raise InvalidCursor(cursor) from error
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return round(time.timestamp() * 1000), thread_id


def _cursor(query: ListQuery, thread: ListedThread) -> str:
    moment = thread.created_ms if query.sort_key == "created_at" else thread.updated_ms
    time = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{time.replace('+00:00', 'Z')}|{thread_id_of(thread.head.path)}"


def _modified_ms(path: Path) -> int:
    try:
        return os.stat(path).st_mtime_ns // 1_000_000
    except OSError:
        return 0


def _wanted(query: ListQuery, head: RolloutHead, name: str | None) -> bool:
    meta = head.meta
    kind = source_kind(meta.source)
    kinds = query.source_kinds or INTERACTIVE
    if kind not in kinds and not (kind.startswith("subAgent") and "subAgent" in kinds):
        return False
    if query.model_providers:
        provider = meta.model_provider or query.default_provider
        if provider not in query.model_providers:
            return False
    if query.cwds is not None and meta.cwd not in query.cwds:
        return False
    if query.search_term:
        return query.search_term in (name or head.preview or "")
    return True
