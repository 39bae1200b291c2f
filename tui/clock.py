"""The interface's clock: one value to freeze in tests."""

import time


class Clock:
    """Unix seconds for what is shown and kept, monotonic seconds for waiting."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class FrozenClock(Clock):
    """Stands still until told otherwise."""

    def __init__(self, at: float = 1_770_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at
