"""Reading a turn: its events one after another, or only what the agent says.

Iterators rather than generators, since an iterator that a loop has let go of says so at once: a
turn that nobody reads any more is left in that moment, before anything else is asked of its thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from app_server.client.open_question import OpenQuestion
from app_server.protocol.item import AgentMessageThreadItem, ItemCompletedNotification
from app_server.protocol.item_deltas import AgentMessageDeltaNotification

if TYPE_CHECKING:
    from app_server.client.live_turn import LiveTurn

TurnEvent = msgspec.Struct | OpenQuestion


class TurnEvents(AsyncIterator[TurnEvent]):
    """Every event of a turn. Raises `TurnFailed` after the last one of a turn that failed."""

    def __init__(self, turn: LiveTurn) -> None:
        self._turn = turn
        self._asked: OpenQuestion | None = None

    async def __anext__(self) -> TurnEvent:
        try:
            await self._turn.start()
            asked, self._asked = self._asked, None
            if asked is not None and not asked.is_deferred:
                await asked.decline()
            event = await self._turn.next_event()
        except BaseException:
            await self._turn.leave_unless_held()
            raise
        if event is None:
            raise StopAsyncIteration
        if isinstance(event, OpenQuestion):
            self._asked = event
        return event

    def __del__(self) -> None:
        self._turn.abandon()


class TurnText(AsyncIterator[str]):
    """What the agent says, piece by piece, with an empty line between two messages."""

    def __init__(self, turn: LiveTurn) -> None:
        self._events = TurnEvents(turn)
        self._seen: set[str] = set()

    async def __anext__(self) -> str:
        async for event in self._events:
            match event:
                case AgentMessageDeltaNotification(item_id=item_id, delta=piece):
                    return self._piece(item_id, piece)
                case ItemCompletedNotification(item=AgentMessageThreadItem(id=item_id, text=text)):
                    if item_id not in self._seen:
                        return self._piece(item_id, text)
        raise StopAsyncIteration

    def _piece(self, item_id: str, text: str) -> str:
        is_new = bool(self._seen) and item_id not in self._seen
        self._seen.add(item_id)
        return f"\n\n{text}" if is_new else text
