"""What the chosen model can do, with what the configuration says about it laid on top."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from app_server.agent.context_window import auto_compact_limit
from app_server.model.catalog import Truncation, default_model, traits
from app_server.model.own_catalog import known_models
from app_server.protocol.shared import ReasoningEffort, ReasoningSummary, Verbosity

if TYPE_CHECKING:
    from app_server.config.resolve import Config


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One model as this thread may use it."""

    slug: str
    is_known: bool = True
    sees_images: bool = True
    parallel_tool_calls: bool = False
    reasons: bool = False
    default_effort: ReasoningEffort | None = None
    default_summary: ReasoningSummary = "none"
    verbosity: Verbosity | None = None
    context_window: int | None = None
    """Tokens we plan with."""
    auto_compact_limit: int | None = None
    takes_free_text_tools: bool = True
    search_returns_images: bool = False
    truncation: Truncation = Truncation()
    base_instructions: str = ""
    """Those of the model, where it has some; empty: ours."""


def model_facts(config: Config, slug: str | None) -> ModelFacts:
    """The facts of `slug`, or of the default model where nobody chose one."""
    models = known_models(config.models)
    known = traits(slug or default_model(models), models)
    if config.model_context_window is not None:
        known = msgspec.structs.replace(known, context_window=config.model_context_window)
    reasons = config.model_supports_reasoning_summaries
    verbosity = config.model_verbosity or known.default_verbosity
    limit = config.model_auto_compact_token_limit or known.auto_compact_token_limit
    return ModelFacts(
        slug=known.slug,
        is_known=known.is_known,
        sees_images=known.sees_images,
        parallel_tool_calls=known.supports_parallel_tool_calls,
        reasons=known.supports_reasoning_summaries if reasons is None else reasons,
        default_effort=known.default_effort,
        default_summary=known.default_summary,
        verbosity=verbosity if known.supports_verbosity else None,
        context_window=known.usable_context_window,
        auto_compact_limit=auto_compact_limit(known.context_window, limit),
        takes_free_text_tools=known.supports_apply_patch,
        search_returns_images=known.search_returns_images,
        truncation=_truncation(config, known.truncation),
        base_instructions=known.base_instructions,
    )


def _truncation(config: Config, usual: Truncation) -> Truncation:
    if config.tool_output_token_limit is None:
        return usual
    return Truncation("tokens", config.tool_output_token_limit)


_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}")


def is_same_model(asked: str, answering: str) -> bool:
    """Whether the answering model is the one asked for; a dated version of it is."""
    asked, answering = asked.lower(), answering.lower()
    rest = answering.removeprefix(asked)
    return asked == answering or (rest != answering and _DATED.fullmatch(rest) is not None)
