"""What is told of a configuration, as clients hear it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from app_server.config.errors import ConfigFileError, ConfigInvalid, Span
from app_server.config.layers import Layer
from app_server.protocol.config import ProjectConfigLayerSource
from app_server.protocol.notices import ConfigWarningNotification, TextPosition, TextRange

INVALID = "Invalid configuration; using defaults."


def at(
    summary: str, path: Path | str, span: Span | None, details: str | None = None
) -> ConfigWarningNotification:
    """A notice about a place in a file."""
    if span is None:
        return ConfigWarningNotification(summary=summary, details=details, path=str(path))
    return ConfigWarningNotification(
        summary=summary,
        details=details,
        path=str(path),
        range=TextRange(
            start=TextPosition(line=span.line, column=span.column),
            end=TextPosition(line=span.end_line, column=span.end_column),
        ),
    )


def invalid(error: ConfigInvalid) -> ConfigWarningNotification:
    """No thread can start with these settings."""
    if isinstance(error, ConfigFileError):
        return at(INVALID, error.path, error.span, str(error))
    return ConfigWarningNotification(summary=INVALID, details=str(error))


def unknown_keys(layer: Layer) -> Iterator[ConfigWarningNotification]:
    """Each key of a layer that nobody knows, with its place and the key it resembles most."""
    from app_server.config.schema import unknown_keys

    for key, suggestion in unknown_keys(layer.table):
        meant = f" Did you mean `{suggestion}`?" if suggestion else ""
        summary = f"Nothing is known of the setting `{key}`.{meant}"
        if layer.file is None:
            yield ConfigWarningNotification(summary=summary)
        else:
            yield at(summary, layer.file, place_of(layer.file, key))


def place_of(path: Path, key: str) -> Span | None:
    """Where a dotted key stands in a file."""
    from app_server.config.positions import locate

    try:
        return locate(path.read_text("utf-8"), tuple(key.split(".")))
    except (OSError, ValueError, IndexError):
        return None


def projects(layers: Iterable[Layer]) -> Iterator[ConfigWarningNotification]:
    """Folders of projects that are not trusted, and what a trusted one may not set."""
    disabled: list[str] = []
    for layer in layers:
        if not isinstance(layer.source, ProjectConfigLayerSource):
            continue
        if layer.disabled_reason is not None:
            disabled.append(
                f"    {len(disabled) + 1}. {layer.source.dot_codex_folder}\n"
                f"       {layer.disabled_reason}\n"
            )
        elif layer.ignored_keys:
            keys = ", ".join(f"`{key}`" for key in layer.ignored_keys)
            yield ConfigWarningNotification(
                summary=f"Project settings may not set {keys}; the rest of the file is in force.",
                path=str(layer.file),
            )
    if disabled:
        yield ConfigWarningNotification(
            summary="The settings, hooks and command rules of these folders stay off until their "
            "project is trusted (skills load regardless):\n" + "".join(disabled)
        )
