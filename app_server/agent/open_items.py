"""What a thread's readers saw begin and not end, as far as they saw it.

A turn that is interrupted tells nobody how its command would have ended. So that a rebuilt thread
shows what the person saw, the turn asks here for what it breaks off: the command with the output
told so far. What a turn has left running in the background is not broken off with it. Knows events,
no processes.
"""

from __future__ import annotations

import msgspec

from app_server.agent.events import ItemCompleted, ItemKept, ItemStarted, ThreadEvent, Told
from app_server.agent.projection.extended import broken_off
from app_server.exec.head_tail import HeadTail
from app_server.protocol.item import (
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    ThreadItem,
)
from app_server.protocol.item_deltas import CommandExecutionOutputDeltaNotification

KEPT_OUTPUT_BYTES = 256 * 1024
"""Of one command, head and tail; a command that ends brings the whole itself."""


class OpenItems:
    """The commands and patches of one thread that have begun."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenItem] = {}

    def happened(self, event: ThreadEvent) -> None:
        match event:
            case ItemStarted(item=CommandExecutionThreadItem() | FileChangeThreadItem()):
                self._open[event.item.id] = _OpenItem(event)
            case ItemKept() if event.item.id in self._open:
                self._open[event.item.id] = _OpenItem(event)
            case ItemCompleted(item=item):
                self._open.pop(item.id, None)
            case Told(params=CommandExecutionOutputDeltaNotification() as told):
                if (command := self._open.get(told.item_id)) is not None:
                    command.output.add(told.delta.encode())
            case _:
                pass

    def left_behind(self, item_id: str) -> ThreadItem | None:
        """Its turn no longer waits for this command; its end comes from itself. Returns it with
        what it has written, unless it has ended already."""
        left = self._open.pop(item_id, None)
        return None if left is None else left.so_far()

    def break_off(self, turn_id: str, now_ms: int) -> list[ThreadItem]:
        """What ends with this turn, as it is to be remembered; nobody is told of it later."""
        ending = [one for one in self._open.values() if one.turn_id == turn_id]
        for one in ending:
            del self._open[one.item.id]
        return [one.broken_off(now_ms) for one in ending]


class _OpenItem:
    def __init__(self, event: ItemStarted | ItemKept) -> None:
        self.turn_id = event.turn_id
        self.item = event.item
        self.output = HeadTail(KEPT_OUTPUT_BYTES)
        waits = isinstance(event, ItemStarted) and event.waits
        self._began_ms = None if waits else event.at_ms

    def so_far(self) -> ThreadItem:
        if not isinstance(self.item, CommandExecutionThreadItem):
            return self.item
        output = self.output.joined().decode("utf-8", "replace") or None
        return msgspec.structs.replace(self.item, aggregated_output=output)

    def broken_off(self, now_ms: int) -> ThreadItem:
        item = broken_off(self.so_far())
        if isinstance(item, CommandExecutionThreadItem) and self._began_ms is not None:
            return msgspec.structs.replace(item, duration_ms=now_ms - self._began_ms)
        return item
