"""Searches and watches that hang, and everybody else."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app_server.protocol.file_search import FUZZY_FILE_SEARCH, FuzzyFileSearchParams
from app_server.protocol.fs import FS_READ_FILE, FS_WATCH, FsReadFileParams, FsWatchParams
from app_server.server import file_watch
from app_server.server.file_watch import FileWatch, Snapshot
from app_server.server.handlers import file_search
from tests.server.connector import Connector

BOUND_SECONDS = 30
MORE_THAN_ALL_THREADS = 40
"""`asyncio.to_thread` has 32 at most."""


class StuckDisk:
    """Whoever looks at it waits until it is repaired."""

    def __init__(self) -> None:
        self.repaired = threading.Event()
        self.touched = threading.Event()

    def snapshot(self, _path: str) -> Snapshot:
        self.touched.set()
        self.repaired.wait(BOUND_SECONDS)
        return {}

    def index(self, _roots: list[str]) -> None:
        self.snapshot("")
        raise OSError


@pytest.fixture
def stuck_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[StuckDisk]:
    disk = StuckDisk()
    monkeypatch.setattr(file_watch, "snapshot", disk.snapshot)
    monkeypatch.setattr(file_search, "FileIndex", disk.index)
    yield disk
    disk.repaired.set()


@pytest.mark.parametrize("kind", ["watches", "searches"])
async def test_watches_and_searches_that_hang_do_not_hold_up_other_calls(
    connect: Connector, stuck_disk: StuckDisk, workspace: Path, kind: str
) -> None:
    client = await connect()
    (workspace / "file").write_text("quick")
    hanging: list[asyncio.Task[Any]] = []
    for number in range(MORE_THAN_ALL_THREADS):
        if kind == "watches":
            watch = FsWatchParams(path="/slow", watch_id=str(number))
            hanging.append(asyncio.create_task(client.request(FS_WATCH, watch)))
        else:
            search = FuzzyFileSearchParams(query="x", roots=["/slow"])
            hanging.append(asyncio.create_task(client.request(FUZZY_FILE_SEARCH, search)))
    async with asyncio.timeout(BOUND_SECONDS):
        await asyncio.to_thread(stuck_disk.touched.wait)
        read = FsReadFileParams(path=str(workspace / "file"))
        assert (await client.request(FS_READ_FILE, read)).data_base64
        assert not any(task.done() for task in hanging)
        stuck_disk.repaired.set()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_a_watch_closed_before_its_first_look_ended_never_looks_again(
    stuck_disk: StuckDisk,
) -> None:
    watch = FileWatch("/slow", lambda _: None)
    beginning = asyncio.create_task(watch.begin())
    async with asyncio.timeout(BOUND_SECONDS):
        await asyncio.to_thread(stuck_disk.touched.wait)
        await watch.close()
        stuck_disk.repaired.set()
        await beginning
    assert asyncio.all_tasks() == {asyncio.current_task()}
