"""One turn, as it happens: what a program says to a thread, and everything that follows.

    async for event in thread.run("Fix the tests"): ...     every event, typed
    async for piece in thread.run("Explain").text(): ...    what the agent says
    turn = await thread.run("Fix the tests")                only how it ends

The turn starts when it is first waited for. Events are the notifications of the protocol and, where
`connect` was given no `answer`, its questions as `OpenQuestion`; one that is passed by unanswered
is declined. Leaving early, by `break` or an exception, interrupts the turn; inside `async with` it
may be left and taken up again, and is interrupted at the end of the block.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from app_server.client.errors import TurnFailed
from app_server.client.inbox import Inbox
from app_server.client.open_question import OpenQuestion
from app_server.client.turn_events import TurnEvent, TurnEvents, TurnText
from app_server.protocol.approvals import ServerRequestResolvedNotification
from app_server.protocol.errors import RpcError
from app_server.protocol.item import AgentMessageThreadItem, ItemCompletedNotification, ThreadItem
from app_server.protocol.thread_data import Turn, TurnStatus
from app_server.protocol.turn import (
    TURN_INTERRUPT,
    TURN_START,
    TURN_STEER,
    TurnCompletedNotification,
    TurnInterruptParams,
    TurnStartParams,
    TurnSteerParams,
)
from app_server.protocol.user_input import TextUserInput, UserInput
from app_server.rpc.peer import ConnectionLost

if TYPE_CHECKING:
    from app_server.client.codex import Codex

log = logging.getLogger(__name__)

LEAVE_SECONDS = 5.0
"""How long an interrupted turn may take to end its commands and say so."""

Said = str | UserInput | list[str | UserInput]
"""What a user says: a text, a picture or another part, or several of them."""


class LiveTurn:
    """Made by `LiveThread.run`."""

    def __init__(self, codex: Codex, params: TurnStartParams) -> None:
        self._codex = codex
        self._params = params
        self._inbox: Inbox[TurnEvent] = Inbox()
        self._open: dict[int | str, OpenQuestion] = {}
        self._has_started = False
        self._ended = asyncio.Event()
        self._is_held = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Task[None] | None = None
        self.is_leaving = False
        """Nobody reads it any more; its end is on the way."""
        self._turn: Turn | None = None
        self.items: list[ThreadItem] = []
        """What is complete, in the order it was completed."""

    @property
    def thread_id(self) -> str:
        return self._params.thread_id

    @property
    def id(self) -> str:
        """Empty until the turn has started."""
        return self._turn.id if self._turn is not None else ""

    @property
    def status(self) -> TurnStatus:
        return self._turn.status if self._turn is not None else "inProgress"

    @property
    def is_over(self) -> bool:
        return self.status != "inProgress"

    @property
    def final_message(self) -> str:
        """The last thing the agent said; empty if nothing."""
        said = [item.text for item in self.items if isinstance(item, AgentMessageThreadItem)]
        return said[-1] if said else ""

    def __aiter__(self) -> TurnEvents:
        return TurnEvents(self)

    def __await__(self) -> Generator[Any, None, LiveTurn]:
        return self._to_the_end().__await__()

    async def __aenter__(self) -> LiveTurn:
        self._is_held = True
        await self.start()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.leave()

    def text(self) -> TurnText:
        """What the agent says, piece by piece. Raises `TurnFailed`."""
        return TurnText(self)

    async def start(self) -> None:
        """Begin, unless it has begun. Raises `RpcError`, `ThreadBusy`."""
        if self._has_started:
            return
        self._has_started = True
        self._loop = asyncio.get_running_loop()
        try:
            await self._codex.enlist(self)
            await self._ask_to_begin()
        except Exception as error:
            self.lose(error)
            raise

    async def steer(self, said: Said) -> None:
        """Say something more to the turn while it runs. Raises `RpcError` when it is over."""
        params = TurnSteerParams(
            thread_id=self.thread_id, expected_turn_id=self.id, input=as_input(said)
        )
        await self._codex.request(TURN_STEER, params)

    async def interrupt(self) -> None:
        """End the turn; its last event comes as `interrupted`."""
        if self._turn is not None and not self.is_over:
            params = TurnInterruptParams(thread_id=self.thread_id, turn_id=self.id)
            await self._codex.request(TURN_INTERRUPT, params)

    async def leave(self) -> None:
        """Be done with the turn: interrupt it, unless it is over; what it asked is declined."""
        if self._has_started and not self._ended.is_set():
            await asyncio.shield(self._start_leaving())

    async def leave_unless_held(self) -> None:
        if not self._is_held:
            await self.leave()

    def abandon(self) -> None:
        """A reader is gone: unless the turn is held, it is left. On any thread."""
        if self._loop is not None and not self._is_held and not self._ended.is_set():
            self.is_leaving = True
            with suppress(RuntimeError):  # the loop is closed, and the connection with it
                self._loop.call_soon_threadsafe(self._start_leaving)

    def takes(self, params: msgspec.Struct | None) -> bool:
        """Whether a notification of the thread belongs to this turn."""
        if isinstance(params, ServerRequestResolvedNotification):
            return params.request_id in self._open
        turn_id = getattr(params, "turn_id", None) or getattr(
            getattr(params, "turn", None), "id", None
        )
        return turn_id is not None and (not self.id or turn_id == self.id)

    def hear(self, params: msgspec.Struct) -> None:
        """A notification of the turn has come."""
        match params:
            case ServerRequestResolvedNotification(request_id=request_id):
                self._open.pop(request_id).is_answered = True
            case ItemCompletedNotification(item=item):
                self.items.append(item)
            case TurnCompletedNotification(turn=turn):
                self._inbox.put(params)
                self._end(turn)
                return
        self._inbox.put(params)

    def catch_up(self, stored: list[ThreadItem]) -> None:
        """What the agent said while nobody listened; stored items have ids of their own."""
        heard = sum(isinstance(item, AgentMessageThreadItem) for item in self.items)
        said = [item for item in stored if isinstance(item, AgentMessageThreadItem)]
        self.items += said[heard:]

    async def next_event(self) -> TurnEvent | None:
        """The next event for the reader, questions answered meanwhile left out; None at the end."""
        while (event := await self._inbox.get()) is not None:
            if not (isinstance(event, OpenQuestion) and event.is_answered):
                return event
        return None

    def earlier(self, question: OpenQuestion) -> OpenQuestion | None:
        """The same question if it was asked before; else it counts as asked from now on."""
        known = self._open.setdefault(question.id, question)
        return None if known is question else known

    def ask(self, question: OpenQuestion) -> None:
        """A question of the turn is for whoever reads its events."""
        self._inbox.put(question)

    def lose(self, error: Exception) -> None:
        """Nothing more will be heard of the turn."""
        self._codex.forget(self)
        self._ended.set()
        self._inbox.close(error)

    def fail(self, error: Exception) -> None:
        """Whoever reads the events gets this error next, and the turn is left."""
        self._inbox.close(error)

    async def _to_the_end(self) -> LiveTurn:
        async for _ in self:
            pass
        return self

    async def _ask_to_begin(self) -> None:
        starting = asyncio.ensure_future(self._codex.request(TURN_START, self._params))
        try:
            self._begun((await asyncio.shield(starting)).turn)
        except asyncio.CancelledError:
            # the server may have begun: it is to hear that nobody waits any more
            with suppress(RpcError, TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    self._begun((await starting).turn)
            await self.leave()
            raise

    def _end(self, turn: Turn) -> None:
        self._turn = turn
        self._codex.forget(self)
        self._ended.set()
        self._inbox.close(TurnFailed(turn) if turn.status == "failed" else None)

    def _begun(self, turn: Turn) -> None:
        if self._turn is None:
            self._turn = turn

    def _start_leaving(self) -> asyncio.Task[None]:
        self.is_leaving = True
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(), name="leaving a turn")
        return self._leaving

    async def _leave(self) -> None:
        with suppress(RpcError, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                if self._turn is not None and not self.is_over:
                    await self.interrupt()  # which withdraws its questions
                    await self._ended.wait()
                for question in list(self._open.values()):
                    await question.decline()
        if not self._ended.is_set():
            log.info("turn %s of thread %s is left before its end", self.id, self.thread_id)
            self.lose(ConnectionLost("the turn was left before its end"))


def as_input(said: Said) -> list[UserInput]:
    parts = said if isinstance(said, list) else [said]
    return [TextUserInput(text=part) if isinstance(part, str) else part for part in parts]
