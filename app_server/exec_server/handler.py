"""The methods of the process service, typed: one handler per connection, no wire in sight.

Keeps the rules of the handshake and passes the rest to the session of its client. A method answers
through a callback, at once or later. Rules and the texts of refusals are those of `exec-server.v0`.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from app_server.exec_server import environment_methods, file_methods, protocol
from app_server.exec_server.limits import Limits
from app_server.exec_server.loop import Loop
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    Body,
    Notification,
    ServiceError,
)
from app_server.exec_server.session import Reply, Session
from app_server.exec_server.sessions import Sessions


class ExecHandler:
    """What one connection may ask."""

    def __init__(
        self,
        loop: Loop,
        notify: Callable[[Notification], None],
        limits: Limits | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self._notify = notify
        self._sessions = sessions or Sessions(loop, limits)
        self._session: Session | None = None
        self._is_ready = False

    # Handshake

    def initialize(self, params: protocol.InitializeParams) -> protocol.InitializeResult:
        """Answer the first call of a connection. Raises `ServiceError`."""
        if self._session is not None:
            raise ServiceError(INVALID_REQUEST, "initialize may only be sent once per connection")
        if isinstance(params.resume_session_id, str):
            self._session = self._sessions.resume(params.resume_session_id, self._notify)
        else:
            is_resumable = params.resume_session_id is not UNSET
            self._session = self._sessions.open(self._notify, is_resumable=is_resumable)
        return protocol.InitializeResult(
            protocol_version=protocol.PROTOCOL_VERSION,
            session_id=self._session.id if self._session.is_resumable else UNSET,
            applies_sandboxes=True if params.asks_for_sandboxes else UNSET,
        )

    def initialized(self) -> None:
        """The client has seen the answer. Raises `ProtocolViolation`."""
        if self._session is None:
            raise protocol.ProtocolViolation(
                "received `initialized` notification before `initialize`"
            )
        self._is_ready = True

    @property
    def has_session_client(self) -> bool:
        """Whether the client is of release 0.128 or later."""
        return self._session is not None and self._session.is_resumable

    def handle(self, params: Body, reply: Reply) -> bool:
        """Do what the params ask; True if the next request must wait for this one's answer."""
        try:
            if isinstance(params, protocol.InitializeParams):
                reply(self.initialize(params))
                return False
            session = self._ready_session()
            match params:
                case protocol.StartParams():
                    session.start(params, reply)
                    return True
                case protocol.PreparedStartParams():
                    session.start_prepared(params, reply)
                    return True
                case protocol.ReadParams():
                    session.read(params, reply)
                    return True
                case protocol.WriteParams():
                    session.write(params, reply)
                case protocol.TerminateParams():
                    reply(session.terminate(params))
                case protocol.HoldOutputParams():
                    reply(session.hold_output(params))
                case protocol.SignalParams():
                    reply(session.signal(params))
                case protocol.ResizeParams():
                    reply(session.resize(params))
                case protocol.CloseStdinParams():
                    reply(session.close_stdin(params))
                case protocol.WaitParams():
                    session.wait(params, reply)
                case protocol.SnapshotParams():
                    reply(session.snapshot(params))
                case file_methods.OpenParams():
                    reply(session.handles.open(params))
                case file_methods.ReadBlockParams():
                    reply(session.handles.read_block(params))
                case file_methods.CloseParams():
                    reply(session.handles.close(params))
                case file_methods.WatchMissingParams():
                    reply(session.missing.watch(params))
                case file_methods.FileParams():
                    session.file(params, reply)
                    return True
                case protocol.HttpRequestParams():
                    session.http_request(params, reply)
                case environment_methods.EnvironmentInfoParams():
                    from app_server.exec_server.environment_info import environment_info

                    session.uses_uris = True
                    reply(environment_info())
                case environment_methods.EnvironmentConfigReadParams():
                    from app_server.exec_server.environment_config import environment_config

                    reply(environment_config(params))
                case _:
                    raise ServiceError(INTERNAL_ERROR, "not handled")
        except ServiceError as error:
            reply(error)
        return False

    def _ready_session(self) -> Session:
        if self._session is None:
            raise ServiceError(
                INVALID_REQUEST, "client must call initialize before using exec methods"
            )
        if not self._is_ready:
            raise ServiceError(
                INVALID_REQUEST, "client must send initialized before using exec methods"
            )
        return self._session

    # Pressure and the end

    def pause_output(self) -> None:
        """The client is behind: read no more output."""
        if self._session is not None:
            self._session.pause_output()

    def resume_output(self) -> None:
        if self._session is not None:
            self._session.resume_output()

    def leave(self) -> None:
        """The connection has ended; a client that may come back finds its processes again."""
        if self._session is not None:
            self._sessions.leave(self._session)

    def close(self) -> None:
        """The client is gone for good: end its processes and tell nobody."""
        if self._session is not None:
            self._sessions.end(self._session)

    @property
    def has_ended(self) -> bool:
        """Whether nothing this client started is left."""
        return self._session is None or self._session.has_ended
