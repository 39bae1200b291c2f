"""What one client is still to be told, in order.

Putting never blocks: a thread's progress does not wait for a reader. While the reader keeps up
every message goes straight to the channel. While it is behind, messages wait here; once it is far
behind, deltas of one item that would stand side by side become one. Started, completed, answers and
questions always wait their turn. A client that lets too much of this pile up, in messages or in
bytes, is cut off. Answers it asked for itself: how many wait is told, so that no more calls are
taken than is good, and beside many bytes of them a further large one becomes a refusal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from app_server.protocol.errors import InternalError, Overloaded
from app_server.rpc.channel import Channel, ChannelClosed
from app_server.rpc.codec import to_json
from app_server.rpc.frames import ErrorFrame, Frame, NotificationFrame, ResultFrame

log = logging.getLogger(__name__)

CAPACITY = 32_768
"""Messages that may wait; deltas of one item count once, so only a dead reader gets here."""

JOINING_FROM = 1_024
"""With fewer waiting, the reader is only catching its breath and gets each delta as it came."""

CAPACITY_BYTES = 64 * 1024 * 1024
"""Of messages other than answers: joined, streamed text takes few places however much it is."""

CAPACITY_ANSWER_BYTES = 32 * 1024 * 1024
"""Waiting answers beside which a further large one is refused; any first one is kept, however large
a history is."""

SMALL_ANSWER_BYTES = 16 * 1024
"""Never refused, since it may be all that is heard of something done; the count bounds these."""

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
        capacity_bytes: int = CAPACITY_BYTES,
        capacity_answer_bytes: int = CAPACITY_ANSWER_BYTES,
    ) -> None:
        self._channel = channel
        self._on_overflow = on_overflow
        self._capacity = capacity
        self._joining_from = joining_from
        self._capacity_bytes = capacity_bytes
        self._capacity_answer_bytes = capacity_answer_bytes
        self.waiting_bytes = 0
        """Of messages other than answers."""
        self.waiting_answers = 0
        self._waiting_answer_bytes = 0
        self._waiting: deque[_Waiting] = deque()
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
        if isinstance(frame, ResultFrame | ErrorFrame):
            self._keep_answer(frame)
        else:
            self._keep(frame)
        if len(self._waiting) > self._capacity or self.waiting_bytes > self._capacity_bytes:
            log.warning(
                "a client let %d messages pile up, with %d bytes besides its answers: cut off",
                len(self._waiting),
                self.waiting_bytes,
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
        self.waiting_bytes = self.waiting_answers = self._waiting_answer_bytes = 0
        self._last_deltas.clear()
        self._wake.set()
        self._empty.set()

    def _keep_answer(self, answer: ResultFrame | ErrorFrame) -> None:
        self._last_deltas.clear()
        kept: Frame = answer
        size_bytes = 0
        if isinstance(answer, ResultFrame):
            kept, size_bytes = _packed(answer)
        held_bytes = self._waiting_answer_bytes
        if held_bytes > self._capacity_answer_bytes and size_bytes > SMALL_ANSWER_BYTES:
            kept, size_bytes = ErrorFrame(answer.id, _unread(held_bytes)), 0
        self._waiting.append(_Waiting(kept, size_bytes))
        self.waiting_answers += 1
        self._waiting_answer_bytes += size_bytes

    def _keep(self, frame: Frame) -> None:
        size_bytes = _size_bytes(frame)
        self.waiting_bytes += size_bytes
        key = _delta_key(frame)
        if key is None or not isinstance(frame, NotificationFrame):
            self._last_deltas.clear()
        elif len(self._waiting) < self._joining_from:
            self._last_deltas.pop(key, None)  # what comes later must not overtake this one
        elif (growing := self._last_deltas.get(key)) is not None:
            growing.add(frame.params, size_bytes)
            return
        else:
            growing = self._last_deltas[key] = _GrowingDelta(key, frame, size_bytes)
            self._waiting.append(growing)
            return
        self._waiting.append(_Waiting(frame, size_bytes))

    def _take_first(self) -> Frame:
        first = self._waiting.popleft()
        if isinstance(first, _GrowingDelta) and self._last_deltas.get(first.key) is first:
            del self._last_deltas[first.key]
        if isinstance(first.frame, ResultFrame | ErrorFrame):
            self.waiting_answers -= 1
            self._waiting_answer_bytes -= first.size_bytes
        else:
            self.waiting_bytes -= first.size_bytes
        return first.taken()

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


class _Waiting:
    """One message that waits."""

    __slots__ = ("frame", "size_bytes")

    def __init__(self, frame: Frame, size_bytes: int) -> None:
        self.frame = frame
        self.size_bytes = size_bytes

    def taken(self) -> Frame:
        return self.frame


class _GrowingDelta(_Waiting):
    """Deltas of one item that wait together."""

    __slots__ = ("_texts", "key")

    def __init__(self, key: DeltaKey, first: NotificationFrame, size_bytes: int) -> None:
        super().__init__(first, size_bytes)
        self.key = key
        self._texts: list[str] = [_text(first.params)]

    def add(self, params: object, size_bytes: int) -> None:
        self._texts.append(_text(params))
        self.size_bytes += size_bytes

    def taken(self) -> Frame:
        if len(self._texts) == 1:
            return self.frame
        assert isinstance(self.frame, NotificationFrame)
        params: Any = self.frame.params
        joined = msgspec.structs.replace(params, delta="".join(self._texts))
        return NotificationFrame(self.frame.method, joined)


def _delta_key(frame: Frame) -> DeltaKey | None:
    if not isinstance(frame, NotificationFrame) or frame.method not in TEXT_DELTAS:
        return None
    params: Any = frame.params
    part = TEXT_DELTAS[frame.method]
    return frame.method, params.thread_id, params.item_id, getattr(params, part) if part else None


def _packed(answer: ResultFrame) -> tuple[ResultFrame, int]:
    """The answer and its size; a large one as the bytes in which it will travel."""
    try:
        text = to_json(answer.result)
    except (TypeError, ValueError, RecursionError):
        return answer, 0  # told as a defect once it is sent
    if len(text) <= SMALL_ANSWER_BYTES:
        return answer, len(text)
    return ResultFrame(answer.id, msgspec.Raw(text)), len(text)


def _size_bytes(frame: Frame) -> int:
    """Of a message that is no answer, about; streamed text, of which there is most, is not written
    for that.
    """
    params: Any = getattr(frame, "params", None)
    if isinstance(frame, NotificationFrame):
        if frame.method in TEXT_DELTAS:
            return len(_text(params))
        if frame.method == "command/exec/outputDelta":
            return len(params.delta_base64)
    try:
        return len(to_json(params))
    except (TypeError, ValueError, RecursionError):
        return 0  # told as a defect once it is sent


def _unread(held_bytes: int) -> Overloaded:
    return Overloaded(f"{held_bytes} bytes of earlier answers wait to be read; read them first.")


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
