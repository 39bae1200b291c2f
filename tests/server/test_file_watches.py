"""Watching files and folders."""

import asyncio
import os
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.fs import (
    FS_CHANGED,
    FS_UNWATCH,
    FS_WATCH,
    FsChangedNotification,
    FsUnwatchParams,
    FsWatchParams,
)
from app_server.server.file_watch import differences, snapshot
from tests.server.connector import Connector


@pytest.fixture
async def client(connect: Connector) -> Client:
    return await connect()


async def change(client: Client) -> FsChangedNotification:
    async with asyncio.timeout(30):
        async for event in client.events():
            if isinstance(event, Notification) and event.method == FS_CHANGED.name:
                assert isinstance(event.params, FsChangedNotification)
                return event.params
    raise AssertionError


async def test_changes_in_a_folder_are_told_together_and_sorted(
    client: Client, workspace: Path
) -> None:
    (workspace / "b").touch()
    await client.request(FS_WATCH, FsWatchParams(path=str(workspace), watch_id="w"))
    (workspace / "c").touch()
    (workspace / "a").touch()
    (workspace / "b").write_text("longer")
    changed: set[str] = set()
    while len(changed) < 3:
        told = await change(client)
        assert told.changed_paths == sorted(told.changed_paths)
        changed |= set(told.changed_paths)
    assert changed == {str(workspace / name) for name in "abc"}


async def test_a_file_may_be_watched_before_it_exists(client: Client, workspace: Path) -> None:
    path = str(workspace / "later")
    await client.request(FS_WATCH, FsWatchParams(path=path, watch_id="w"))
    (workspace / "later").touch()
    assert await change(client) == FsChangedNotification(changed_paths=[path], watch_id="w")
    (workspace / "later").unlink()
    assert (await change(client)).changed_paths == [path]


async def test_an_id_can_be_used_again_after_unwatching(client: Client, workspace: Path) -> None:
    watch = FsWatchParams(path=str(workspace), watch_id="w")
    await client.request(FS_WATCH, watch)
    with pytest.raises(InvalidRequest, match="watchId already exists: w"):
        await client.request(FS_WATCH, watch)
    for _ in range(2):
        await client.request(FS_UNWATCH, FsUnwatchParams(watch_id="w"))
    await client.request(FS_WATCH, watch)


async def test_each_connection_has_its_own_ids(connect: Connector, workspace: Path) -> None:
    for name in ("first", "second"):
        client = await connect(name)
        await client.request(FS_WATCH, FsWatchParams(path=str(workspace), watch_id="w"))


def test_a_folder_itself_is_told_only_when_nothing_in_it_is(tmp_path: Path) -> None:
    before = snapshot(str(tmp_path))
    (tmp_path / "file").touch()
    with_file = snapshot(str(tmp_path))
    os.utime(tmp_path, (1, 1))
    touched = snapshot(str(tmp_path))
    assert differences(before, with_file) == [str(tmp_path / "file")]
    assert differences(with_file, touched) == [str(tmp_path)]
    assert differences(touched, touched) == []
