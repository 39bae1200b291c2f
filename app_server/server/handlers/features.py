"""Features: which there are, and switching some of them for the life of this process."""

from __future__ import annotations

import asyncio

from app_server.config.features import (
    LISTED,
    OLD_NAMES,
    ON_BY_DEFAULT,
    STAGES,
    SWITCHED_BY_CLIENTS,
    TOLD,
    Stage,
)
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.features import (
    EXPERIMENTAL_FEATURE_ENABLEMENT_SET,
    EXPERIMENTAL_FEATURE_LIST,
    ExperimentalFeature,
    ExperimentalFeatureEnablementSetParams,
    ExperimentalFeatureEnablementSetResponse,
    ExperimentalFeatureListParams,
    ExperimentalFeatureListResponse,
    ExperimentalFeatureStage,
)
from app_server.server.context import RequestContext
from app_server.server.handlers.pages import page
from app_server.server.registry import handles

_WIRE_STAGES: dict[Stage, ExperimentalFeatureStage] = {
    "stable": "stable",
    "experimental": "beta",
    "deprecated": "deprecated",
    "under development": "underDevelopment",
    "removed": "removed",
}


@handles(EXPERIMENTAL_FEATURE_LIST)
async def list_features(
    ctx: RequestContext, params: ExperimentalFeatureListParams
) -> ExperimentalFeatureListResponse:
    config = await asyncio.to_thread(ctx.services.current_config)
    shown, next_cursor = page(LISTED, params.cursor, params.limit, "feature flags")
    features = [_described(name, config.enabled(name)) for name in shown]
    return ExperimentalFeatureListResponse(data=features, next_cursor=next_cursor)


@handles(EXPERIMENTAL_FEATURE_ENABLEMENT_SET)
async def switch(
    ctx: RequestContext, params: ExperimentalFeatureEnablementSetParams
) -> ExperimentalFeatureEnablementSetResponse:
    """All of them or none; what stands in the user's file or on the command line still wins."""
    for name in params.enablement:
        if name in OLD_NAMES and name not in STAGES:
            raise InvalidRequest(
                f"invalid feature enablement `{name}`: use canonical feature key "
                f"`{OLD_NAMES[name]}`"
            )
        if name not in STAGES:
            raise InvalidRequest(f"invalid feature enablement `{name}`")
        if name not in SWITCHED_BY_CLIENTS:
            raise InvalidRequest(
                f"unsupported feature enablement `{name}`: currently supported features are "
                + ", ".join(SWITCHED_BY_CLIENTS)
            )
    ctx.services.enablement |= params.enablement
    return ExperimentalFeatureEnablementSetResponse(enablement=params.enablement)


def _described(name: str, enabled: bool) -> ExperimentalFeature:
    title, description, announcement = TOLD.get(name, (None, None, None))
    return ExperimentalFeature(
        name=name,
        stage=_WIRE_STAGES[STAGES[name]],
        display_name=title,
        description=description,
        announcement=announcement,
        enabled=enabled,
        default_enabled=name in ON_BY_DEFAULT,
    )
