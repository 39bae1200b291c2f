"""All bridges of one server: opened in the order of their ids, all or none, closed together.

    async with Bridges(codex_home, configured, backend):
        ...

A bridge listens on a random port of 127.0.0.1 and says where in its state file. One that cannot be
opened closes those before it. Leaving lets running requests finish, within the listener's grace,
and removes the state files that are still ours.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from app_server.bridges.endpoint import BridgeEndpoint
from app_server.bridges.errors import BridgeUnavailable
from app_server.bridges.forward import Backend
from app_server.bridges.settings import Bridge, read_bridge
from app_server.bridges.state_file import BridgeState, remove_state, state_path, write_state
from app_server.loopback_http import LoopbackListener, bind_loopback

log = logging.getLogger(__name__)

TOKEN_BYTES = 32


class Bridges:
    """An async context manager; entering raises `BridgeError`."""

    def __init__(
        self,
        codex_home: Path,
        configured: Mapping[str, Mapping[str, str]],
        backend: Backend,
    ) -> None:
        """`configured` holds the tables of the configuration by id."""
        self._codex_home = codex_home
        self._configured = configured
        self._backend = backend
        self._open: list[_OpenBridge] = []

    async def __aenter__(self) -> Bridges:
        try:
            for bridge_id in sorted(self._configured, key=str.encode):
                bridge = read_bridge(bridge_id, self._configured[bridge_id])
                opening = _OpenBridge(bridge, state_path(self._codex_home, bridge_id))
                self._open.append(opening)
                await opening.open(self._backend)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def addresses(self) -> dict[str, str]:
        """Where each bridge listens, by its id."""
        return {bridge.id: bridge.base_url for bridge in self._open}

    async def close(self) -> None:
        closing, self._open = self._open, []
        await asyncio.gather(*(bridge.close() for bridge in closing))


class _OpenBridge:
    """One bridge that listens, and its state file."""

    def __init__(self, bridge: Bridge, path: Path) -> None:
        self._bridge = bridge
        self._path = path
        self._listener: LoopbackListener | None = None
        self._state: BridgeState | None = None

    @property
    def id(self) -> str:
        return self._bridge.id

    @property
    def base_url(self) -> str:
        return self._state.base_url if self._state is not None else ""

    async def open(self, backend: Backend) -> None:
        """Listen first, so that whoever reads the file finds somebody there."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        endpoint = BridgeEndpoint(self._bridge, token, backend)
        try:
            self._listener = await LoopbackListener(endpoint, bind_loopback()).__aenter__()
            self._state = BridgeState(self._listener.base_url, token)
            await asyncio.to_thread(write_state, self._path, self._state)
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise BridgeUnavailable(self._bridge.id, reason) from failure
        log.info("bridge %s listens at %s", self._bridge.id, self._listener.base_url)

    async def close(self) -> None:
        if self._listener is not None:
            await self._listener.__aexit__(None, None, None)
        if self._state is not None:
            await asyncio.to_thread(remove_state, self._path, self._state)
        log.info("bridge %s is closed", self._bridge.id)
