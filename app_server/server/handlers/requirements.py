"""What an administrator demands of the configuration."""

from __future__ import annotations

import asyncio

from app_server.protocol.config_requirements import (
    CONFIG_REQUIREMENTS_READ,
    ConfigRequirementsReadResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(CONFIG_REQUIREMENTS_READ)
async def read(ctx: RequestContext, params: None) -> ConfigRequirementsReadResponse:
    from app_server.config.read import read_requirements

    demands = ctx.services.cloud_demands
    requirements = await asyncio.to_thread(lambda: read_requirements(demands.known()))
    return ConfigRequirementsReadResponse(requirements=requirements)
