"""The models we know and what each can do.

`traits(slug)` answers for any slug: a known one, one that begins with a known one, one behind a
`namespace/`, and otherwise with modest assumptions and `is_known` false. The facts are those of the
0.128 generation; the descriptions are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from app_server.protocol.model import (
    InputModality,
    Model,
    ModelAvailabilityNux,
    ModelUpgradeInfo,
    ReasoningEffortOption,
)
from app_server.protocol.shared import ReasoningEffort, ReasoningSummary, Verbosity

USUAL_CONTEXT_WINDOW = 272_000


class Truncation(msgspec.Struct, frozen=True):
    """How much of a tool's output is kept for the model."""

    mode: Literal["tokens", "bytes"] = "tokens"
    limit: int = 10_000


class ModelTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What a model can do and how it likes to be asked."""

    slug: str
    display_name: str
    description: str = ""
    is_known: bool = True
    hidden: bool = False
    default_effort: ReasoningEffort | None = "medium"
    efforts: tuple[ReasoningEffort, ...] = ("low", "medium", "high", "xhigh")
    supports_reasoning_summaries: bool = True
    """Whether the request may carry `reasoning` at all."""
    default_summary: ReasoningSummary = "none"
    supports_verbosity: bool = True
    default_verbosity: Verbosity | None = "low"
    supports_parallel_tool_calls: bool = True
    supports_apply_patch: bool = True
    """Whether the free-form patch tool is offered."""
    supports_personality: bool = True
    supports_original_image_detail: bool = True
    search_returns_images: bool = True
    truncation: Truncation = Truncation()
    context_window: int = USUAL_CONTEXT_WINDOW
    effective_context_window_percent: int = 95
    auto_compact_token_limit: int | None = None
    input_modalities: tuple[InputModality, ...] = ("text", "image")
    speed_tiers: tuple[str, ...] = ()
    upgrade: str | None = None
    """The slug of the model that takes this one's place."""
    news: str | None = None
    """A line for people who meet the model for the first time."""
    base_instructions: str = ""
    """Empty: ours."""

    @property
    def sees_images(self) -> bool:
        return "image" in self.input_modalities

    @property
    def usable_context_window(self) -> int:
        """Tokens we plan with; the rest is kept for the answer."""
        return self.context_window * self.effective_context_window_percent // 100


MODELS: tuple[ModelTraits, ...] = (
    ModelTraits(
        slug="gpt-5.5",
        display_name="GPT-5.5",
        description="The strongest general model: hard coding tasks, research, everyday work.",
        speed_tiers=("fast",),
        news="GPT-5.5 is new here: stronger at long, many-step work. Choose it with /model.",
    ),
    ModelTraits(
        slug="gpt-5.4",
        display_name="gpt-5.4",
        description="A capable coder for everyday tasks.",
        default_effort="xhigh",
        speed_tiers=("fast",),
    ),
    ModelTraits(
        slug="gpt-5.4-mini",
        display_name="GPT-5.4-Mini",
        description="Quick and cheap, for small and simple changes.",
        default_verbosity="medium",
    ),
    ModelTraits(
        slug="gpt-5.3-codex",
        display_name="gpt-5.3-codex",
        description="Coding-optimized model.",
        search_returns_images=False,
        upgrade="gpt-5.4",
    ),
    ModelTraits(
        slug="gpt-5.2",
        display_name="gpt-5.2",
        description="Made for professional work and agents that run for a long time.",
        default_summary="auto",
        supports_personality=False,
        supports_original_image_detail=False,
        search_returns_images=False,
        truncation=Truncation("bytes"),
        upgrade="gpt-5.4",
    ),
    ModelTraits(
        slug="codex-auto-review",
        display_name="Codex Auto Review",
        description="Answers approval questions in place of a person.",
        hidden=True,
    ),
)
"""In the order they are offered."""

DEMO_SLUG = "offline-demo"

_DEMO = ModelTraits(
    slug=DEMO_SLUG,
    display_name="Offline demo",
    description="No model: the offline demo's script.",
    hidden=True,
    default_effort=None,
    efforts=(),
    supports_reasoning_summaries=False,
    supports_verbosity=False,
    default_verbosity=None,
    supports_personality=False,
)
"""Not in the list: nobody can choose it outside the demo."""


def traits(slug: str, known: Sequence[ModelTraits] = MODELS) -> ModelTraits:
    """What the model of this name can do, as far as is known."""
    found = _DEMO if slug == DEMO_SLUG else _matching(slug, known)
    if found is None and slug.count("/") == 1:
        found = _matching(slug.partition("/")[2], known)
    if found is None:
        return _unknown(slug)
    return found if found.slug == slug else msgspec.structs.replace(found, slug=slug)


def unknown_model_warning(slug: str) -> str:
    """What the user is told when a model's abilities are guessed."""
    return (
        f"Model metadata for `{slug}` not found. Defaulting to fallback metadata; this can degrade "
        "performance and cause issues."
    )


def models(known: Sequence[ModelTraits] = MODELS) -> list[Model]:
    """All models as `model/list` gives them, hidden ones included."""
    return [_listed(model, known) for model in known]


def default_model(known: Sequence[ModelTraits]) -> str:
    """The slug of the first that people can choose; where all are hidden, of the first."""
    return next((model.slug for model in known if not model.hidden), known[0].slug)


def _matching(slug: str, models: Sequence[ModelTraits]) -> ModelTraits | None:
    """The known model whose slug is the longest beginning of this one."""
    matching = [known for known in models if slug.startswith(known.slug)]
    return max(matching, key=lambda known: len(known.slug), default=None)


def _unknown(slug: str) -> ModelTraits:
    return ModelTraits(
        slug=slug,
        display_name=slug,
        is_known=False,
        hidden=True,
        default_effort=None,
        efforts=(),
        supports_reasoning_summaries=False,
        default_summary="auto",
        supports_verbosity=False,
        default_verbosity=None,
        supports_parallel_tool_calls=False,
        supports_apply_patch=False,
        supports_personality=False,
        supports_original_image_detail=False,
        search_returns_images=False,
        truncation=Truncation("bytes"),
    )


_EFFORTS: dict[ReasoningEffort, str] = {
    "none": "No reasoning before the answer",
    "minimal": "Hardly any reasoning; the quickest",
    "low": "Quick answers with little reasoning",
    "medium": "A balance of speed and thought, right for most tasks",
    "high": "More thought, for hard problems",
    "xhigh": "As much thought as it takes, for the hardest problems",
}


def _listed(known: ModelTraits, all_known: Sequence[ModelTraits]) -> Model:
    return Model(
        id=known.slug,
        model=known.slug,
        display_name=known.display_name,
        description=known.description,
        hidden=known.hidden,
        is_default=known.slug == default_model(all_known),
        default_reasoning_effort=known.default_effort or "none",
        supported_reasoning_efforts=[
            ReasoningEffortOption(reasoning_effort=effort, description=_EFFORTS[effort])
            for effort in known.efforts
        ],
        input_modalities=list(known.input_modalities),
        supports_personality=known.supports_personality,
        additional_speed_tiers=list(known.speed_tiers),
        availability_nux=None if known.news is None else ModelAvailabilityNux(message=known.news),
        upgrade=known.upgrade,
        upgrade_info=None if known.upgrade is None else _upgrade(traits(known.upgrade, all_known)),
    )


def _upgrade(newer: ModelTraits) -> ModelUpgradeInfo:
    text = (
        f"**{newer.display_name}** takes this model's place. {newer.description} "
        "You can go on using the old one for now."
    )
    return ModelUpgradeInfo(model=newer.slug, migration_markdown=text)
