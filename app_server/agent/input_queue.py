"""What the user has said to a running turn and the model has not read yet.

Waiting input joins the history before the next request to the model, but never before the first
request of a turn: that one answers what the turn was started with. A message leaves the queue in
the step that records it, so whoever ends the turn meanwhile still finds it here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from app_server.protocol.user_input import TextUserInput, UserInput


class QueuedInput(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the user."""

    parts: tuple[UserInput, ...]
    client_id: str | None = None

    @classmethod
    def of(cls, parts: Sequence[UserInput], client_id: str | None = None) -> QueuedInput:
        return cls(parts=tuple(parts), client_id=client_id)

    def repeats(self, other: QueuedInput) -> bool:
        """Whether this says all that `other` said, as a client does that sends it once more.

        Such a client joins several messages by line breaks, so whole lines are compared: words
        that merely occur again in another sentence are not a repetition.
        """
        if other.client_id is not None and other.client_id == self.client_id:
            return True
        return all(
            any(
                isinstance(ours, TextUserInput) and _has_lines(ours.text, part.text)
                if isinstance(part, TextUserInput)
                else ours == part
                for ours in self.parts
            )
            for part in other.parts
        )


class InputQueue:
    """Messages in the order they came. Bounded only by what the user types during one turn."""

    def __init__(self) -> None:
        self._waiting: deque[QueuedInput] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, message: QueuedInput) -> None:
        self._waiting.append(message)

    def put_first(self, messages: Sequence[QueuedInput]) -> None:
        """Let these be read before everything that waits."""
        self._waiting.extendleft(reversed(messages))

    @property
    def first(self) -> QueuedInput:
        """The message to be read next."""
        return self._waiting[0]

    def take_first(self) -> QueuedInput:
        return self._waiting.popleft()

    def take_all(self) -> list[QueuedInput]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


def _has_lines(text: str, wanted: str) -> bool:
    """Whether the lines of `wanted` stand in `text` one after another, each as a whole."""
    return f"\n{wanted.strip()}\n" in f"\n{text.strip()}\n"
