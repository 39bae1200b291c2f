"""This machine as an `Environment`: a process service of our own, started at the first command."""

from __future__ import annotations

from app_server.exec.environment import RunningProcess, SpawnRequest


class LocalEnvironment:
    """Runs programs through a process service that is a child of this process.

    Starts nothing until `spawn` or `prewarm`. A service that was lost is replaced at the next spawn.
    """

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        raise NotImplementedError

    async def prewarm(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
