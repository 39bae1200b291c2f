"""What confines commands on this machine."""

from __future__ import annotations

import asyncio

from app_server.protocol.sandbox_read import (
    SANDBOX_READ,
    SandboxReadParams,
    SandboxReadResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(SANDBOX_READ)
async def read_sandbox(_ctx: RequestContext, _params: SandboxReadParams) -> SandboxReadResponse:
    from app_server.sandbox.probe import facts

    found = await asyncio.to_thread(facts)
    return SandboxReadResponse(
        mechanism=found.mechanism,
        keeps=sorted(found.keeps),
        missing=found.missing,
        remedy=found.remedy,
    )
