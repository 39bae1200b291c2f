"""Earlier messages, recalled with Up and found with Ctrl+R. Pure.

Entries are this session's own on top of those kept from earlier sessions. Recall starts only from
an empty draft, or from a text that was itself recalled and has not been changed.
"""

from collections.abc import Sequence


class History:
    """Oldest first; `position` counts back from the draft, which is 0."""

    def __init__(self, entries: Sequence[str] = ()) -> None:
        self._entries = list(entries)
        self._position = 0
        self._draft = ""
        self._recalled: str | None = None

    def load(self, entries: Sequence[str]) -> None:
        """Put what earlier sessions kept before what this one has added."""
        self._entries = [*entries, *self._entries]

    def add(self, text: str) -> None:
        if text.strip() and (not self._entries or self._entries[-1] != text):
            self._entries.append(text)
        self.stop()

    def stop(self) -> None:
        self._position, self._recalled = 0, None

    def recall(self, step: int, current: str) -> str | None:
        """The text to show after Up (-1) or Down (1); None where the key means something else."""
        if current and current != self._recalled:
            return None
        if self._position == 0:
            self._draft = current
        wanted = self._position - step
        if wanted < 0 or wanted > len(self._entries):
            return None
        self._position = wanted
        self._recalled = self._entries[-wanted] if wanted else self._draft
        return self._recalled

    def find(self, query: str, newer_than: int = 0) -> tuple[int, str] | None:
        """The latest entry holding `query`, further back than position `newer_than`."""
        return self._search(query, range(newer_than + 1, len(self._entries) + 1))

    def find_newer(self, query: str, older_than: int) -> tuple[int, str] | None:
        return self._search(query, range(older_than - 1, 0, -1))

    def _search(self, query: str, positions: range) -> tuple[int, str] | None:
        wanted = query.casefold()
        for position in positions:
            entry = self._entries[-position]
            if wanted in entry.casefold():
                return position, entry
        return None
