"""What a handler is given besides the params of its call.

A handler never sees ids, frames or sockets: it returns its result, or raises. What must not leave
before the reply is registered with `after_reply`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_server.server.connection import Connection
    from app_server.server.questions import Questions
    from app_server.server.server import Server
    from app_server.server.services import Services
    from app_server.threads.manager import ThreadManager


class RequestContext:
    """One call: who asked, and the rooms a handler may open."""

    __slots__ = ("_after_reply", "_let_next_run", "connection", "server")

    def __init__(
        self, server: Server, connection: Connection, let_next_run: Callable[[], None]
    ) -> None:
        self.server = server
        self.connection = connection
        self._let_next_run = let_next_run
        self._after_reply: list[Callable[[], None]] = []

    @property
    def services(self) -> Services:
        return self.server.services

    @property
    def threads(self) -> ThreadManager:
        return self.server.threads

    @property
    def questions(self) -> Questions:
        return self.server.questions

    def after_reply(self, step: Callable[[], None]) -> None:
        """Run `step` right after the reply was queued, with nothing in between.

        Steps run in the order registered, not at all if the call fails, and must not block: they
        queue notifications or start tasks.
        """
        self._after_reply.append(step)

    def release_queue(self) -> None:
        """Let the next call of this one's queue run although this one goes on."""
        self._let_next_run()

    def replied(self) -> None:
        """The reply was queued; called once, by the router."""
        for step in self._after_reply:
            step()
