"""Questions the server puts to its clients, from asking to answer.

Ids are integers counted from 0 for the whole process. A question about a thread goes to everyone
who hears the thread; only connections that were asked may answer, and the first answer wins.
An error or an answer that does not fit counts as refused; where the question is about no thread,
only when nobody else is left who may answer. A question outlives the connections it
was sent to: whoever resumes the thread is asked again under the same id.

`serverRequest/resolved` leaves before the asker continues, so it precedes what the answer causes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from app_server.agent.questions import QuestionRefused
from app_server.protocol.approvals import (
    ITEM_TOOL_CALL,
    SERVER_REQUEST_RESOLVED,
    ServerRequestResolvedNotification,
)
from app_server.protocol.decode import read
from app_server.protocol.errors import RpcError
from app_server.protocol.method import ServerMethod
from app_server.threads.subscriptions import Subscriber

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

QUIET = frozenset({ITEM_TOOL_CALL.name})
"""Questions to one program about its own tool: nobody else waits to hear that they are settled."""


class NobodyLeft(QuestionRefused):
    """Everyone who was asked about no thread in particular has disconnected."""

    def __init__(self) -> None:
        super().__init__("everyone who was asked has left")


Audience = Callable[[], Sequence[Subscriber]]


class Questions:
    """The open questions of the whole server."""

    def __init__(self) -> None:
        self._open: dict[int, _Question] = {}
        self._next_id = 0

    async def ask(
        self,
        row: ServerMethod[P, R],
        params: P,
        audience: Audience,
        *,
        thread_id: str | None = None,
    ) -> R:
        """Ask everyone in `audience` and wait for the first answer.

        Cancelling the wait withdraws the question. Raises `QuestionRefused`.
        """
        question = _Question(self._next_id, row, params, audience, thread_id)
        self._next_id += 1
        self._open[question.request_id] = question
        for subscriber in audience():
            question.send_to(subscriber)
        try:
            answer: R = await question.answer
        except asyncio.CancelledError:
            self._close(question)
            raise
        return answer

    def settle(self, connection_id: int, request_id: int | str, result: object) -> None:
        """Take an answer: a result value (typed or plain JSON) or an `RpcError`.

        Answers to unknown or settled questions, or from a connection that was not asked, are
        dropped.
        """
        question = self._open.get(request_id) if isinstance(request_id, int) else None
        if question is None or connection_id not in question.asked:
            log.debug("connection %s answered question %r nobody asked", connection_id, request_id)
            return
        if isinstance(result, RpcError) and question.waits_for_others(connection_id):
            return
        self._close(question)
        if question.answer.done():
            return
        if isinstance(result, RpcError):
            refusal = QuestionRefused(result.message)
            refusal.__cause__ = result
            question.answer.set_exception(refusal)
            return
        try:
            question.answer.set_result(_typed(question.row, result))
        except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
            log.info("question %s: answer not understood: %s", request_id, error)
            question.answer.set_exception(
                QuestionRefused(f"the answer was not understood: {error}")
            )

    def put_again(self, thread_id: str, subscriber: Subscriber) -> None:
        """Ask someone who has just resumed the thread everything that is still open on it."""
        for question in self.open_on(thread_id):
            question.asked.add(subscriber.connection_id)
            subscriber.ask(question.request_id, question.row, question.params)

    def connection_closed(self, connection_id: int) -> None:
        """A client has left. Questions about a thread wait for somebody to resume it; for others
        nobody else will come.
        """
        for question in list(self._open.values()):
            if question.thread_id is None:
                question.asked.discard(connection_id)
                if not question.asked:
                    self._close(question)
                    if not question.answer.done():
                        question.answer.set_exception(NobodyLeft())

    def open_on(self, thread_id: str) -> list[_Question]:
        """The thread's open questions, oldest first."""
        return [question for question in self._open.values() if question.thread_id == thread_id]

    def drop_thread(self, thread_id: str) -> None:
        """The thread is gone: forget its questions without a word."""
        for question in self.open_on(thread_id):
            del self._open[question.request_id]
            if not question.answer.done():
                question.answer.cancel()

    def _close(self, question: _Question) -> None:
        if self._open.pop(question.request_id, None) is None:
            return
        if question.thread_id is None or question.row.name in QUIET:
            return
        resolved = ServerRequestResolvedNotification(
            thread_id=question.thread_id, request_id=question.request_id
        )
        for subscriber in question.audience():
            subscriber.notify(SERVER_REQUEST_RESOLVED, resolved)


class _Question:
    def __init__(
        self,
        request_id: int,
        row: ServerMethod[Any, Any],
        params: Any,
        audience: Audience,
        thread_id: str | None,
    ) -> None:
        self.request_id = request_id
        self.row = row
        self.params = params
        self.audience = audience
        self.thread_id = thread_id
        self.asked: set[int] = set()
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def waits_for_others(self, connection_id: int) -> bool:
        """Whether somebody else may still answer what this one has refused: a question about no
        thread goes to clients that have nothing to do with each other.
        """
        if self.thread_id is not None or len(self.asked) < 2:
            return False
        self.asked.discard(connection_id)
        return True

    def send_to(self, subscriber: Subscriber) -> None:
        if subscriber.connection_id not in self.asked:
            self.asked.add(subscriber.connection_id)
            subscriber.ask(self.request_id, self.row, self.params)


def _typed(row: ServerMethod[Any, Any], result: object) -> Any:
    """The result as the row's type, whether it came as a value, as plain JSON or as bytes."""
    plain = msgspec.to_builtins(result) if isinstance(result, msgspec.Struct) else result
    return read(row.result, plain)
