"""Tools the client runs itself: the model's call is passed on as a question, its answer back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from app_server import clock
from app_server.agent.questions import QuestionRefused
from app_server.agent.tools.spec import ToolCall, ToolError
from app_server.protocol.approvals import (
    ITEM_TOOL_CALL,
    DynamicToolCallParams,
    DynamicToolCallResponse,
)
from app_server.protocol.item import (
    DynamicToolCallOutputContentItem,
    DynamicToolCallThreadItem,
    InputTextDynamicToolCallOutputContentItem,
)
from app_server.protocol.response_item import (
    FunctionCallOutputBody,
    InputImageFunctionCallOutputContentItem,
    InputTextFunctionCallOutputContentItem,
)
from app_server.protocol.thread import DynamicToolSpec
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

FAILED = "dynamic tool request failed"


class DynamicTool:
    """One tool of the client."""

    runs_in_parallel = False

    def __init__(self, spec: DynamicToolSpec) -> None:
        self._spec = spec

    @property
    def name(self) -> str:
        return self._spec.name

    def definition(self) -> JsonObject:
        return {
            "type": "function",
            "name": self._spec.name,
            "description": self._spec.description,
            "strict": False,
            "parameters": self._spec.input_schema,
        }

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        try:
            arguments: Any = json.loads(call.payload or "{}")
        except ValueError as error:
            raise ToolError(f"failed to parse function arguments: {error}") from error
        item = DynamicToolCallThreadItem(
            id=call.call_id,
            namespace=self._spec.namespace,
            tool=self._spec.name,
            arguments=arguments,
            status="inProgress",
        )
        turn.start(item)
        began = clock.monotonic()
        answer = await self._asked(call, turn, arguments)
        done = msgspec.structs.replace(
            item,
            status="completed" if answer.success else "failed",
            content_items=answer.content_items,
            success=answer.success,
            duration_ms=int((clock.monotonic() - began) * 1000),
        )
        turn.complete(done)
        return _for_model(answer.content_items)

    async def _asked(self, call: ToolCall, turn: Turn, arguments: Any) -> DynamicToolCallResponse:
        params = DynamicToolCallParams(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            call_id=call.call_id,
            namespace=self._spec.namespace,
            tool=self._spec.name,
            arguments=arguments,
        )
        try:
            return await turn.ask(ITEM_TOOL_CALL, params)
        except QuestionRefused:
            failed = InputTextDynamicToolCallOutputContentItem(text=FAILED)
            return DynamicToolCallResponse(content_items=[failed], success=False)


def _for_model(parts: list[DynamicToolCallOutputContentItem]) -> FunctionCallOutputBody:
    texts = [
        part.text for part in parts if isinstance(part, InputTextDynamicToolCallOutputContentItem)
    ]
    if len(texts) == len(parts) and len(texts) <= 1:
        return "".join(texts)
    return [
        InputTextFunctionCallOutputContentItem(text=part.text)
        if isinstance(part, InputTextDynamicToolCallOutputContentItem)
        else InputImageFunctionCallOutputContentItem(image_url=part.image_url)
        for part in parts
    ]
