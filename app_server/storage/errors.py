"""What can go wrong with stored threads.

StorageError
├── RolloutNotFound      no file for a thread
├── RolloutUnusable      the file is there but its first line does not say which thread it is
└── InvalidCursor        a page was asked for with a cursor nobody gave out
"""

from __future__ import annotations

from pathlib import Path


class StorageError(Exception):
    """A stored thread cannot be read or changed."""


class RolloutNotFound(StorageError):
    """There is no file for the thread."""

    def __init__(self, thread_id: str) -> None:
        self.thread_id = thread_id
        super().__init__(f"no rollout found for thread id {thread_id}")


class RolloutUnusable(StorageError):
    """The file does not begin with the line that says which thread it is."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path} cannot be loaded: {reason}")


class InvalidCursor(StorageError):
    """The cursor is none of ours."""

    def __init__(self, cursor: str) -> None:
        self.cursor = cursor
        super().__init__(f"invalid cursor: {cursor}")
