"""The bridges of the configuration, open while the server runs without a terminal.

A configuration that cannot be read opens none, as it changes nothing else either; a bridge that
cannot be opened keeps the server from starting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_server.config.resolve import Config
    from app_server.server.server import Server

log = logging.getLogger(__name__)

KEY = "plugin_backend_bridges"


@asynccontextmanager
async def plugin_bridges(server: Server) -> AsyncIterator[Mapping[str, str]]:
    """Open what is configured; gives where each listens, by its id. Raises `BridgeError`."""
    config = await _config_with_bridges(server)
    if config is None:
        yield {}
        return
    from app_server.bridges.bridges import Bridges
    from app_server.bridges.forward import Backend
    from app_server.model.http import HttpClients

    services = server.services

    def identity() -> Mapping[str, str]:
        return {"originator": services.originator, "user-agent": services.user_agent}

    # clients of their own: no cookie of a plugin's part gets into ours, and none of ours into it
    async with HttpClients() as http:
        backend = Backend(services.auth, http, config.chatgpt_base_url, identity)
        configured = config.plugin_backend_bridges
        async with Bridges(services.codex_home, configured, backend) as bridges:
            yield bridges.addresses


async def _config_with_bridges(server: Server) -> Config | None:
    """The settings, if they name a bridge; the usual server without one reads none for this."""
    from app_server.config.mention import is_mentioned

    options = server.options
    # a few small files, while nobody is served yet: a thread would cost more
    if not is_mentioned(KEY, options.codex_home, options.cli_overrides):
        return None
    await server.services.cloud_demands.ready()
    loaded = await asyncio.to_thread(server.services.load_config, options.cwd, {})
    if loaded.error is not None:
        log.error("no plugin backend bridge is opened: %s", loaded.error)
        return None
    return loaded.config if loaded.config.plugin_backend_bridges else None
