"""The handshake: who the client is, what it can take, who we are."""

from __future__ import annotations

from app_server.protocol.errors import InvalidRequest
from app_server.protocol.initialize import INITIALIZE, InitializeParams, InitializeResponse
from app_server.server.context import RequestContext
from app_server.server.identity import is_header_value, platform_family, platform_os
from app_server.server.registry import handles


@handles(INITIALIZE)
async def initialize(ctx: RequestContext, params: InitializeParams) -> InitializeResponse:
    """Succeeds once per connection; the notices that follow are the server's business."""
    client = params.client_info
    if not is_header_value(client.name):
        raise InvalidRequest(
            f"Invalid clientInfo.name: '{client.name}'. Must be a valid HTTP header value."
        )
    ctx.connection.introduce(params)
    identity = ctx.services.identity
    identity.introduce(client.name, client.version)
    return InitializeResponse(
        user_agent=identity.user_agent,
        codex_home=str(ctx.services.codex_home),
        platform_family=platform_family(),
        platform_os=platform_os(),
    )
