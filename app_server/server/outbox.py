"""What one client is still to be told, in order.

Putting never blocks: a thread's progress does not wait for a reader. While the reader keeps up
every message goes straight to the channel. While it is behind, messages wait here; once it is far
behind, deltas of one item that would stand side by side become one. Started, completed, answers and
questions always wait their turn. A client that lets too much pile up, in messages or in streamed
text, is cut off. How many answers wait is told, so that no more calls are taken than is good.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from app_server.protocol.errors import InternalError
from app_server.rpc.channel import Channel, ChannelClosed
from app_server.rpc.frames import ErrorFrame, Frame, NotificationFrame, ResultFrame

log = logging.getLogger(__name__)

CAPACITY = 32_768
"""Messages that may wait; deltas of one item count once, so only a dead reader gets here."""

JOINING_FROM = 1_024
"""With fewer waiting, the reader is only catching its breath and gets each delta as it came."""

CAPACITY_CHARS = 64 * 1024 * 1024
"""Streamed text that may wait: joined, it takes few places however much it is."""

TEXT_DELTAS: dict[str, str | None] = {
    "item/agentMessage/delta": None,
    "item/plan/delta": None,
    "item/commandExecution/outputDelta": None,
    "item/fileChange/outputDelta": None,
    "item/reasoning/summaryTextDelta": "summary_index",
    "item/reasoning/textDelta": "content_index",
}
"""The notifications whose `delta` texts may be joined, and the part of an item they belong to."""

DeltaKey: TypeAlias = tuple[str, str, str, int | None]


class Outbox:
    """One client's outgoing messages, and their one writer."""

    def __init__(
        self,
        channel: Channel,
        on_overflow: Callable[[], None],
        capacity: int = CAPACITY,
        joining_from: int = JOINING_FROM,
        capacity_chars: int = CAPACITY_CHARS,
    ) -> None:
        self._channel = channel
        self._on_overflow = on_overflow
        self._capacity = capacity
        self._joining_from = joining_from
        self._capacity_chars = capacity_chars
        self.waiting_chars = 0
        """Streamed text among what waits."""
        self.waiting_answers = 0
        self._waiting: deque[Frame | _GrowingDelta] = deque()
        self._last_deltas: dict[DeltaKey, _GrowingDelta] = {}
        self._writing = False
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: Frame) -> None:
        """Queue a message behind all others; dropped once the client is gone."""
        if self._closed:
            return
        if not self._waiting and not self._writing:
            try:
                if self._send_now(frame):
                    return
            except ChannelClosed:
                self.close()
                return
        item = self._joined(frame)
        if item is not None:
            self._waiting.append(item)
            self.waiting_answers += isinstance(frame, ResultFrame | ErrorFrame)
        self.waiting_chars += _streamed_chars(frame)
        if len(self._waiting) > self._capacity or self.waiting_chars > self._capacity_chars:
            log.warning(
                "a client let %d messages pile up, with %d characters of streamed text: cut off",
                len(self._waiting),
                self.waiting_chars,
            )
            self.close()
            self._on_overflow()
            return
        self._empty.clear()
        self._wake.set()

    async def write(self) -> None:
        """Hand what waits to the channel, until closed."""
        while not self._closed:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                frame = self._take_first()
                self._writing = True
                try:
                    await self._send(frame)
                except ChannelClosed:
                    self.close()
                finally:
                    self._writing = False
            self._empty.set()

    async def flushed(self) -> None:
        """Wait until everything was handed over, or can no longer be."""
        await self._empty.wait()

    def close(self) -> None:
        """Forget what waits; nothing more is taken."""
        self._closed = True
        self._waiting.clear()
        self.waiting_chars = self.waiting_answers = 0
        self._last_deltas.clear()
        self._wake.set()
        self._empty.set()

    def _joined(self, frame: Frame) -> Frame | _GrowingDelta | None:
        """What to append for this message; None if one that waits already took it in."""
        key = _delta_key(frame)
        if key is None or not isinstance(frame, NotificationFrame):
            self._last_deltas.clear()
            return frame
        if len(self._waiting) < self._joining_from:
            self._last_deltas.pop(key, None)  # what comes later must not overtake this one
            return frame
        growing = self._last_deltas.get(key)
        if growing is None:
            growing = self._last_deltas[key] = _GrowingDelta(key, frame)
            return growing
        growing.add(frame.params)
        return None

    def _take_first(self) -> Frame:
        first = self._waiting.popleft()
        if isinstance(first, _GrowingDelta):
            if self._last_deltas.get(first.key) is first:
                del self._last_deltas[first.key]
            first = first.joined()
        self.waiting_answers -= isinstance(first, ResultFrame | ErrorFrame)
        self.waiting_chars -= _streamed_chars(first)
        return first

    def _send_now(self, frame: Frame) -> bool:
        try:
            return self._channel.send_now(frame)
        except (TypeError, ValueError, RecursionError) as error:
            instead = _instead_of_unwritable(frame, error)
            return instead is None or self._channel.send_now(instead)

    async def _send(self, frame: Frame) -> None:
        try:
            await self._channel.send(frame)
        except (TypeError, ValueError, RecursionError) as error:
            instead = _instead_of_unwritable(frame, error)
            if instead is not None:
                await self._channel.send(instead)


class _GrowingDelta:
    """Deltas of one item that wait together."""

    __slots__ = ("_first", "_texts", "key")

    def __init__(self, key: DeltaKey, first: NotificationFrame) -> None:
        self.key = key
        self._first = first
        self._texts: list[str] = [_text(first.params)]

    def add(self, params: object) -> None:
        self._texts.append(_text(params))

    def joined(self) -> NotificationFrame:
        if len(self._texts) == 1:
            return self._first
        params: Any = self._first.params
        joined = msgspec.structs.replace(params, delta="".join(self._texts))
        return NotificationFrame(self._first.method, joined)


def _delta_key(frame: Frame) -> DeltaKey | None:
    if not isinstance(frame, NotificationFrame) or frame.method not in TEXT_DELTAS:
        return None
    params: Any = frame.params
    part = TEXT_DELTAS[frame.method]
    return frame.method, params.thread_id, params.item_id, getattr(params, part) if part else None


def _streamed_chars(frame: Frame) -> int:
    """The length of the text that this message carries on, 0 for others."""
    if not isinstance(frame, NotificationFrame):
        return 0
    if frame.method in TEXT_DELTAS:
        return len(_text(frame.params))
    if frame.method == "command/exec/outputDelta":
        return len(frame.params.delta_base64)  # type: ignore[attr-defined]  # its own params
    return 0


def _text(params: Any) -> str:
    text: str = params.delta
    return text


def _instead_of_unwritable(frame: Frame, error: Exception) -> Frame | None:
    """What to say when a message cannot be written as JSON: a defect of ours, told as one."""
    log.error("a message cannot be written: %r", error)
    if isinstance(frame, ResultFrame):
        return ErrorFrame(frame.id, InternalError(f"the answer cannot be written: {error}"))
    if isinstance(frame, ErrorFrame):
        return ErrorFrame(frame.id, InternalError(frame.error.message))
    return None
