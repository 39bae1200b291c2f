"""Before serving: telemetry that cannot work as asked ends the program, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

MARK = b"otel"
SYSTEM_FOLDER = Path("/etc/codex")
"""As in `config.load`, which costs too much to import here."""


def otel_problem(
    codex_home: Path, cwd: Path, overrides: Sequence[tuple[str, Any]], profile: str | None
) -> str | None:
    """What is wrong with the `[otel]` settings; None where nothing is, or nothing asks for it.

    Settings are not loaded at start otherwise, so files are only looked through for the word.
    """
    if not _is_mentioned(codex_home, overrides):
        return None
    from app_server.config.load import load_config
    from app_server.telemetry.otel import OtelInvalid, read_settings

    try:
        read_settings(load_config(codex_home, cwd, overrides, profile=profile).config.otel)
    except OtelInvalid as error:
        return f"error loading otel config: {error}"
    return None


def _is_mentioned(codex_home: Path, overrides: Sequence[tuple[str, Any]]) -> bool:
    if any(key.split(".", 1)[0] == MARK.decode() for key, _ in overrides):
        return True
    system = Path("/etc/codex")
    for path in (
        codex_home / "config.toml",
        system / "config.toml",
        system / "managed_config.toml",
    ):
        try:
            if MARK in path.read_bytes():
                return True
        except OSError:
            continue
    return False
