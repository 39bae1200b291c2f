"""A process service elsewhere as an `Environment`, reached by its websocket URL."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from app_server.exec.environment import Confiner, RunningProcess, SpawnRequest
from app_server.exec.errors import EnvironmentLost
from app_server.exec.service import ConnectedService
from app_server.exec_server.client import ExecServerError
from app_server.exec_server.websocket_client import (
    CONNECT_TIMEOUT_SECONDS,
    INITIALIZE_TIMEOUT_SECONDS,
    connect_websocket,
)

if TYPE_CHECKING:
    from app_server.exec.remote_files import RemoteFiles


class RemoteEnvironment:
    """Runs programs where the service behind `url` runs: one of ours, or of release 0.128 or 0.169.
    A lost connection is replaced at the next spawn; what ran over it has ended.
    """

    def __init__(
        self,
        url: str,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        initialize_timeout_seconds: float = INITIALIZE_TIMEOUT_SECONDS,
        bearer_token_file: Path | None = None,
    ) -> None:
        self.url = url
        self._bearer_token_file = bearer_token_file
        self._connect_timeout_seconds = connect_timeout_seconds
        self._initialize_timeout_seconds = initialize_timeout_seconds
        self._service: ConnectedService | None = None
        self._connecting = asyncio.Lock()
        self._is_closed = False

    @property
    def is_connected(self) -> bool:
        return self._service is not None and not self._service.is_lost

    @property
    def is_held_up(self) -> bool:
        """Whether output that nobody reads keeps the service waiting."""
        return self._service is not None and self._service.is_paused

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        service = await self._connected_service()
        return await service.spawn(request)

    async def confiner(self) -> Confiner:
        service = await self._connected_service()
        return "service" if service.applies_sandboxes else "nobody"

    async def files(self) -> RemoteFiles:
        return (await self._connected_service()).files()

    async def prewarm(self) -> None:
        with contextlib.suppress(EnvironmentLost):
            await self._connected_service()

    async def close(self) -> None:
        self._is_closed = True
        async with self._connecting:
            service, self._service = self._service, None
        if service is not None:
            await service.close()

    async def _connected_service(self) -> ConnectedService:
        async with self._connecting:
            if self._is_closed:
                raise EnvironmentLost("the environment is closed")
            if self._service is not None and self._service.is_lost:
                await self._service.close()
                self._service = None
            if self._service is None:
                try:
                    client = await connect_websocket(
                        self.url,
                        connect_timeout_seconds=self._connect_timeout_seconds,
                        initialize_timeout_seconds=self._initialize_timeout_seconds,
                        bearer_token=await self._bearer_token(),
                    )
                except ExecServerError as error:
                    raise EnvironmentLost(str(error)) from error
                self._service = ConnectedService(client, is_trusted=False)
            return self._service

    async def _bearer_token(self) -> str | None:
        file = self._bearer_token_file
        if file is None:
            return None
        try:
            return (await asyncio.to_thread(file.read_text, "utf-8")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentLost(f"the bearer token cannot be read: {error}") from error
