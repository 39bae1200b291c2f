"""The network proxy for one command of the command line, on a thread of its own.

Nobody can be asked here: what the profile does not name is not reached.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_server.config.resolve import Config
    from app_server.sandbox.proxy import Protocol
    from app_server.sandbox.proxy_door import Door

STARTS_WITHIN_SECONDS = 10.0


@contextmanager
def proxy_door(config: Config) -> Iterator[Door | None]:
    """A door as the configuration's profile wants it; None if commands need no proxy."""
    table = config.proxied_network
    if table is None:
        yield None
        return
    from app_server.sandbox.network_rules import rules_of
    from app_server.sandbox.proxy_door import ProxyDoors

    opened: SimpleQueue[tuple[Door, asyncio.AbstractEventLoop, asyncio.Event]] = SimpleQueue()

    async def serve() -> None:
        over = asyncio.Event()
        async with ProxyDoors() as doors:
            door = doors.open(rules_of(table), _nobody_is_asked)
            opened.put((door, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="proxy", daemon=True)
    thread.start()
    door, loop, over = opened.get(timeout=STARTS_WITHIN_SECONDS)
    try:
        yield door
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(STARTS_WITHIN_SECONDS)


async def _nobody_is_asked(host: str, protocol: Protocol) -> bool:
    return False
