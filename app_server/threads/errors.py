"""What the threads' room refuses.

ThreadError
├── InvalidThreadId        the id is no UUID
├── ThreadNotFound         the method needs a loaded thread
├── NoRollout              nothing is stored under the id
├── ThreadClosing          being unloaded right now
└── Refused                a rule of one method, said in its own words
"""

from __future__ import annotations


class ThreadError(Exception):
    """A request about threads that cannot be followed; the message is for the client."""


class InvalidThreadId(ThreadError):
    def __init__(self, text: str) -> None:
        super().__init__(f"invalid thread id: {_what_is_wrong(text)}")


class ThreadNotFound(ThreadError):
    def __init__(self, thread_id: str) -> None:
        super().__init__(f"thread not found: {thread_id}")


class ThreadNotLoaded(ThreadError):
    def __init__(self, thread_id: str) -> None:
        super().__init__(f"thread not loaded: {thread_id}")


class NoRollout(ThreadError):
    def __init__(self, thread_id: str, *, archived: bool = False) -> None:
        kind = "archived rollout" if archived else "rollout"
        super().__init__(f"no {kind} found for thread id {thread_id}")


class ThreadClosing(ThreadError):
    def __init__(self, thread_id: str, retry: str = "") -> None:
        retry = f"retry {retry}" if retry else "retry"
        super().__init__(f"thread {thread_id} is closing; {retry} after the thread is closed")


class Refused(ThreadError):
    """A rule of one method."""


def _what_is_wrong(text: str) -> str:
    """The way the original's UUID parser complains."""
    for index, character in enumerate(text):
        if character not in "0123456789abcdefABCDEF-":
            return (
                "invalid character: expected an optional prefix of `urn:uuid:` followed by "
                f"[0-9a-fA-F-], found `{character}` at {index + 1}"
            )
    groups = text.split("-")
    if len(groups) != 5 and len(groups) != 1:
        return f"invalid group count: expected 5, found {len(groups)}"
    return (
        f"invalid length: expected length 32 for simple format, found {len(text.replace('-', ''))}"
    )
