"""How a thread asks its users something, as the agent sees it."""

from __future__ import annotations


class QuestionRefused(Exception):
    """The answer was an error, or could not be understood; it counts as declined."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
