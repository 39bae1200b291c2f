"""Ending a server of asyncio without losing whoever is just coming in.

asyncio takes a connection in some steps of the loop. A server that is closed between them drops the
connection half made: nobody closes it, and its client waits. Knows nothing of what is served.
"""

from __future__ import annotations

import asyncio

_STEPS = 3
"""Of the loop: a transport is made, its protocol is told, a handler of a stream has begun."""


async def stop_accepting(server: asyncio.Server) -> None:
    """Close the server. Every connection it had accepted is known to its protocol afterwards."""
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    try:
        for _ in range(_STEPS):
            await asyncio.sleep(0)
    finally:
        server.close()
