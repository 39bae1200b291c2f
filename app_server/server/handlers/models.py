"""The models one can choose from, and what the provider in use can do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from app_server.protocol.model import Model
    from app_server.server.services import Services


@handles(MODEL_LIST)
async def list_models(ctx: RequestContext, params: ModelListParams) -> ModelListResponse:
    services = ctx.services
    if services.models is None:
        services.models = await asyncio.to_thread(_models, services)
    listed = [model for model in services.models if params.include_hidden or not model.hidden]
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


def _models(services: Services) -> list[Model]:
    """As the settings say when it is first asked."""
    from app_server.model.catalog import models
    from app_server.model.own_catalog import known_models

    return models(known_models(services.current_config().models))
