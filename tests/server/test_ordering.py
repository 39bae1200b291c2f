"""Queues: what waits for what."""

import asyncio
from collections.abc import Callable

import pytest

from app_server.server.ordering import Queues
from app_server.server.tasks import Tasks


class Jobs:
    """Jobs that begin in the test's sight and end when it says so."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.queues = Queues(self.tasks.start)
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.releases: dict[str, Callable[[], None]] = {}

    def submit(self, name: str, queue: str | None, *, shared: bool = False) -> None:
        self._ends[name] = asyncio.Event()

        async def job(release: Callable[[], None]) -> None:
            self.began.append(name)
            self.releases[name] = release
            await self._ends[name].wait()

        self.queues.submit(queue, job, shared=shared)

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


async def test_jobs_of_one_queue_run_one_after_another_in_arrival_order(jobs: Jobs) -> None:
    for name in "abc":
        jobs.submit(name, "q")
    await jobs.settle()
    assert jobs.began == ["a"]
    await jobs.end("a")
    assert jobs.began == ["a", "b"]
    await jobs.end("b", "c")
    assert jobs.began == ["a", "b", "c"]


async def test_different_queues_and_no_queue_do_not_wait(jobs: Jobs) -> None:
    jobs.submit("a", "one")
    jobs.submit("b", "two")
    jobs.submit("c", None)
    jobs.submit("d", None)
    await jobs.settle()
    assert jobs.began == ["a", "b", "c", "d"]


async def test_neighbouring_shared_jobs_run_together_and_others_wait_for_all(jobs: Jobs) -> None:
    jobs.submit("read 1", "q", shared=True)
    jobs.submit("read 2", "q", shared=True)
    jobs.submit("write", "q")
    jobs.submit("read 3", "q", shared=True)
    await jobs.settle()
    assert jobs.began == ["read 1", "read 2"]
    await jobs.end("read 2")
    assert jobs.began == ["read 1", "read 2"]
    await jobs.end("read 1")
    assert jobs.began == ["read 1", "read 2", "write"]
    await jobs.end("write")
    assert jobs.began[-1] == "read 3"


async def test_a_job_may_let_the_next_one_go_ahead(jobs: Jobs) -> None:
    jobs.submit("a", "q")
    jobs.submit("b", "q")
    await jobs.settle()
    jobs.releases["a"]()
    await jobs.settle()
    assert jobs.began == ["a", "b"]
    jobs.submit("c", "q")
    await jobs.end("a")
    assert jobs.began == ["a", "b"]


async def test_a_failing_job_does_not_hold_up_its_queue(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_release: Callable[[], None]) -> None:
        raise ValueError("no")

    jobs.queues.submit("q", fail)
    jobs.submit("b", "q")
    await jobs.settle()
    assert jobs.began == ["b"]
    assert "a task of the server failed" in caplog.text


async def test_an_empty_queue_is_forgotten(jobs: Jobs) -> None:
    for number in range(100):
        jobs.submit(str(number), f"queue {number}")
    await jobs.end(*map(str, range(100)))
    assert len(jobs.queues) == 0
