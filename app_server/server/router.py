"""From a frame to its effect: gate, queue, handler, answer.

Frames of one connection pass the gate in the order they arrived: is the call readable, has the
client introduced itself, may it use what it asks for, is there room. The introduction itself runs
here, before anything after it is looked at; other calls go to the queue their row names. Every call
gets exactly one answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Any

from app_server.protocol import catalog
from app_server.protocol.errors import InvalidRequest, Overloaded, RpcError
from app_server.protocol.experimental import refusal, required_capability
from app_server.protocol.method import ClientMethod
from app_server.rpc.frames import (
    ErrorFrame,
    Frame,
    RequestFrame,
    ResultFrame,
    UnreadableRequest,
)
from app_server.server.connection import Connection
from app_server.server.context import RequestContext
from app_server.server.errors import as_rpc_error
from app_server.server.registry import handler_of

log = logging.getLogger(__name__)

CALLS_PER_CONNECTION = 1024
"""Calls of one client that may wait, run or have an answer it has not read; one more is refused as
overload.
"""

INITIALIZE = "initialize"

BEFORE_DEMANDS = (INITIALIZE, "account/", "getAuthStatus", "fs/", "fuzzyFileSearch", "thread/list")
"""What is answered before it is known what the account's workspace demands: one may sign out."""

SETTINGS = "config/"
"""Read and written while a keyring is looked in, too: a screen is drawn by them."""


async def route(connection: Connection, frame: Frame) -> None:
    """Take one frame from a client."""
    match frame:
        case RequestFrame():
            await _request(connection, frame)
        case ResultFrame():
            questions = connection.server.questions
            questions.settle(connection.connection_id, frame.id, frame.result)
        case ErrorFrame():
            connection.server.questions.settle(connection.connection_id, frame.id, frame.error)
        case UnreadableRequest():
            connection.outbox.put(ErrorFrame(frame.id, frame.error))
        case _:
            log.debug("connection %s told us %s", connection.connection_id, frame.method)


async def _request(connection: Connection, frame: RequestFrame) -> None:
    try:
        row = _pass_gate(connection, frame)
    except RpcError as error:
        connection.outbox.put(ErrorFrame(frame.id, error))
        return
    connection.call_opened()
    if row.name == INITIALIZE:
        await _answer(connection, frame, _nothing)
        if connection.initialized:
            await connection.server.welcome(connection)
        return
    queue: Hashable | None = row.queue(frame.params)
    if queue is not None and row.queue_is_private:
        queue = (connection.connection_id, queue)

    async def run(release: Callable[[], None]) -> None:
        await _answer(connection, frame, release)

    connection.server.queues.submit(queue, run, shared=row.shared)


def _pass_gate(connection: Connection, frame: RequestFrame) -> ClientMethod[Any, Any]:
    row = catalog.client_method(frame.method)
    if row is None:
        from app_server.protocol.decode import unknown_method

        raise unknown_method(frame.method)
    if row.name == INITIALIZE:
        if connection.initialized:
            raise InvalidRequest("Already initialized")
        return row
    if not connection.initialized:
        raise InvalidRequest("Not initialized")
    if not connection.experimental:
        descriptor = required_capability(row, frame.params)
        if descriptor is not None:
            raise InvalidRequest(refusal(descriptor))
    if connection.open_calls + connection.outbox.waiting_answers >= CALLS_PER_CONNECTION:
        raise Overloaded
    return row


async def _answer(connection: Connection, frame: RequestFrame, release: Callable[[], None]) -> None:
    try:
        if not connection.gate_is_open:
            return
        context = RequestContext(connection.server, connection, release)
        try:
            if frame.method.startswith(SETTINGS):
                await connection.server.services.cloud_demands.soon()
            elif not frame.method.startswith(BEFORE_DEMANDS):
                await connection.server.services.cloud_demands.ready()
            result = await handler_of(frame.method)(context, frame.params)
        except Exception as error:
            connection.outbox.put(ErrorFrame(frame.id, as_rpc_error(frame.method, error)))
            return
        connection.outbox.put(ResultFrame(frame.id, result))
        context.replied()
    finally:
        connection.call_closed()


def _nothing() -> None:
    """The introduction waits in no queue."""
