"""Models of a person's own, from a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from app_server.config.errors import ConfigInvalid
from app_server.config.model_catalog import read_model_catalog
from app_server.model.catalog import default_model, models, traits
from app_server.model.own_catalog import known_models

WHOLE = {
    "slug": "big",
    "display_name": "Big",
    "priority": 2,
    "visibility": "hide",
    "supported_reasoning_levels": [{"effort": "low", "description": "quick"}, {"effort": "high"}],
    "default_reasoning_level": "low",
    "supports_reasoning_summaries": True,
    "truncation_policy": {"mode": "tokens", "limit": 5},
    "context_window": 1000,
    "apply_patch_tool_type": "freeform",
    "input_modalities": ["text"],
    "unknown_to_us": {"a": 1},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"models": [WHOLE, {"slug": "small", "priority": 1}]}))
    return path


def test_the_list_is_replaced_and_the_first_by_priority_is_the_default(file: Path) -> None:
    known = known_models(read_model_catalog(file))
    listed = [(model.id, model.display_name, model.hidden, model.is_default)
              for model in models(known)]  # fmt: skip
    assert listed == [("small", "small", False, True), ("big", "Big", True, False)]


@pytest.mark.parametrize(
    ("shown", "default"),
    [(("hide", "list"), "b"), (("list", "hide"), "a"), (("none", "hide"), "a")],
)
def test_a_hidden_model_is_the_default_only_where_all_are(
    tmp_path: Path, shown: tuple[str, str], default: str
) -> None:
    entries = [{"slug": slug, "visibility": each} for slug, each in zip("ab", shown, strict=True)]
    (tmp_path / "models.json").write_text(json.dumps({"models": entries}))
    known = known_models(read_model_catalog(tmp_path / "models.json"))
    assert default_model(known) == default
    assert [model.id for model in models(known) if model.is_default] == [default]


def test_an_entry_says_what_a_model_can_do(file: Path) -> None:
    known = known_models(read_model_catalog(file))
    big = traits("big", known)
    assert (big.efforts, big.default_effort) == (("low", "high"), "low")
    assert (big.usable_context_window, big.sees_images, big.supports_apply_patch) == (
        950,
        False,
        True,
    )
    small = traits("small", known)
    assert (small.is_known, small.supports_reasoning_summaries) == (True, False)
    assert not traits("gpt-5.5", known).is_known


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "failed to parse model_catalog_json path `.*` as JSON: "),
        ('{"models": [{"display_name": "x"}]}', "missing required field `slug`"),
        ('{"models": [{"slug": "x", "context_window": "big"}]}', "context_window"),
        ('{"models": [{"slug": "x", "context_window": 0}]}', "context_window"),
        ('{"models": [{"slug": ""}]}', "slug"),
        ('{"models": [{"slug": "x", "a": ' + "[" * 9_999, "recursion"),
        ('{"models": []}', "must contain at least one model"),
        (None, "failed to read model_catalog_json path `.*`: No such file"),
    ],
)
def test_a_file_that_is_no_catalogue_is_named_with_the_reason(
    tmp_path: Path, content: Any, reason: str
) -> None:
    path = tmp_path / "models.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigInvalid, match=reason):
        read_model_catalog(path)
