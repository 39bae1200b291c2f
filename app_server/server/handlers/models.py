"""The models one can choose from, and what the provider in use can do."""

from __future__ import annotations

import asyncio

from app_server.protocol.collaboration import (
    COLLABORATION_MODE_LIST,
    CollaborationModeListParams,
    CollaborationModeListResponse,
    CollaborationModeMask,
)
from app_server.protocol.model import (
    MODEL_LIST,
    MODEL_PROVIDER_CAPABILITIES_READ,
    ModelListParams,
    ModelListResponse,
    ModelProviderCapabilitiesReadParams,
    ModelProviderCapabilitiesReadResponse,
)
from app_server.server.context import RequestContext
from app_server.server.handlers.pages import page
from app_server.server.registry import handles


@handles(MODEL_LIST)
async def list_models(ctx: RequestContext, params: ModelListParams) -> ModelListResponse:
    from app_server.model.catalog import models

    listed = [model for model in models() if params.include_hidden or not model.hidden]
    shown, next_cursor = page(listed, params.cursor, params.limit, "models")
    return ModelListResponse(data=list(shown), next_cursor=next_cursor)


@handles(MODEL_PROVIDER_CAPABILITIES_READ)
async def read_capabilities(
    ctx: RequestContext, _params: ModelProviderCapabilitiesReadParams
) -> ModelProviderCapabilitiesReadResponse:
    """What the provider of new threads takes; a server on this machine is asked for none of it."""
    provider = await asyncio.to_thread(ctx.services.default_provider)
    is_elsewhere = not provider.is_local
    return ModelProviderCapabilitiesReadResponse(
        namespace_tools=is_elsewhere, image_generation=is_elsewhere, web_search=is_elsewhere
    )


@handles(COLLABORATION_MODE_LIST)
async def list_modes(
    _ctx: RequestContext, _params: CollaborationModeListParams
) -> CollaborationModeListResponse:
    """The presets that `turn/start` takes."""
    return CollaborationModeListResponse(
        data=[CollaborationModeMask(name="Default", mode="default", reasoning_effort=None)]
    )
