"""A channel carries frames both ways, in order; `local_pair` makes one inside this process.

The two ends of a local pair may live on two event loops in two threads. Each direction is a bounded
lane. Whoever fills it learns so at once (`send_now` answers False) or waits (`send`); nothing is
dropped. A reader that is already awake is not woken again, so a burst costs one wake-up. With
`through_json` every frame makes the journey a socket would make, as bytes.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from app_server.rpc.frames import Frame

if TYPE_CHECKING:
    from app_server.rpc.codec import Codec

DEFAULT_CAPACITY = 128


class ChannelClosed(Exception):
    """Nothing more can be sent: one of the two ends is gone."""

    def __init__(self, reason: str = "the channel is closed") -> None:
        self.reason = reason
        super().__init__(reason)


class Channel(Protocol):
    """One end of a conversation. Used from one event loop; one task receives, one sends."""

    async def receive(self) -> Frame | None:
        """The next frame; None once the other end is gone and everything it sent was read."""
        ...

    @property
    def can_send(self) -> bool:
        """Whether the other end may still be reading, as far as is known."""
        ...

    def send_now(self, frame: Frame) -> bool:
        """Send without waiting; False, and nothing sent, while the reader is behind.

        Raises `ChannelClosed`.
        """
        ...

    async def send(self, frame: Frame) -> None:
        """Send, waiting while the reader is behind. Raises `ChannelClosed`."""
        ...

    async def close(self, complaint: str | None = None) -> None:
        """End the conversation; what was sent before still arrives where that is possible.

        With a `complaint` the other end is cut off: it is told why, if the transport can, and is
        not waited for. May be called twice.
        """
        ...


def local_pair(
    capacity: int = DEFAULT_CAPACITY, through_json: bool = False
) -> tuple[LocalChannel, LocalChannel]:
    """The client's end and the server's end of a channel inside this process."""
    to_server, to_client = _Lane(capacity), _Lane(capacity)
    if through_json:
        from app_server.rpc.codec import client_codec, server_codec

        client, server = client_codec(), server_codec()
        return (
            _JsonChannel(to_client, to_server, client),
            _JsonChannel(to_server, to_client, server),
        )
    return LocalChannel(to_client, to_server), LocalChannel(to_server, to_client)


class LocalChannel:
    """One end of a local pair."""

    def __init__(self, incoming: _Lane, outgoing: _Lane) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    async def receive(self) -> Frame | None:
        item = await self._incoming.get()
        return None if item is None else self._unpack(item)

    def receive_waiting(self) -> list[Frame]:
        """Everything that is already here, without waiting."""
        return [self._unpack(item) for item in self._incoming.get_waiting()]

    @property
    def can_send(self) -> bool:
        return not self._outgoing.is_closed

    def send_now(self, frame: Frame) -> bool:
        return self._outgoing.put_now(self._pack(frame))

    async def send(self, frame: Frame) -> None:
        await self._outgoing.put(self._pack(frame))

    async def close(self, complaint: str | None = None) -> None:
        self.close_now()

    def close_now(self) -> None:
        """Close both directions, from any thread."""
        self._outgoing.close()
        self._incoming.close()

    def _pack(self, frame: Frame) -> object:
        return frame

    def _unpack(self, item: object) -> Frame:
        return item  # type: ignore[return-value]  # only frames are put into a lane


class _JsonChannel(LocalChannel):
    """The same through bytes. What the codec drops never reaches the reader."""

    def __init__(self, incoming: _Lane, outgoing: _Lane, codec: Codec) -> None:
        super().__init__(incoming, outgoing)
        self._codec = codec

    async def receive(self) -> Frame | None:
        while True:
            item = await self._incoming.get()
            if item is None:
                return None
            assert isinstance(item, bytes)
            frame = self._codec.decode(item)
            if frame is not None:
                return frame

    def receive_waiting(self) -> list[Frame]:
        frames = (self._codec.decode(item) for item in self._incoming.get_waiting())  # type: ignore[arg-type]
        return [frame for frame in frames if frame is not None]

    def _pack(self, frame: Frame) -> object:
        return self._codec.encode(frame)


class _Lane:
    """One direction: a bounded queue between a producer and a consumer on any two loops."""

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._items: deque[object] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._reader = _Sleeper()
        self._writer = _Sleeper()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def put_now(self, item: object) -> bool:
        with self._lock:
            if self._closed:
                raise ChannelClosed
            if len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            reader = self._reader.take()
        _wake(reader)
        return True

    async def put(self, item: object) -> None:
        while not self.put_now(item):
            with self._lock:
                waiting = None
                if not self._closed and len(self._items) >= self._capacity:
                    waiting = self._writer.sleep()
            if waiting is not None:
                await waiting

    async def get(self) -> object | None:
        while True:
            with self._lock:
                if self._items:
                    item = self._items.popleft()
                    # Half empty before the writer goes on, so that the two do not take turns.
                    half_empty = len(self._items) <= self._capacity // 2
                    writer = self._writer.take() if half_empty else None
                    break
                if self._closed:
                    return None
                waiting = self._reader.sleep()
            await waiting
        _wake(writer)
        return item

    def get_waiting(self) -> list[object]:
        with self._lock:
            items = list(self._items)
            self._items.clear()
            writer = self._writer.take() if items else None
        _wake(writer)
        return items

    def close(self) -> None:
        with self._lock:
            self._closed = True
            sleepers = self._reader.take(), self._writer.take()
        for sleeper in sleepers:
            _wake(sleeper)


class _Sleeper:
    """The one task that waits at one side of a lane, if any; handled under the lane's lock."""

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    def sleep(self) -> asyncio.Future[None]:
        self._future = asyncio.get_running_loop().create_future()
        return self._future

    def take(self) -> asyncio.Future[None] | None:
        future, self._future = self._future, None
        return future


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is None:
        return
    loop = future.get_loop()
    if asyncio._get_running_loop() is loop:
        _finish(future)
        return
    try:
        loop.call_soon_threadsafe(_finish, future)
    except RuntimeError:
        pass  # the sleeper's loop has ended, and its task with it


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
