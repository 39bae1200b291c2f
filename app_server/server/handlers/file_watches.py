"""Watching files: start, stop, and what is told in between. Watches belong to their connection."""

from __future__ import annotations

from app_server.protocol.errors import InvalidRequest
from app_server.protocol.fs import (
    FS_CHANGED,
    FS_UNWATCH,
    FS_WATCH,
    FsChangedNotification,
    FsUnwatchParams,
    FsUnwatchResponse,
    FsWatchParams,
    FsWatchResponse,
)
from app_server.server.context import RequestContext
from app_server.server.file_watch import FileWatch
from app_server.server.registry import handles

MOST_WATCHES = 256
"""Of one connection; each costs a look at the disk five times a second."""


class Watches:
    """The watches of one connection, by the ids it gave them."""

    def __init__(self) -> None:
        self.by_id: dict[str, FileWatch] = {}

    async def close(self) -> None:
        for watch in self.by_id.values():
            await watch.close()


@handles(FS_WATCH)
async def watch(ctx: RequestContext, params: FsWatchParams) -> FsWatchResponse:
    watches = ctx.connection.belonging(Watches).by_id
    if params.watch_id in watches:
        raise InvalidRequest(f"watchId already exists: {params.watch_id}")
    if len(watches) >= MOST_WATCHES:
        raise InvalidRequest(f"no more than {MOST_WATCHES} watches at a time")

    def changed(paths: list[str]) -> None:
        change = FsChangedNotification(changed_paths=paths, watch_id=params.watch_id)
        ctx.connection.notify(FS_CHANGED, change)

    watch = watches[params.watch_id] = FileWatch(params.path, changed)
    await watch.begin()
    return FsWatchResponse(path=params.path)


@handles(FS_UNWATCH)
async def unwatch(ctx: RequestContext, params: FsUnwatchParams) -> FsUnwatchResponse:
    watch = ctx.connection.belonging(Watches).by_id.pop(params.watch_id, None)
    if watch is not None:
        await watch.close()
    return FsUnwatchResponse()
