"""How a thread asks its users something, as the agent sees it."""

from __future__ import annotations

from typing import Protocol, TypeVar

from app_server.protocol.method import ServerMethod

P = TypeVar("P")
R = TypeVar("R")


class QuestionRefused(Exception):
    """The answer was an error, or could not be understood; it counts as declined."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class AsksUsers(Protocol):
    """Puts questions to whoever listens to the thread."""

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        """Wait for the first answer; cancelling withdraws the question.

        Raises `QuestionRefused`. With nobody listening the question waits for someone to resume.
        """
        ...
