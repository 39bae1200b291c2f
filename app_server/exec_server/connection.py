"""One client's conversation with the service: messages in, handler, messages out.

Requests are handled one after another, in the order they came; `process/wait` and writes that wait
for their process do not hold up the next one. Knows no transport: it is given messages and a way
to send lines, and says by an exception when the conversation is over.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from app_server.exec_server import messages, protocol
from app_server.exec_server.handler import ExecHandler
from app_server.exec_server.limits import Limits
from app_server.exec_server.loop import Loop
from app_server.exec_server.messages import Message
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Body,
    ProtocolViolation,
    ServiceError,
)
from app_server.exec_server.sessions import Sessions

log = logging.getLogger(__name__)

WAITING_REQUESTS = 128
"""Requests not yet begun above which the transport should stop reading."""


class Connection:
    """Routes the messages of one client to its handler."""

    def __init__(
        self,
        loop: Loop,
        send: Callable[[bytes], object],
        limits: Limits | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self._send = send
        self._waiting: deque[Message] = deque()
        self._is_busy = False
        self.on_room: Callable[[], None] = lambda: None
        """Called when there is room again after `is_full`."""
        self.handler = ExecHandler(loop, self._notify, limits, sessions)

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= WAITING_REQUESTS

    def receive(self, message: Message) -> None:
        """Take one message. Raises `ProtocolViolation`, which ends the conversation."""
        if message.method is None:
            kind = "response" if bytes(message.result) else "error"
            raise ProtocolViolation(
                f"unexpected client {kind} for request id {_debug_id(message.id)}"
            )
        if message.id is None and message.method != "initialized":
            raise ProtocolViolation(f"unexpected notification method: {message.method}")
        self._waiting.append(message)
        self._go_on()

    def receive_garbage(self, reason: str) -> None:
        """Take a text that is no message: answered to a client of 0.128 or later, fatal in v0."""
        if not self.handler.has_session_client:
            raise ProtocolViolation(reason)
        self._send(messages.error_line(-1, ServiceError(INVALID_REQUEST, reason)))

    def _go_on(self) -> None:
        was_full = self.is_full
        while self._waiting and not self._is_busy:
            message = self._waiting.popleft()
            if message.id is None:
                # Nothing waits before the handshake, so this can only fail inside `receive`.
                self.handler.initialized()
            else:
                self._asked(message.id, message)
        if was_full and not self.is_full:
            self.on_room()

    def _asked(self, message_id: protocol.MessageId, message: Message) -> None:
        assert message.method is not None
        is_answered = False
        is_held = False

        def reply(result: Body | ServiceError) -> None:
            nonlocal is_answered
            is_answered = True
            if isinstance(result, ServiceError):
                self._send(messages.error_line(message_id, result))
            else:
                self._send(messages.result_line(message_id, result))
            if is_held:
                self._is_busy = False
                self._go_on()

        try:
            params = messages.read_params(message.method, message.params)
        except ServiceError as error:
            if error.code == METHOD_NOT_FOUND:
                error = self._unknown_method(message.method)
            reply(error)
            return
        try:
            must_wait = self.handler.handle(params, reply)
        except Exception as error:
            log.exception("%s failed", message.method)
            must_wait = False
            if not is_answered:
                reply(ServiceError(INTERNAL_ERROR, f"internal error: {type(error).__name__}"))
        if must_wait and not is_answered:
            is_held = self._is_busy = True

    def _unknown_method(self, method: str) -> ServiceError:
        if self.handler.has_session_client:
            return ServiceError(
                METHOD_NOT_FOUND, f"exec-server stub does not implement `{method}` yet"
            )
        return ServiceError(INVALID_REQUEST, f"unknown method: {method}")

    def _notify(self, notification: protocol.Notification) -> None:
        self._send(messages.service_line(notification))


def _debug_id(message_id: protocol.MessageId | None) -> str:
    if isinstance(message_id, str):
        return f'String("{message_id}")'
    return f"Integer({message_id})"
