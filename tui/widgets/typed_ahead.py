"""Keys that were on their way when a question came up by itself: they are not its answer.

Until nothing has been typed for `GUARD_SECONDS`, letters are kept for the draft and other keys do
nothing.
"""

from collections.abc import Collection

from textual import events

from tui.clock import Clock

GUARD_SECONDS = 0.3


class TypedAhead:
    """Begins with the question."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard_until = clock.monotonic() + GUARD_SECONDS
        self.text = ""
        """What was meant for the draft."""

    def takes(self, event: events.Key) -> bool:
        """Whether this key came too early to be an answer."""
        if self._clock.monotonic() >= self._guard_until:
            return False
        self._guard_until = self._clock.monotonic() + GUARD_SECONDS
        if event.is_printable and event.character is not None:
            self.text += event.character
        return True

    def for_draft(self, answers: Collection[str], *, is_empty: bool) -> str:
        """What goes into the draft now; not one answer's key, over and over, into an empty one.

        That was a finger that was too fast.
        """
        keys = set(self.text)
        return "" if is_empty and len(keys) == 1 and keys <= set(answers) else self.text
