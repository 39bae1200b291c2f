"""The server for one client over this process's stdin and stdout.

Ends when stdin does, or on SIGTERM, SIGINT or SIGHUP; what was answered by then is written first.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from app_server.bridges.errors import BridgeError
from app_server.rpc.codec import server_codec
from app_server.rpc.stdio import StdioChannel, claim_stdio
from app_server.server.first_answer import Begun
from app_server.server.options import ServerOptions
from app_server.server.plugin_bridges import plugin_bridges
from app_server.server.server import Server

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def serve_stdio(options: ServerOptions, begun: Begun | None = None) -> int:
    """Serve until the client has left; the exit status."""
    loop = asyncio.get_running_loop()
    said, answered = begun or Begun()
    channel = StdioChannel(*claim_stdio(), server_codec(), said=said, answered=answered)
    try:
        # the bridges end first: they use the server's sign-in
        async with Server(options) as server, plugin_bridges(server):
            serving = server.tasks.start(server.serve(channel))
            for number in ENDING_SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                    loop.add_signal_handler(number, serving.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await serving
    except BridgeError as error:
        sys.stderr.write(f"codex app-server: {error}\n")
        return 1
    return 0
