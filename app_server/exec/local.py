"""A process service that is our child as an `Environment`, started at the first command.

For this machine it is one of our own, which forwards everything at once and retains nothing; else
a program that leads to one, for instance through ssh.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from app_server.exec.environment import Confiner, RunningProcess, SpawnRequest
from app_server.exec.errors import EnvironmentLost
from app_server.exec.service import ConnectedService
from app_server.exec_server.client import ExecServerError
from app_server.exec_server.launch import (
    INITIALIZE_TIMEOUT_SECONDS,
    LaunchedService,
    launch,
    launch_program,
)

if TYPE_CHECKING:
    from app_server.exec.remote_files import RemoteFiles


class LocalEnvironment:
    """Runs programs through a process service that is a child of this process.

    Starts nothing until `spawn` or `prewarm`. A service that was lost is replaced at the next
    spawn. Belongs to the event loop it is first used on.
    """

    def __init__(self, start: Callable[[], Awaitable[LaunchedService]] | None = None) -> None:
        """`start` for another service than our own."""
        self._start = start
        self._launched: LaunchedService | None = None
        self._service: ConnectedService | None = None
        self._starting = asyncio.Lock()
        self._is_closed = False

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        service = await self._running_service()
        return await service.spawn(request)

    async def confiner(self) -> Confiner:
        if self._start is None:
            return "caller"
        service = await self._running_service()
        return "service" if service.applies_sandboxes else "nobody"

    async def files(self) -> RemoteFiles | None:
        return None if self._start is None else (await self._running_service()).files()

    async def prewarm(self) -> None:
        with contextlib.suppress(EnvironmentLost):
            await self._running_service()

    async def close(self) -> None:
        self._is_closed = True
        async with self._starting:
            await self._end_service()

    @property
    def service_pid(self) -> int | None:
        """The process service's own process, if it runs."""
        return None if self._launched is None else self._launched.pid

    async def _running_service(self) -> ConnectedService:
        async with self._starting:
            if self._is_closed:
                raise EnvironmentLost("the process service is shut down")
            if self._service is not None and self._service.is_lost:
                await self._end_service()
            if self._service is None:
                try:
                    if self._start is None:
                        self._launched = await launch(retained_output_bytes=0)
                    else:
                        self._launched = await self._start()
                except ExecServerError as error:
                    raise EnvironmentLost(str(error)) from error
                self._service = ConnectedService(
                    self._launched.client, is_trusted=self._start is None
                )
            return self._service

    async def _end_service(self) -> None:
        launched, self._launched, self._service = self._launched, None, None
        if launched is not None:
            await launched.close()


def program_environment(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    initialize_timeout_seconds: float = INITIALIZE_TIMEOUT_SECONDS,
) -> LocalEnvironment:
    """The machine behind a program that speaks for a process service on its streams.

    `env` comes on top of our own variables.
    """

    async def start() -> LaunchedService:
        return await launch_program(
            argv, env=env, cwd=cwd, initialize_timeout_seconds=initialize_timeout_seconds
        )

    return LocalEnvironment(start)
