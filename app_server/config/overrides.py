"""`-c key=value` and `--enable`, parsed.

Standard library only and light: the command line is read before the first paint.
"""

from __future__ import annotations

from typing import Any

from app_server.config.features import OLD_NAMES, STAGES

SHORT_KEYS = {"use_legacy_landlock": "features.use_legacy_landlock"}
"""Bare keys that stand for longer ones."""


class OverrideError(ValueError):
    """A `-c` argument that is not `key=value`, or a feature nobody knows."""


def parse_override(argument: str) -> tuple[str, Any]:
    """Read one `key=value`. The value is TOML, or plain text where it is not."""
    key, equals, text = argument.partition("=")
    key = key.strip()
    if not equals:
        raise OverrideError(f"-c {argument}: expected KEY=VALUE")
    if not key:
        raise OverrideError(f"-c {argument}: the key is empty")
    return SHORT_KEYS.get(key, key), parse_value(text.strip())


def parse_value(text: str) -> Any:
    """A TOML value, or the text itself without surrounding quotes."""
    import tomllib  # only starts with overrides or files need it

    try:
        document = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text.strip("\"'")
    return document["value"] if len(document) == 1 else text


def feature_override(name: str, on: bool) -> tuple[str, bool]:
    """`--enable NAME` or `--disable NAME` as an override; raises for an unknown feature."""
    if name not in STAGES and name not in OLD_NAMES:
        raise OverrideError(f"Unknown feature flag: {name}")
    return f"features.{name}", on
