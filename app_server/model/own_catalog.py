"""Models of a person's own as we know those that come along. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app_server.config.model_catalog import CatalogModel
from app_server.model.catalog import MODELS, USUAL_CONTEXT_WINDOW, ModelTraits, Truncation


def known_models(own: Sequence[CatalogModel] | None) -> tuple[ModelTraits, ...]:
    """The models there are, in the order they are offered; a person's own take the place of all
    others."""
    return MODELS if own is None else tuple(_traits(model) for model in own)


def _traits(model: CatalogModel) -> ModelTraits:
    return ModelTraits(
        slug=model.slug,
        display_name=model.display_name or model.slug,
        description=model.description or "",
        hidden=model.visibility != "list",
        default_effort=model.default_reasoning_level,
        efforts=tuple(level.effort for level in model.supported_reasoning_levels),
        supports_reasoning_summaries=model.supports_reasoning_summaries,
        default_summary=model.default_reasoning_summary,
        supports_verbosity=model.support_verbosity,
        default_verbosity=model.default_verbosity,
        supports_parallel_tool_calls=model.supports_parallel_tool_calls,
        supports_apply_patch=model.apply_patch_tool_type == "freeform",
        supports_personality=False,
        supports_original_image_detail=model.supports_image_detail_original,
        search_returns_images=model.web_search_tool_type == "text_and_image",
        truncation=Truncation(model.truncation_policy.mode, model.truncation_policy.limit),
        context_window=model.context_window or USUAL_CONTEXT_WINDOW,
        effective_context_window_percent=model.effective_context_window_percent,
        auto_compact_token_limit=model.auto_compact_token_limit,
        input_modalities=model.input_modalities,
        speed_tiers=model.additional_speed_tiers,
        upgrade=None if model.upgrade is None else model.upgrade.model,
        news=None if model.availability_nux is None else model.availability_nux.message,
        base_instructions=model.base_instructions,
    )
