"""The scripted server's commands in the background: listed, and ended one by one or together."""

from typing import Any

import msgspec

from app_server.protocol.item import CommandExecutionThreadItem, ItemCompletedNotification
from app_server.protocol.thread_data import Turn
from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_CLEAN,
    THREAD_BACKGROUND_TERMINALS_LIST,
    THREAD_BACKGROUND_TERMINALS_TERMINATE,
    ThreadBackgroundTerminal,
    ThreadBackgroundTerminalsCleanResponse,
    ThreadBackgroundTerminalsListResponse,
    ThreadBackgroundTerminalsTerminateResponse,
)

TERMINAL_METHODS = {
    THREAD_BACKGROUND_TERMINALS_LIST.name,
    THREAD_BACKGROUND_TERMINALS_TERMINATE.name,
    THREAD_BACKGROUND_TERMINALS_CLEAN.name,
}


class ScriptedTerminals:
    """Answers about what runs on."""

    def __init__(self) -> None:
        self.background: dict[str, tuple[Turn, CommandExecutionThreadItem]] = {}
        """Commands that run on, by process."""

    async def tell(self, method: str, params: Any) -> None:
        raise NotImplementedError

    async def answer_of_terminals(self, method: str, params: Any) -> Any:
        match method:
            case THREAD_BACKGROUND_TERMINALS_LIST.name:
                running = [
                    ThreadBackgroundTerminal(
                        item_id=item.id, process_id=key, command=item.command, cwd=item.cwd
                    )
                    for key, (_, item) in self.background.items()
                ]
                return ThreadBackgroundTerminalsListResponse(data=running)
            case THREAD_BACKGROUND_TERMINALS_TERMINATE.name:
                ended = await self._end_background(params.process_id)
                return ThreadBackgroundTerminalsTerminateResponse(terminated=ended)
        for process_id in list(self.background):
            await self._end_background(process_id)
        return ThreadBackgroundTerminalsCleanResponse()

    async def _end_background(self, process_id: str) -> bool:
        turn, item = self.background.pop(process_id, (None, None))
        if turn is None or item is None:
            return False
        done = msgspec.structs.replace(item, status="failed", exit_code=143, duration_ms=65_000)
        await self.tell("item/completed", ItemCompletedNotification(
            item=done, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        return True
