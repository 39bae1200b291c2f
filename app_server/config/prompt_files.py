"""Prompts that settings keep in files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app_server.config.errors import ConfigInvalid


def prompt_texts(table: Mapping[str, Any]) -> dict[str, str]:
    """The fields of `Config` they give. Reads files; raises `ConfigInvalid`."""
    texts: dict[str, str] = {}
    instructions = table.get("model_instructions_file") or table.get(
        "experimental_instructions_file"
    )
    if instructions:
        texts["base_instructions"] = _file_text(instructions, "model instructions file")
    if table.get("compact_prompt"):
        texts["compact_prompt"] = table["compact_prompt"]
    elif table.get("experimental_compact_prompt_file"):
        texts["compact_prompt"] = _file_text(
            table["experimental_compact_prompt_file"], "compact prompt file"
        )
    return texts


def _file_text(path: str, what: str) -> str:
    try:
        text = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ConfigInvalid(
            f"failed to read {what} {path}: {error.strerror} (os error {error.errno})"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"failed to read {what} {path}: it is not UTF-8") from error
    if not text:
        raise ConfigInvalid(f"{what} is empty: {path}")
    return text
