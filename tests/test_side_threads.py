"""Work on a thread of its own, which may hang."""

import asyncio
import threading

import pytest

from app_server.side_threads import on_a_thread_of_its_own

BOUND_SECONDS = 30


async def test_what_comes_of_it_comes_back() -> None:
    assert await on_a_thread_of_its_own(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await on_a_thread_of_its_own(lambda: 1 // 0)


def test_the_end_of_the_loop_does_not_wait_for_it() -> None:
    begun, held = threading.Event(), threading.Event()
    ended: list[bool] = []

    def hang() -> None:
        begun.set()
        ended.append(held.wait(BOUND_SECONDS))

    async def give_up() -> None:
        waiting = asyncio.ensure_future(on_a_thread_of_its_own(hang))
        await asyncio.to_thread(begun.wait, BOUND_SECONDS)
        waiting.cancel()

    asyncio.run(give_up())
    assert ended == []
    held.set()
