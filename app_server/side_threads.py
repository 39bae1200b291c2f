"""Threads of their own for work on the disk that may take long or hang.

What everybody runs with `asyncio.to_thread` shares a handful of threads; work that walks a large
tree, or looks at a network drive again and again, would keep the quick steps of a turn waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

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
