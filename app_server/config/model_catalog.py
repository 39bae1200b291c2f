"""Models of a person's own, in the file that `model_catalog_json` names: its form, and reading it.

Only `slug` is needed; what an entry leaves out is taken modestly. Keys nobody knows are ignored, so
that lists made for other releases can be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from app_server.config.errors import ConfigInvalid
from app_server.protocol.model import InputModality
from app_server.protocol.shared import ReasoningEffort, ReasoningSummary, Verbosity
from app_server.regular_files import os_reason, read_regular_file

Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class CatalogEffort(msgspec.Struct, frozen=True):
    effort: ReasoningEffort


class CatalogTruncation(msgspec.Struct, frozen=True):
    mode: Literal["tokens", "bytes"]
    limit: Positive


class CatalogNews(msgspec.Struct, frozen=True):
    message: str


class CatalogUpgrade(msgspec.Struct, frozen=True):
    model: str


class CatalogModel(msgspec.Struct, frozen=True, kw_only=True):
    """One entry."""

    slug: Annotated[str, msgspec.Meta(min_length=1)]
    display_name: str | None = None
    description: str | None = None
    default_reasoning_level: ReasoningEffort | None = None
    supported_reasoning_levels: tuple[CatalogEffort, ...] = ()
    visibility: Literal["list", "hide", "none"] = "list"
    priority: int = 0
    """The list begins with the lowest; the first that is not hidden is the default model."""
    additional_speed_tiers: tuple[str, ...] = ()
    availability_nux: CatalogNews | None = None
    upgrade: CatalogUpgrade | None = None
    base_instructions: str = ""
    supports_reasoning_summaries: bool = False
    default_reasoning_summary: ReasoningSummary = "auto"
    support_verbosity: bool = False
    default_verbosity: Verbosity | None = None
    apply_patch_tool_type: Literal["freeform", "function"] | None = None
    web_search_tool_type: Literal["text", "text_and_image"] = "text"
    truncation_policy: CatalogTruncation = CatalogTruncation("bytes", 10_000)
    supports_parallel_tool_calls: bool = False
    supports_image_detail_original: bool = False
    context_window: Positive | None = None
    auto_compact_token_limit: Positive | None = None
    effective_context_window_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 95
    input_modalities: tuple[InputModality, ...] = ("text", "image")


class _File(msgspec.Struct):
    models: list[CatalogModel]


def read_model_catalog(path: Path) -> tuple[CatalogModel, ...]:
    """The entries as they are offered. Reads a file; raises `ConfigInvalid`."""
    named = f"model_catalog_json path `{path}`"
    try:
        found = msgspec.json.decode(read_regular_file(path), type=_File).models
    except OSError as error:
        raise ConfigInvalid(f"failed to read {named}: {os_reason(error)}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigInvalid(f"failed to parse {named} as JSON: {error}") from error
    if not found:
        raise ConfigInvalid(f"{named} must contain at least one model")
    return tuple(sorted(found, key=lambda model: model.priority))
