"""All sessions of a service, by id: opened, left, taken up again.

A session nobody comes back to is ended after its time; when the service ends they all are.
"""

from __future__ import annotations

from collections.abc import Callable

from app_server.exec_server.limits import Limits
from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.protocol import (
    ATTACHED_ELSEWHERE,
    INVALID_REQUEST,
    Notification,
    ServiceError,
)
from app_server.exec_server.session import Session
from app_server.ids import uuid4


class Sessions:
    """What the clients of one service run."""

    def __init__(self, loop: Loop, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._loop = loop
        self._sessions: dict[str, Session] = {}
        self._ending: list[Session] = []
        self._deadlines: dict[str, Timer] = {}

    def open(self, notify: Callable[[Notification], None], *, is_resumable: bool) -> Session:
        """A new session, for the client that is told by `notify`."""
        session = Session(uuid4(), self._loop, notify, self._limits, is_resumable=is_resumable)
        self._sessions[session.id] = session
        return session

    def resume(self, session_id: str, notify: Callable[[Notification], None]) -> Session:
        """Take up a session its client has left. Raises `ServiceError`."""
        session = self._sessions.get(session_id)
        if session is None or not session.is_resumable:
            raise ServiceError(INVALID_REQUEST, f"unknown session id {session_id}")
        if session.is_attached:
            raise ServiceError(
                ATTACHED_ELSEWHERE if session.uses_uris else INVALID_REQUEST,
                "session ID is already attached to another connection",
            )
        self._deadlines.pop(session_id).cancel()
        session.attach(notify)
        return session

    def leave(self, session: Session) -> None:
        """The connection has ended: keep the session for a while if its client may come back."""
        if not session.is_resumable:
            self.end(session)
            return
        session.detach()
        limits = self._limits
        self._deadlines[session.id] = self._loop.call_later(
            limits.detached_session_seconds_since_0_169
            if session.uses_uris
            else limits.detached_session_seconds,
            lambda: self.end(session),
        )

    def end(self, session: Session) -> None:
        """End what runs in it; the session is kept, nameless, until nothing does."""
        self._sessions.pop(session.id, None)
        deadline = self._deadlines.pop(session.id, None)
        if deadline is not None:
            deadline.cancel()
        session.close()
        self._ending = [other for other in self._ending if not other.has_ended]
        self._ending.append(session)

    def end_all(self) -> None:
        for session in list(self._sessions.values()):
            self.end(session)

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left of the sessions that were ended."""
        return all(session.has_ended for session in self._ending)
