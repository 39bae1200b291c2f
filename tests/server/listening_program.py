"""`codex app-server --listen …` as a child process, for tests that need the program itself."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app_server.client.client import Client
from app_server.client.connect import open_websocket
from app_server.protocol.initialize import ClientInfo

BOUND_SECONDS = 30
COMMAND = (sys.executable, "-m", "app_server.cli.main", "app-server")
ME = ClientInfo(name="test", version="1.0.0")


class ListeningProgram:
    """A running program and the places it says it listens at."""

    def __init__(self, process: asyncio.subprocess.Process, places: list[str]) -> None:
        self.process = process
        self.places = places

    @property
    def url(self) -> str:
        return next(place for place in self.places if place.startswith("ws://"))

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def client(self, *, token: str | None = None) -> Client:
        client = await Client(await open_websocket(self.url, token=token)).__aenter__()
        await client.initialize(ME)
        return client

    async def ended(self) -> tuple[int, str]:
        """The exit status, and what was still said on stderr."""
        assert self.process.stderr is not None
        async with asyncio.timeout(BOUND_SECONDS):
            told = (await self.process.stderr.read()).decode()
            return await self.process.wait(), told


@asynccontextmanager
async def listening(
    codex_home: Path, *arguments: str, **environment: str
) -> AsyncIterator[ListeningProgram]:
    """The program, once it has told where it listens: as often as there is a `--listen`."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env={**os.environ, "CODEX_HOME": str(codex_home), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stdin is not None
    wanted = sum(argument.startswith(("ws://", "unix://")) for argument in arguments)
    places: list[str] = []
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            while len(places) < wanted:
                line = (await process.stderr.readline()).decode()
                assert line, "the program ended"
                if "listening on: " in line:
                    places.append(line.split()[-1])
        yield ListeningProgram(process, places)
    finally:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.communicate()
