"""Which tools a turn offers, and finding the one a call names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app_server.agent.tools.spec import LOCAL_SHELL, Tool, ToolCall, ToolError
from app_server.protocol.response_item import (
    CustomToolCallResponseItem,
    FunctionCallOutputBody,
    FunctionCallResponseItem,
    LocalShellCallResponseItem,
    ResponseItem,
)
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn


class ToolRegistry:
    """The tools of one turn. `silent` ones are not offered but still answer when called."""

    def __init__(
        self,
        offered: Sequence[Tool],
        *,
        served: Sequence[JsonObject] = (),
        silent: Sequence[Tool] = (),
    ) -> None:
        self._offered = list(offered)
        self._served = list(served)
        self._by_name = {tool.name: tool for tool in (*silent, *offered)}

    def definitions(self) -> list[JsonObject]:
        """The `tools` of a request: ours first, then those the service runs itself."""
        return [tool.definition() for tool in self._offered] + self._served

    def runs_in_parallel(self, item: ResponseItem) -> bool:
        tool = self._by_name.get(_called_name(item))
        return tool is not None and tool.runs_in_parallel

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        tool = self._by_name.get(call.name)
        if tool is None:
            raise ToolError(f"unsupported call: {call.name}")
        return await tool.run(call, turn)


def _called_name(item: ResponseItem) -> str:
    if isinstance(item, FunctionCallResponseItem | CustomToolCallResponseItem):
        return item.name
    return LOCAL_SHELL if isinstance(item, LocalShellCallResponseItem) else ""
