"""The server inside another program: on a thread of its own, with its own event loop.

    async with LocalServer(options) as server:
        async with Client(server.connect()) as client: ...

The thread starts on entering and ends, within a bounded time, on leaving. Nothing but the local
channels joins the two loops, so the caller's loop never waits for the server's work.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING

from app_server.rpc.channel import DEFAULT_CAPACITY, LocalChannel, local_pair

if TYPE_CHECKING:
    from app_server.server.options import ServerOptions
    from app_server.server.server import Server

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
"""The server bounds its own closing well below this; a thread that takes longer is left behind."""


class LocalServer:
    """A server running on its own thread.

    With `through_json` its channels carry bytes, as a socket would.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        capacity: int = DEFAULT_CAPACITY,
        through_json: bool = False,
    ) -> None:
        self._options = options
        self._capacity = capacity
        self._through_json = through_json
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None
        self._stop = asyncio.Event()
        self._server_ends: set[LocalChannel] = set()
        self._ended: Future[None] = Future()
        self._ended.set_running_or_notify_cancel()
        self._thread = threading.Thread(target=self._run, name="app-server", daemon=True)

    def start(self) -> None:
        """Start the thread; returns at once, and `connect` works from here on."""
        self._thread.start()

    async def stop(self) -> None:
        """Close the server and wait for its thread."""
        try:
            self._loop.call_soon_threadsafe(self._stop.set)
        except RuntimeError:
            return  # it has ended by itself
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.shield(asyncio.wrap_future(self._ended))
        except TimeoutError:
            log.warning("the server's thread did not end within %.0f s", CLOSE_SECONDS)
        else:
            self._thread.join()  # it has nothing left to do

    async def __aenter__(self) -> LocalServer:
        self.start()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def connect(self) -> LocalChannel:
        """A new connection; the client's end, for the calling loop.

        What is sent before the server is ready waits for it. A server that has ended, or could not
        start, shows as a closed channel.
        """
        client_end, server_end = local_pair(self._capacity, self._through_json)
        self._server_ends.add(server_end)
        try:
            self._loop.call_soon_threadsafe(self._serve, server_end)
        except RuntimeError:
            self._let_go(server_end)
        return client_end

    def _serve(self, channel: LocalChannel) -> None:
        assert self._server is not None
        serving = self._server.tasks.start(self._server.serve(channel))
        serving.add_done_callback(lambda _: self._let_go(channel))

    def _let_go(self, channel: LocalChannel) -> None:
        channel.close_now()
        self._server_ends.discard(channel)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            from app_server.server.server import Server  # imported here, off the caller's thread

            self._server = Server(self._options)
            self._loop.run_until_complete(self._live())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        except Exception:
            log.exception("the server inside this process has failed")
        finally:
            self._loop.close()
            for channel in list(self._server_ends):
                self._let_go(channel)
            self._ended.set_result(None)

    async def _live(self) -> None:
        assert self._server is not None
        async with self._server:
            await self._stop.wait()
