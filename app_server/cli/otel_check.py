"""Before serving: telemetry that cannot work as asked ends the program, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def otel_problem(
    codex_home: Path, cwd: Path, overrides: Sequence[tuple[str, Any]], profile: str | None
) -> str | None:
    """What is wrong with the `[otel]` settings; None where nothing is, or nothing asks for it.

    Settings are not loaded at start otherwise, so files are only looked through for the word.
    """
    from app_server.config.mention import is_mentioned

    if not is_mentioned("otel", codex_home, overrides):
        return None
    from app_server.config.load import load_config
    from app_server.telemetry.otel import OtelInvalid, read_settings

    try:
        read_settings(load_config(codex_home, cwd, overrides, profile=profile).config.otel)
    except OtelInvalid as error:
        return f"error loading otel config: {error}"
    return None
