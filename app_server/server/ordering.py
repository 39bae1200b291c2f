"""Keeps calls that touch the same thing in order.

Jobs naming the same queue run one after another, in arrival order; neighbouring shared jobs run
together; a job without a queue runs at once. A queue exists while something is in it. Knows nothing
of methods, threads or connections: it is given a queue name and something to run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, TypeAlias

Job: TypeAlias = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs once, given a function that lets the next job of the queue go ahead early."""

Starter: TypeAlias = Callable[[Coroutine[Any, Any, None]], object]


class Queues:
    """All queues of a server."""

    def __init__(self, start: Starter) -> None:
        self._start = start
        self._queues: dict[Hashable, _Queue] = {}

    def __len__(self) -> int:
        return len(self._queues)

    def submit(self, queue: Hashable | None, job: Job, *, shared: bool = False) -> None:
        """Run `job` in its turn; a queue of None means at once."""
        if queue is None:
            self._start(_run_alone(job))
            return
        jobs = self._queues.get(queue)
        if jobs is None:
            jobs = self._queues[queue] = _Queue()
        jobs.waiting.append((job, shared))
        self._advance(queue, jobs)

    def _advance(self, name: Hashable, jobs: _Queue) -> None:
        while jobs.waiting:
            job, shared = jobs.waiting[0]
            if jobs.running and not (shared and jobs.running_are_shared):
                return
            jobs.waiting.popleft()
            jobs.running += 1
            jobs.running_are_shared = shared
            self._start(self._run(name, jobs, job))
        if not jobs.running and self._queues.get(name) is jobs:
            del self._queues[name]

    async def _run(self, name: Hashable, jobs: _Queue, job: Job) -> None:
        released = False

        def release() -> None:
            nonlocal released
            if not released:
                released = True
                jobs.running -= 1
                self._advance(name, jobs)

        try:
            await job(release)
        finally:
            release()


class _Queue:
    __slots__ = ("running", "running_are_shared", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[Job, bool]] = deque()
        self.running = 0
        self.running_are_shared = False


async def _run_alone(job: Job) -> None:
    await job(_nothing)


def _nothing() -> None:
    """A job without a queue has nobody to let ahead."""
