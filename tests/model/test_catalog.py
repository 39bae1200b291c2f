"""Which models are offered and what is assumed of others."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.model.catalog import MODELS, models, traits, unknown_model_warning

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded_models.json").read_text()
)
"""`model/list` with hidden models, as `codex` 0.128 answers it, texts left out."""


def test_the_list_is_the_originals_but_for_its_texts() -> None:
    ours = json.loads(msgspec.json.encode(models()))
    for model in ours:
        assert model.pop("description")
        for option in model["supportedReasoningEfforts"]:
            assert option.pop("description")
        for holder, text in (("availabilityNux", "message"), ("upgradeInfo", "migrationMarkdown")):
            if model[holder] is not None:
                assert model[holder].pop(text)
    assert ours == RECORDED


@pytest.mark.parametrize(
    ("slug", "like"),
    [
        ("gpt-5.5", "gpt-5.5"),
        ("gpt-5.4-mini-2026", "gpt-5.4-mini"),
        ("gpt-5.4-2026", "gpt-5.4"),
        ("gpt-5.2-codex", "gpt-5.2"),
        ("custom/gpt-5.5", "gpt-5.5"),
    ],
)
def test_a_slug_is_recognised_by_its_beginning_or_behind_a_namespace(slug: str, like: str) -> None:
    known = next(model for model in MODELS if model.slug == like)
    assert traits(slug) == msgspec.structs.replace(known, slug=slug)


@pytest.mark.parametrize("slug", ["foo-bar", "gpt-5", "o3", "", "a/b/gpt-5.5", "gpt-5/x"])
def test_little_is_assumed_of_an_unknown_model(slug: str) -> None:
    found = traits(slug)
    assert not found.is_known
    assert found.usable_context_window == 258_400
    assert not found.supports_reasoning_summaries
    assert not found.supports_verbosity
    assert not found.supports_parallel_tool_calls
    assert not found.supports_apply_patch


def test_the_warning_names_the_unknown_model() -> None:
    assert unknown_model_warning("foo") == (
        "Model metadata for `foo` not found. Defaulting to fallback metadata; this can degrade "
        "performance and cause issues."
    )


def test_part_of_the_window_is_kept_for_the_answer() -> None:
    assert traits("gpt-5.5").usable_context_window == 258_400
