"""This machine as an `Environment`: a process service of our own, started at the first command.

The service is our child; it forwards everything at once and retains nothing.
"""

from __future__ import annotations

import asyncio
import contextlib

from app_server.exec.environment import RunningProcess, SpawnRequest
from app_server.exec.errors import EnvironmentLost
from app_server.exec.service import ConnectedService
from app_server.exec_server.client import ExecServerError
from app_server.exec_server.launch import LaunchedService, launch


class LocalEnvironment:
    """Runs programs through a process service that is a child of this process.

    Starts nothing until `spawn` or `prewarm`. A service that was lost is replaced at the next
    spawn. Belongs to the event loop it is first used on.
    """

    def __init__(self) -> None:
        self._launched: LaunchedService | None = None
        self._service: ConnectedService | None = None
        self._starting = asyncio.Lock()
        self._is_closed = False

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        service = await self._running_service()
        return await service.spawn(request)

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
                    self._launched = await launch(retained_output_bytes=0)
                except ExecServerError as error:
                    raise EnvironmentLost(str(error)) from error
                self._service = ConnectedService(self._launched.client, is_trusted=True)
            return self._service

    async def _end_service(self) -> None:
        launched, self._launched, self._service = self._launched, None, None
        if launched is not None:
            await launched.close()
