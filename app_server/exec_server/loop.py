"""The few things the service needs from an event loop, and the light loop it runs on by itself.

asyncio's loop has all of `Loop`, so the same handler also lives inside an asyncio program. Started
as a child of the server the service uses `SelectorLoop` instead: asyncio would make up half of its
start-up time and of what every fork has to copy.
"""

from __future__ import annotations

import heapq
import selectors
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Protocol

Callback = Callable[[], object]

LONGEST_PATIENCE_SECONDS = 3600.0
"""The system waits no longer than some weeks at once; a timer may be further away."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class Loop(Protocol):
    """The part of `asyncio.AbstractEventLoop` that is used here."""

    def add_reader(self, fd: int, callback: Callback, /) -> object: ...
    def remove_reader(self, fd: int, /) -> object: ...
    def add_writer(self, fd: int, callback: Callback, /) -> object: ...
    def remove_writer(self, fd: int, /) -> object: ...
    def call_soon(self, callback: Callback, /) -> object: ...
    def call_later(self, delay: float, callback: Callback, /) -> Timer: ...


class SelectorLoop:
    """A single-threaded loop: readers, writers, timers.

    A descriptor closed and opened again within one round may be reported although the new one is
    not ready, so callbacks must not block.
    """

    def __init__(self) -> None:
        # poll, not epoll, which refuses regular files: a client may well redirect our streams.
        self._selector = selectors.PollSelector()
        self._ready: deque[Callback] = deque()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = count()
        self._is_running = False

    def add_reader(self, fd: int, callback: Callback, /) -> None:
        self._set(fd, selectors.EVENT_READ, callback)

    def remove_reader(self, fd: int, /) -> None:
        self._set(fd, selectors.EVENT_READ, None)

    def add_writer(self, fd: int, callback: Callback, /) -> None:
        self._set(fd, selectors.EVENT_WRITE, callback)

    def remove_writer(self, fd: int, /) -> None:
        self._set(fd, selectors.EVENT_WRITE, None)

    def call_soon(self, callback: Callback, /) -> None:
        self._ready.append(callback)

    def call_later(self, delay: float, callback: Callback, /) -> _Timer:
        timer = _Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + delay, next(self._order), timer))
        return timer

    def run(self) -> None:
        """Run until `stop`."""
        self._is_running = True
        while self._is_running:
            for key, mask in self._selector.select(self._patience()):
                for event in (selectors.EVENT_READ, selectors.EVENT_WRITE):
                    # Looked up now: a callback before this one may have taken it away.
                    callback = self._callback(key.fd, event) if mask & event else None
                    if callback is not None:
                        callback()
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                timer = heapq.heappop(self._timers)[2]
                if timer.callback is not None:
                    self._ready.append(timer.callback)
            # Only what is ready now: what callbacks add waits for the next round.
            for _ in range(len(self._ready)):
                self._ready.popleft()()

    def stop(self) -> None:
        self._is_running = False

    def close(self) -> None:
        self._selector.close()

    def _patience(self) -> float | None:
        if self._ready:
            return 0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return min(max(0.0, self._timers[0][0] - time.monotonic()), LONGEST_PATIENCE_SECONDS)

    def _callback(self, fd: int, event: int) -> Callback | None:
        key = self._selector.get_map().get(fd)
        if key is None:
            return None
        on_read, on_write = key.data
        callback: Callback | None = on_read if event == selectors.EVENT_READ else on_write
        return callback

    def _set(self, fd: int, event: int, callback: Callback | None) -> None:
        try:
            key = self._selector.get_key(fd)
        except KeyError:
            if callback is not None:
                pair = (callback, None) if event == selectors.EVENT_READ else (None, callback)
                self._selector.register(fd, event, pair)
            return
        on_read, on_write = key.data
        if event == selectors.EVENT_READ:
            on_read = callback
        else:
            on_write = callback
        events = (selectors.EVENT_READ if on_read else 0) | (
            selectors.EVENT_WRITE if on_write else 0
        )
        if events:
            self._selector.modify(fd, events, (on_read, on_write))
        else:
            self._selector.unregister(fd)


class _Timer:
    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None
