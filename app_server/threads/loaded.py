"""A thread in memory: its actor, who hears it, what it is doing.

This is the thread's outlet: what the actor says has happened becomes status changes for everyone
and notifications for its subscribers, in the order it happened. Joining reads the present state and
subscribes in one step, so the joiner misses nothing and hears nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app_server import clock
from app_server.agent.context_window import as_wire
from app_server.agent.events import (
    ThreadEvent,
    TurnAborted,
    TurnCompleted,
    TurnFailed,
    TurnStarted,
)
from app_server.agent.projection.notifications import notifications
from app_server.protocol.approvals import ITEM_TOOL_CALL, ITEM_TOOL_REQUEST_USER_INPUT
from app_server.protocol.method import ServerMethod, ServerNotification
from app_server.protocol.notices import WARNING, WarningNotification
from app_server.protocol.thread import (
    THREAD_STATUS_CHANGED,
    THREAD_TOKEN_USAGE_UPDATED,
    ThreadStatusChangedNotification,
    ThreadTokenUsageUpdatedNotification,
)
from app_server.protocol.thread_data import ThreadStatus
from app_server.threads.status import StatusFacts
from app_server.threads.subscriptions import Subscriber, Subscriptions

if TYPE_CHECKING:
    from app_server.agent.actor import Actor
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

Broadcast = Callable[[ServerNotification[Any], Any], None]


class QuestionDesk(Protocol):
    """The server's open questions; `server.questions.Questions` implements it."""

    async def ask(
        self,
        row: ServerMethod[P, R],
        params: P,
        audience: Callable[[], list[Subscriber]],
        *,
        thread_id: str | None = None,
    ) -> R: ...

    def put_again(self, thread_id: str, subscriber: Subscriber) -> None: ...

    def drop_thread(self, thread_id: str) -> None: ...


class LiveOutlet:
    """What a loaded thread's actor sees of the world."""

    def __init__(self, thread_id: str, questions: QuestionDesk, broadcast: Broadcast) -> None:
        self.thread_id = thread_id
        self.subscriptions = Subscriptions()
        self.status = StatusFacts(self._status_changed)
        self.actor: Actor
        self.idle_since = clock.monotonic()
        self._questions = questions
        self._broadcast = broadcast
        self._unsaid: list[str] = []
        self._replied = False

    def publish(self, event: ThreadEvent) -> None:
        match event:
            case TurnStarted():
                self.status.turn_began()
            case TurnCompleted() | TurnAborted():
                self.status.turn_ended()
                self.idle_since = clock.monotonic()
            case TurnFailed(will_retry=False):
                self.status.failed()
            case _:
                pass
        for row, params in notifications(self.thread_id, event):
            self.subscriptions.notify(row, params)

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        is_input = row.name == ITEM_TOOL_REQUEST_USER_INPUT.name
        counted = row.name != ITEM_TOOL_CALL.name
        if counted:
            (self.status.input_asked if is_input else self.status.approval_asked)()
        settled = False
        try:
            answer = await self._questions.ask(
                row, params, self.subscriptions.listening, thread_id=self.thread_id
            )
            settled = True
            return answer
        except asyncio.CancelledError:
            raise  # the turn is over, and its end has cleared the counts
        except Exception:
            settled = True
            raise
        finally:
            if counted and settled:
                (self.status.input_settled if is_input else self.status.approval_settled)()

    def interrupt(self, turn: Turn) -> None:
        self.actor.abort_turn("interrupted", turn)

    def warn(self, message: str) -> None:
        """Tell the subscribers; before the thread has been answered for, keep it until then."""
        if self._replied:
            warning = WarningNotification(thread_id=self.thread_id, message=message)
            self.subscriptions.notify(WARNING, warning)
        else:
            self._unsaid.append(message)

    def tell_warnings(self) -> None:
        """Say what had to wait for the reply that announces the thread."""
        self._replied = True
        waiting, self._unsaid = self._unsaid, []
        for message in waiting:
            self.warn(message)

    def tell_usage(self, subscriber: Subscriber) -> None:
        """Tell one subscriber the last known usage of a thread that has some."""
        session = self.actor.session
        turn_id = session.timeline.latest_turn_id
        if session.tokens is not None and turn_id is not None:
            usage = ThreadTokenUsageUpdatedNotification(
                thread_id=self.thread_id, turn_id=turn_id, token_usage=as_wire(session.tokens)
            )
            subscriber.notify(THREAD_TOKEN_USAGE_UPDATED, usage)

    def catch_up(self, subscriber: Subscriber) -> None:
        """What a client that has just joined is told after its answer."""
        self.tell_usage(subscriber)
        self.tell_warnings()
        self._questions.put_again(self.thread_id, subscriber)

    def _status_changed(self, status: ThreadStatus) -> None:
        change = ThreadStatusChangedNotification(thread_id=self.thread_id, status=status)
        self._broadcast(THREAD_STATUS_CHANGED, change)
