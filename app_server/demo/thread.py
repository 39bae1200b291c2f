"""The scripted model on a thread of its own, for callers that have no event loop to spare."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Director

START_TIMEOUT_SECONDS = 30
"""Binding a loopback port takes milliseconds; only a starved machine comes near this."""


class ModelThread:
    """A context manager: starts the thread, gives the running model, ends both."""

    def __init__(self, director: Director | None = None) -> None:
        self.model = ScriptedModel(director)
        self._ready = threading.Event()
        self._end = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="codex-scripted-model", daemon=True)

    def __enter__(self) -> ScriptedModel:
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_SECONDS):
            raise RuntimeError("the scripted model did not start")
        return self.model

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self.model:
            self._ready.set()
            await self._end.wait()
