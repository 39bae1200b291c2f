"""Threads of their own for work that may take long or hang.

What everybody runs with `asyncio.to_thread` shares a handful of threads; work that walks a large
tree, or looks at a network drive again and again, would keep the quick steps of a turn waiting. And
the program ends only when those threads have: what may wait for a person must not run there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


class SideThreads:
    """A few threads for one kind of work, started when first needed; the rest of it waits."""

    def __init__(self, kind: str, count: int) -> None:
        self._kind = kind
        self._count = count

    async def run(self, work: Callable[[], T]) -> T:
        """Do it there. Work that is cancelled before its turn has come is never done."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self._count, thread_name_prefix=self._kind)


async def on_a_thread_of_its_own(work: Callable[[], T]) -> T:
    """Do it on a thread that the end of the program does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[Any], None], outcome: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody asks any more
            loop.call_soon_threadsafe(lambda: None if done.done() else settle(outcome))

    def run() -> None:
        try:
            outcome = work()
        except BaseException as failure:
            tell(done.set_exception, failure)
        else:
            tell(done.set_result, outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done
