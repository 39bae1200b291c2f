"""One request to the model: its stream becomes items, deltas and running tool calls.

A stream that breaks is asked for again, from the history as it stands then, so that items already
whole are kept; the user is told each time. What a broken stream had begun but not finished stays
unfinished. Knows how answers are read; what happens between answers is the turn's business.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from app_server import clock, ids
from app_server.agent.context_window import added
from app_server.agent.events import ItemStarted, Told
from app_server.agent.history import bare, call_of
from app_server.agent.patch_preview import PatchPreviews
from app_server.agent.projection.items import begun, whole
from app_server.agent.retry import with_stream_retries
from app_server.agent.tools.dispatch import ToolDispatch
from app_server.model import events as wire
from app_server.model.errors import ModelError, StreamBroken
from app_server.model.request import ModelRequest
from app_server.protocol.item import AgentMessageThreadItem
from app_server.protocol.item_deltas import (
    ITEM_AGENT_MESSAGE_DELTA,
    ITEM_REASONING_SUMMARY_PART_ADDED,
    ITEM_REASONING_SUMMARY_TEXT_DELTA,
    ITEM_REASONING_TEXT_DELTA,
    AgentMessageDeltaNotification,
    ReasoningSummaryPartAddedNotification,
    ReasoningSummaryTextDeltaNotification,
    ReasoningTextDeltaNotification,
)
from app_server.protocol.response_item import (
    MessageResponseItem,
    ReasoningResponseItem,
    ResponseItem,
)

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

log = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one request brought, beyond what was emitted and recorded."""

    last_message: str | None
    """The text of the last message, if there was one."""
    made_calls: bool


async def sample(turn: Turn) -> Answer:
    """Ask the model once and see the answer, its tool calls included, to its end.

    Raises `ModelError` when all attempts are used up.
    """

    async def attempt() -> Answer:
        failure: ModelError | None = None
        async with asyncio.TaskGroup() as group:
            reader = AnswerReader(turn, ToolDispatch(turn, turn.registry, group))
            try:
                await reader.read(build_request(turn))
            except ModelError as error:
                failure = error
            await reader.finish()  # what was called before a break has been called
        if failure is not None:
            raise failure
        return reader.answer()

    return await with_stream_retries(turn, attempt)


def build_request(turn: Turn) -> ModelRequest:
    """The request as the history stands now."""
    settings = turn.settings
    return ModelRequest(
        model=settings.model,
        instructions=settings.base_instructions,
        input=turn.session.history.for_model(sees_images=settings.sees_images),
        tools=turn.registry.definitions(),
        parallel_tool_calls=settings.parallel_tool_calls,
        reasoning=settings.reasoning,
        verbosity=settings.verbosity,
        output_schema=settings.output_schema,
        service_tier=settings.service_tier,
        prompt_cache_key=turn.thread_id,
    )


class AnswerReader:
    """Turns the events of one stream into what happened to the thread."""

    def __init__(self, turn: Turn, dispatch: ToolDispatch) -> None:
        self._turn = turn
        self._dispatch = dispatch
        turn.dispatch = dispatch
        self._patches = PatchPreviews(turn)
        self._begun: dict[str, str] = {}  # the service's item id → ours
        self._latest_item_id = ""
        self._last_message: str | None = None
        self._made_calls = False

    def answer(self) -> Answer:
        return Answer(last_message=self._last_message, made_calls=self._made_calls)

    async def read(self, request: ModelRequest) -> None:
        turn = self._turn
        turn.unfinished.clear()
        async with turn.session.model.stream(request, turn.identity()) as events:
            async for event in events:
                self._take(event)
                if isinstance(event, wire.Completed):
                    return
        raise StreamBroken("stream closed before response.completed")

    async def finish(self) -> None:
        """Wait for the tools and record what they answered, in call order."""
        async for output in self._dispatch.results():
            self._turn.record(output)
        await self._turn.tell_diff()

    def _take(self, event: wire.ResponseEvent) -> None:
        match event:
            case wire.TextDelta():
                self._message_delta(event)
            case wire.SummaryDelta():
                self._summary_delta(event)
            case wire.SummaryPartAdded():
                self._summary_part(event)
            case wire.ReasoningDelta():
                self._reasoning_delta(event)
            case wire.ItemAdded():
                self._patches.begun(event.item, event.item_id)
                self._item_added(event.item, event.item_id)
            case wire.ToolInputDelta():
                self._patches.add(event)
            case wire.ItemDone():
                self._item_done(event.item, event.item_id)
            case wire.RateLimits():
                self._turn.limits_are(event.snapshot)
            case wire.ServerModel():
                self._turn.answered_by(event.slug)
            case wire.Completed():
                self._completed(event)
            case _:
                pass

    def _item_added(self, item: ResponseItem, item_id: str) -> None:
        own_id = self._own_id(item_id)
        visible = begun(item, own_id)
        if visible is None:
            return
        self._begun[item_id] = self._latest_item_id = own_id
        self._turn.emit(ItemStarted(turn_id=self._turn.id, item=visible, at_ms=clock.now_ms()))

    def _item_done(self, item: ResponseItem, item_id: str) -> None:
        turn = self._turn
        turn.first_token_came()
        if call_of(item) is not None:
            turn.record(bare(item))
            self._made_calls = True
            self._dispatch.start(item)
            return
        if item_id not in self._begun:
            self._item_added(item, item_id)
        own_id = self._begun.pop(item_id, None)
        visible = whole(item, own_id) if own_id is not None else None
        if visible is None:
            turn.record(bare(item))
            return
        if isinstance(visible, AgentMessageThreadItem):
            self._last_message = visible.text
            turn.unfinished.clear()
        turn.complete(visible, recorded=bare(item))

    def _message_delta(self, event: wire.TextDelta) -> None:
        turn = self._turn
        turn.first_token_came()
        item_id = self._streaming(event.item_id, MessageResponseItem(role="assistant", content=[]))
        turn.unfinished.append(event.delta)
        params = AgentMessageDeltaNotification(
            thread_id=turn.thread_id, turn_id=turn.id, item_id=item_id, delta=event.delta
        )
        turn.emit(Told(row=ITEM_AGENT_MESSAGE_DELTA, params=params))

    def _summary_part(self, event: wire.SummaryPartAdded) -> None:
        turn = self._turn
        params = ReasoningSummaryPartAddedNotification(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=self._streaming(event.item_id, ReasoningResponseItem(summary=[])),
            summary_index=event.summary_index,
        )
        turn.emit(Told(row=ITEM_REASONING_SUMMARY_PART_ADDED, params=params))

    def _summary_delta(self, event: wire.SummaryDelta) -> None:
        turn = self._turn
        turn.first_token_came()
        params = ReasoningSummaryTextDeltaNotification(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=self._streaming(event.item_id, ReasoningResponseItem(summary=[])),
            delta=event.delta,
            summary_index=event.summary_index,
        )
        turn.emit(Told(row=ITEM_REASONING_SUMMARY_TEXT_DELTA, params=params))

    def _reasoning_delta(self, event: wire.ReasoningDelta) -> None:
        turn = self._turn
        turn.first_token_came()
        params = ReasoningTextDeltaNotification(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=self._streaming(event.item_id, ReasoningResponseItem(summary=[])),
            delta=event.delta,
            content_index=event.content_index,
        )
        turn.emit(Told(row=ITEM_REASONING_TEXT_DELTA, params=params))

    def _streaming(self, item_id: str, kind: ResponseItem) -> str:
        """Our id of the item a delta belongs to; begins it when the service never said it did."""
        known = self._begun.get(item_id)
        if known is not None:
            return known
        if not item_id and self._latest_item_id in self._begun.values():
            return self._latest_item_id
        self._item_added(kind, item_id)
        return self._begun[item_id]

    def _own_id(self, item_id: str) -> str:
        return item_id or ids.uuid4()

    def _completed(self, event: wire.Completed) -> None:
        session = self._turn.session
        if event.usage is not None:
            session.tokens = added(session.tokens, event.usage, self._turn.settings.context_window)
        self._turn.tell_tokens()
