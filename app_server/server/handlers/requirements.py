"""What an administrator demands of the configuration.

This release enforces nothing; it says so where there is something to enforce, and otherwise answers
that there is nothing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from app_server.protocol.config_requirements import (
    CONFIG_REQUIREMENTS_READ,
    ConfigRequirementsReadResponse,
)
from app_server.protocol.errors import InternalError
from app_server.server.context import RequestContext
from app_server.server.registry import handles

REQUIREMENTS_FILE = Path("/etc/codex/requirements.toml")


@handles(CONFIG_REQUIREMENTS_READ)
async def read(ctx: RequestContext, params: None) -> ConfigRequirementsReadResponse:
    if await asyncio.to_thread(REQUIREMENTS_FILE.exists):
        raise InternalError(f"{REQUIREMENTS_FILE} is not understood by this release")
    return ConfigRequirementsReadResponse()
