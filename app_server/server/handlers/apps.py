"""Apps and plugins. This release has neither: lists are empty, and changes are refused."""

from __future__ import annotations

from app_server.protocol.apps import APP_LIST, AppsListParams, AppsListResponse
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.marketplace import (
    MARKETPLACE_REMOVE,
    MARKETPLACE_UPGRADE,
    MarketplaceRemoveParams,
    MarketplaceRemoveResponse,
    MarketplaceUpgradeParams,
    MarketplaceUpgradeResponse,
)
from app_server.protocol.plugins import PLUGIN_LIST, PluginListParams, PluginListResponse
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(APP_LIST)
async def list_apps(ctx: RequestContext, params: AppsListParams) -> AppsListResponse:
    """No account can have apps here yet."""
    if params.thread_id is not None:
        ctx.threads.loaded(params.thread_id)
    return AppsListResponse(data=[])


@handles(PLUGIN_LIST)
async def list_plugins(_ctx: RequestContext, _params: PluginListParams) -> PluginListResponse:
    return PluginListResponse(marketplaces=[])


@handles(MARKETPLACE_REMOVE)
async def remove_marketplace(
    _ctx: RequestContext, params: MarketplaceRemoveParams
) -> MarketplaceRemoveResponse:
    raise _unknown(params.marketplace_name)


@handles(MARKETPLACE_UPGRADE)
async def upgrade_marketplaces(
    _ctx: RequestContext, params: MarketplaceUpgradeParams
) -> MarketplaceUpgradeResponse:
    """There are none to bring up to date."""
    if params.marketplace_name is not None:
        raise InvalidRequest(
            f"marketplace `{params.marketplace_name}` is not configured as a Git marketplace"
        )
    return MarketplaceUpgradeResponse(errors=[], selected_marketplaces=[], upgraded_roots=[])


def _unknown(name: str) -> InvalidRequest:
    return InvalidRequest(f"marketplace `{name}` is not configured or installed")
