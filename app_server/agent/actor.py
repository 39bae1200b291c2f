"""The doors of one thread: start a turn, add to it, end it.

Every door is a plain function that never awaits halfway, and all of them run on the server's one
event loop: that is the mailbox. Calls on a thread arrive in order (the router queues them), and
what a call changes is whole before anything else sees the thread. At most one turn runs at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from app_server import clock, ids
from app_server.agent import compaction
from app_server.agent.errors import (
    EmptyInput,
    NoActiveTurn,
    NoRefusal,
    NotSteerable,
    NoTurnNamed,
    OtherTurnActive,
)
from app_server.agent.events import AbortReason, TurnFailed
from app_server.agent.history import text_message
from app_server.agent.input_queue import QueuedInput
from app_server.agent.session import Session
from app_server.agent.settings import check_overrides, chosen_environment, overridden
from app_server.agent.turn import Turn
from app_server.agent.user_shell import run_user_command
from app_server.prompts import text
from app_server.protocol.item import UserMessageThreadItem
from app_server.protocol.review import ReviewTarget
from app_server.protocol.thread_data import Turn as WireTurn
from app_server.protocol.turn import TurnStartParams, TurnSteerParams
from app_server.protocol.turn_error import TurnError
from app_server.protocol.user_input import TextUserInput

if TYPE_CHECKING:
    from app_server.config.resolve import Config

log = logging.getLogger(__name__)

StartTask = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Actor:
    """One loaded thread, from outside. `start_task` gives tasks an owner."""

    def __init__(self, session: Session, start_task: StartTask) -> None:
        self.session = session
        self.turn: Turn | None = None
        self.last_active = clock.monotonic()
        self._start_task = start_task
        self._task: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._next_config: Config | None = None

    @property
    def running(self) -> bool:
        return self.turn is not None

    def use_config(self, config: Config) -> None:
        """Go by these settings from the next turn on; the running one keeps its own."""
        self._next_config = config
        self._take_config()

    def _take_config(self) -> None:
        if self.turn is None and self._next_config is not None:
            self.session.config, self._next_config = self._next_config, None

    def prepare_turn(self, params: TurnStartParams) -> tuple[WireTurn, Callable[[], None]]:
        """Take a new message: the turn to answer with, and what begins it once that has left.

        While another turn runs the message joins that one and the answered turn never appears.
        """
        self._take_config()
        wire = WireTurn(id=ids.uuid7(), items=[], status="inProgress")
        check_overrides(self.session.config, params)
        place = chosen_environment(self.session.services, params.environments)
        changed = overridden(self.session.config, self.session.settings, params)
        changed = msgspec.structs.replace(changed, **place)
        settings = self.session.resolved(changed)
        self.session.settings = msgspec.structs.replace(settings, output_schema=None)
        message = QueuedInput.of(params.input, params.client_user_message_id)
        if not params.input:
            return wire, lambda: self._refuse_empty(wire.id)
        if self.turn is not None:
            self.turn.waiting.add(message)
            return wire, _nothing
        turn = self.turn = Turn(self.session, wire.id, settings)
        unread = self.session.take_unread(before=message)
        return wire, lambda: self._begin(turn, turn.run(*unread, message))

    def steer(self, params: TurnSteerParams) -> str:
        """Add to the running turn; returns its id."""
        if not params.expected_turn_id:
            raise NoTurnNamed
        if not params.input:
            raise EmptyInput
        if self.turn is None:
            raise NoActiveTurn("steer")
        if params.expected_turn_id != self.turn.id:
            raise OtherTurnActive(params.expected_turn_id, self.turn.id)
        if self.turn.kind != "regular":
            raise NotSteerable(self.turn.kind)
        self.turn.waiting.add(QueuedInput.of(params.input, params.client_user_message_id))
        return self.turn.id

    def prepare_compaction(self) -> Callable[[], None]:
        """A turn that only makes room; returns what begins it."""
        self._take_config()
        turn = self.turn = Turn(self.session, ids.uuid7(), self.session.settings, kind="compact")
        return lambda: self._begin(turn, turn.run_only(compaction.on_demand))

    def prepare_review(self, target: ReviewTarget) -> tuple[WireTurn, Callable[[], None]]:
        """A turn that reviews a change: the turn to answer with, and what begins it."""
        from app_server.agent.review import checked_target, named  # with the first review

        target = checked_target(target)
        turn = Turn(self.session, ids.uuid7(), self.session.settings, kind="review")
        self.turn = turn
        asked = UserMessageThreadItem(id=turn.id, content=[TextUserInput(text=named(target))])
        wire = WireTurn(id=turn.id, items=[asked], status="inProgress")
        return wire, lambda: self._begin(turn, turn.run_review(target))

    def prepare_user_command(self, line: str) -> Callable[[], None]:
        """Run a line of the user, in a turn of its own or beside the running one."""
        running = self.turn
        if running is not None:
            return lambda: self._run_beside(running, line)
        self._take_config()
        turn = self.turn = Turn(self.session, ids.uuid7(), self.session.settings)
        return lambda: self._begin(turn, turn.run_user_command(line))

    def _run_beside(self, turn: Turn, line: str) -> None:
        async def command() -> None:
            turn.record_later(await run_user_command(turn, line))

        task = self._start_task(command())
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def allow_refused(self, event: Any) -> None:
        """The person allows what the automatic reviewer refused: once, and the model learns it.

        Raises `NoRefusal` where `event` reports none.
        """
        from app_server.agent.auto_review_case import action_key, refused_action

        try:
            action = refused_action(event)
        except ValueError as error:  # msgspec's own kind included
            raise NoRefusal(str(error)) from error
        self.session.approvals.reviews.allow_once(action_key(action))
        what = msgspec.json.encode(action).decode()
        note = text_message("developer", f"{text('refusal_lifted.md')}\n{what}")
        if self.turn is None:
            self.session.inject([note])
        else:
            self.turn.record_later(note)

    def check_interruptible(self, turn_id: str) -> None:
        """Raises unless this turn runs. An empty id means whichever turn there is."""
        if not turn_id:
            return
        if self.turn is None:
            raise NoActiveTurn("interrupt")
        if self.turn.id != turn_id:
            raise OtherTurnActive(turn_id, self.turn.id, quote="")

    def abort_turn(self, reason: AbortReason = "interrupted", turn: Turn | None = None) -> None:
        """End the running turn at once; its task unwinds behind."""
        if self.turn is None or (turn is not None and turn is not self.turn):
            return
        ended, task = self.turn, self._task
        ended.abort(reason)
        self.turn, self._task = None, None
        self.last_active = clock.monotonic()
        if task is not None:
            task.cancel()
        for command in self._beside:
            command.cancel()

    async def close(self) -> None:
        """End the turn and everything that runs for the thread."""
        task = self._task
        self.abort_turn()
        if task is not None:
            await asyncio.wait([task], timeout=CLOSE_SECONDS)
        await self.session.close()

    def _begin(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        if turn is not self.turn:
            work.close()
            return
        self._task = self._start_task(self._see_through(turn, work))

    async def _see_through(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            if self.turn is turn:
                self.turn, self._task = None, None
                self.last_active = clock.monotonic()

    def _refuse_empty(self, turn_id: str) -> None:
        error = TurnError(message=str(EmptyInput()), codex_error_info="badRequest")
        self.session.emit(TurnFailed(turn_id=turn_id, error=error, will_retry=False))


CLOSE_SECONDS = 2.0
"""How long a turn's task may take to unwind when its thread is closed."""


def _nothing() -> None:
    """The message waits in the running turn."""
