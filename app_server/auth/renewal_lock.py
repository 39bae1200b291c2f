"""One renewal at a time among all processes that share a home.

A refresh token works once: two processes that send the same one lose the sign-in. Whoever renews
holds a lock on a file in the home; the others wait and then find the new tokens in the store. Where
the home cannot be written there is no lock, and the renewal goes on without.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app_server import clock

log = logging.getLogger(__name__)

FILE_NAME = ".auth-renewal.lock"

LOOK_SECONDS = 0.05
"""How often somebody who waits looks whether it is their turn."""

LIMIT_SECONDS = 45.0
"""Longer than one question to the service may take; whoever holds the lock for longer is stuck."""


@asynccontextmanager
async def renewal_lock(
    codex_home: Path, limit_seconds: float = LIMIT_SECONDS
) -> AsyncIterator[None]:
    """The block runs while no other process renews the tokens of this home, or is waited for."""
    import fcntl

    try:
        descriptor = os.open(codex_home / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        log.info("tokens are renewed without a lock: %s", problem.strerror)
        yield
        return
    try:
        give_up_at = clock.monotonic() + limit_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.monotonic() > give_up_at:
                    log.warning("another process has been renewing tokens for too long")
                    break
                await asyncio.sleep(LOOK_SECONDS)
            except OSError as problem:
                log.info("tokens are renewed without a lock: %s", problem.strerror)
                break
        yield
    finally:
        os.close(descriptor)
