"""`config/read`: the merged settings with every known key, where each came from, and the layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app_server.config.demands import NO_DEMANDS, Demands
from app_server.config.errors import ConfigFileError, ConfigInvalid, ConfigUnreadable
from app_server.config.features import SHOWN_RESOLVED
from app_server.config.kinds import Either, Kind, MapOf, Section
from app_server.config.layers import Layer, leaves
from app_server.config.load import LoadedConfig, load_config
from app_server.config.schema import TOP
from app_server.protocol.config import ConfigLayer, ConfigLayerMetadata, ConfigReadResponse
from app_server.protocol.config_requirements import ConfigRequirements


def read_config(
    codex_home: Path,
    cwd: Path | None,
    cli_overrides: Iterable[tuple[str, Any]] = (),
    *,
    include_layers: bool = False,
    forgiving: bool = False,
    demands: Demands = NO_DEMANDS,
    enablement: Mapping[str, bool] | None = None,
) -> ConfigReadResponse:
    """The answer to `config/read`; project layers count only with a `cwd`.

    Reads files. Raises `ConfigUnreadable`.
    """
    loaded = load_config(
        codex_home,
        cwd or codex_home,
        cli_overrides,
        with_projects=cwd is not None,
        forgiving=forgiving,
        demands=demands,
        enablement=enablement,
    )
    if loaded.error is not None:
        raise _unreadable(loaded)
    return ConfigReadResponse(
        config=shown_config(loaded.merged, loaded.config.features),
        origins=origins(loaded.layers),
        layers=[_as_wire(layer) for layer in reversed(loaded.layers)] if include_layers else None,
    )


def read_requirements(demands: Demands) -> ConfigRequirements | None:
    """What all administrators demand together. Reads files. Raises `ConfigUnreadable`."""
    from app_server.config.load import managed_table, requirements_path
    from app_server.config.requirements import gather

    try:
        return gather(requirements_path(), demands, managed_table()).requirements
    except ConfigInvalid as error:
        raise ConfigUnreadable(f"failed to read configuration layers: {error}") from error


def shown_config(merged: Mapping[str, Any], states: Mapping[str, bool]) -> dict[str, Any]:
    """The merged table with null for what is not set; unknown keys are left out.

    `states` of the features: a few are shown although nobody set them.
    """
    shown: dict[str, Any] = _shown(merged, TOP)
    for key in _SHOWN_WHEN_SET:
        if shown[key] is None:
            del shown[key]
    shown["features"] = {
        **merged.get("features", {}),
        **{name: states[name] for name in SHOWN_RESOLVED},
    }
    for name, given in merged.get("mcp_servers", {}).items():
        defaults: dict[str, Any] = {"enabled": True, "tool_timeout_sec": None}
        if "command" in given:
            defaults["args"] = []
        shown["mcp_servers"][name] = {**defaults, **given}
    return shown


def origins(layers: Iterable[Layer]) -> dict[str, ConfigLayerMetadata]:
    """For every single value, unknown ones included, the layer that decided it."""
    decided: dict[str, ConfigLayerMetadata] = {}
    for layer in layers:
        if layer.counts and layer.table:
            _take_origins(decided, layer.effective, layer, "")
    return decided


def _take_origins(
    decided: dict[str, ConfigLayerMetadata],
    table: Mapping[str, Any],
    layer: Layer,
    prefix: str,
) -> None:
    for key, value in table.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and (value or not layer.clears):
            decided.pop(path, None)
            _take_origins(decided, value, layer, f"{path}.")
            continue
        _forget(decided, path)
        for leaf in leaves(value, path):
            decided[leaf] = layer.metadata


_SHOWN_WHEN_SET = (
    "codex_linux_sandbox_exe",
    "include_apply_patch_tool",
    "include_collaboration_mode_instructions",
    "plugin_backend_bridges",
    "tools_view_image",
)
"""Keys the original does not list while they are not set."""


def _forget(decided: dict[str, ConfigLayerMetadata], path: str) -> None:
    """A value that replaces a list or table takes away what was inside it."""
    for known in [known for known in decided if known.startswith(f"{path}.")]:
        del decided[known]


def _unreadable(loaded: LoadedConfig) -> ConfigUnreadable:
    from app_server.config.requirements import CloudDemandsUnusable

    error = loaded.error
    assert error is not None
    if isinstance(error, CloudDemandsUnusable) or (
        isinstance(error, ConfigFileError) and error.key is None
    ):
        return ConfigUnreadable(f"failed to read configuration layers: {error}")
    if error.key is not None:
        return ConfigUnreadable(f"invalid configuration: {error.long_text}")
    return ConfigUnreadable(f"failed to resolve feature override precedence: {error}")


def _as_wire(layer: Layer) -> ConfigLayer:
    return ConfigLayer(
        name=layer.source,
        version=layer.version,
        config=dict(layer.table),
        disabled_reason=layer.disabled_reason,
    )


def _shown(value: Any, kind: Kind) -> Any:
    if isinstance(kind, Either):
        if isinstance(value, bool):
            return None if any(isinstance(inner, Section) for inner in kind.kinds) else value
        section = next((inner for inner in kind.kinds if isinstance(inner, Section)), None)
        return value if section is None else _shown(value, section)
    if isinstance(kind, MapOf) and isinstance(value, Mapping):
        return {key: _shown(entry, kind.item) for key, entry in value.items()}
    if not isinstance(kind, Section) or not isinstance(value, Mapping):
        return value
    shown: dict[str, Any] = {}
    for key, inner in kind.fields.items():
        entry = value.get(key, kind.defaults.get(key))
        if entry is not None:
            shown[key] = _shown(entry, inner)
        elif not kind.hides_unset:
            shown[key] = None
    if kind.rest is not None:
        extra = {key: entry for key, entry in value.items() if key not in kind.fields}
        shown |= {key: _shown(entry, kind.rest) for key, entry in extra.items()}
    return shown
