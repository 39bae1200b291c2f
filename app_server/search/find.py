"""Searching files below several roots: the entries are listed once, then scored per query."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app_server.protocol.file_search import FuzzyFileSearchResult
from app_server.search.fuzzy import Match, Query
from app_server.search.walk import Entry, walk
from app_server.side_threads import SideThreads

LIMIT = 50
"""Results of one search."""

CHECK_EVERY = 500
"""Entries between two looks at whether anybody still wants the answer."""

SEARCHING = SideThreads("search", 2)
"""Where indexes are made and searched."""


class FileIndex:
    """The entries below some roots as they were when it was made."""

    def __init__(self, roots: Sequence[str]) -> None:
        """Walks the roots; blocks on the disk, so make it off the event loop."""
        self._entries: list[tuple[str, Entry]] = [
            (root, entry) for root in roots for entry in walk(Path(root))
        ]

    def search(
        self,
        query_text: str,
        *,
        limit: int = LIMIT,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> list[FuzzyFileSearchResult]:
        """The best matches, best first; none for a blank query or when cancelled on the way."""
        query = Query(query_text)
        if not query.words:
            return []
        best = heapq.nsmallest(
            limit,
            self._matches(query, is_cancelled),
            key=lambda found: (-found[2].score, found[1].path, found[0]),
        )
        if is_cancelled is not None and is_cancelled():
            return []
        return [_as_result(root, entry, match) for root, entry, match in best]

    def _matches(
        self, query: Query, is_cancelled: Callable[[], bool] | None
    ) -> Iterator[tuple[str, Entry, Match]]:
        for number, (root, entry) in enumerate(self._entries):
            if number % CHECK_EVERY == 0 and is_cancelled is not None and is_cancelled():
                return
            match = query.match(entry.path)
            if match is not None:
                yield root, entry, match


def _as_result(root: str, entry: Entry, match: Match) -> FuzzyFileSearchResult:
    return FuzzyFileSearchResult(
        root=root,
        path=entry.path,
        match_type="directory" if entry.is_folder else "file",
        file_name=os.path.basename(entry.path),
        score=match.score,
        indices=match.indices,
    )
