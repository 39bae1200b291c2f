"""A method that does nothing: clients find out with it whether experimental methods are open."""

from __future__ import annotations

from app_server.protocol.features import (
    MOCK_EXPERIMENTAL_METHOD,
    MockExperimentalMethodParams,
    MockExperimentalMethodResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(MOCK_EXPERIMENTAL_METHOD)
async def echo(
    _ctx: RequestContext, params: MockExperimentalMethodParams
) -> MockExperimentalMethodResponse:
    return MockExperimentalMethodResponse(echoed=params.value)
