"""The settings of the service's machine, as far as a client of release 0.169 asks for them.

Files are read as any session here reads them: those of projects only where they are trusted. What
comes out are the layers, weakest first, each cut down to the keys that were named.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_server.exec_server.environment_methods import EnvironmentConfigReadParams
from app_server.exec_server.files import absolute_path
from app_server.exec_server.locations import uri
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Body,
    ServiceError,
)
from app_server.protocol.config import (
    ProjectConfigLayerSource,
    SystemConfigLayerSource,
    UserConfigLayerSource,
)

if TYPE_CHECKING:
    from app_server.config.layers import Layer

KeyPath = Sequence[str]


class ConfigLayer(Body, frozen=True, kw_only=True):
    source: str
    """For a person."""
    base_dir: str
    """What relative paths in it start from."""
    toml: str


class ConfigLayers(Body, frozen=True, kw_only=True):
    layers: list[ConfigLayer]
    cloud_insertion_index: int
    """Where layers that only the client knows come in: above those of the system."""


class EnvironmentConfigReadResult(Body, frozen=True, kw_only=True):
    user_home_dir: str
    codex_home_dir: str
    hostname: str
    config: ConfigLayers
    requirements: ConfigLayers


def environment_config(params: EnvironmentConfigReadParams) -> EnvironmentConfigReadResult:
    """Reads a handful of files. Raises `ServiceError`."""
    # With the first such question: some hundred milliseconds.
    from app_server import paths
    from app_server.config import load
    from app_server.config.errors import ConfigInvalid
    from app_server.config.files import read_table
    from app_server.config.reading import Reading

    asked = [*params.config_paths, *params.requirements_paths]
    if not asked:
        raise ServiceError(INVALID_PARAMS, "at least one config or requirements path is required")
    if not all(asked):
        raise ServiceError(INVALID_PARAMS, "TOML paths must contain at least one key segment")
    cwd = Path(absolute_path(params.cwd))
    try:
        home = paths.codex_home()
        layers = Reading(
            home,
            cwd,
            {},
            load.SYSTEM_FOLDER,
            ignore_user=False,
            with_projects=True,
            forgiving=False,
        ).layers()
        file = load.requirements_path()
        demands = read_table(file)
    except (ConfigInvalid, paths.CodexHomeMissing) as error:
        reason = f"failed to load executor-local config: {error}"
        raise ServiceError(INTERNAL_ERROR, reason) from error
    return EnvironmentConfigReadResult(
        user_home_dir=uri(os.path.expanduser("~")),
        codex_home_dir=uri(str(home)),
        hostname=socket.gethostname(),
        config=_layers(layers, params.config_paths),
        requirements=_stack([(str(file), file, demands)], params.requirements_paths, below_cloud=1),
    )


def _layers(layers: Iterable[Layer], wanted: Sequence[KeyPath]) -> ConfigLayers:
    kept = [layer for layer in layers if layer.counts and layer.file is not None]
    system = sum(isinstance(layer.source, SystemConfigLayerSource) for layer in kept)
    named = [(_named(layer), layer.file, layer.effective) for layer in kept]
    return _stack(named, wanted, below_cloud=system)


def _stack(
    layers: Iterable[tuple[str, Path | None, Mapping[str, Any]]],
    wanted: Sequence[KeyPath],
    below_cloud: int,
) -> ConfigLayers:
    import tomlkit

    told: list[ConfigLayer] = []
    cloud_index = 0
    for number, (name, file, table) in enumerate(layers):
        part = _part(table, wanted)
        if file is None or not part:
            continue
        folder = uri(str(file.parent))
        told.append(ConfigLayer(source=name, base_dir=folder, toml=tomlkit.dumps(part)))
        if number < below_cloud:
            cloud_index = len(told)
    return ConfigLayers(layers=told, cloud_insertion_index=cloud_index)


def _part(table: Mapping[str, Any], wanted: Iterable[KeyPath]) -> dict[str, Any]:
    """The named keys of a table; of a table on the way there is what is named below it."""
    part: dict[str, Any] = {}
    for key in {path[0]: None for path in wanted if path[0] in table}:
        value = table[key]
        below = [path[1:] for path in wanted if path[0] == key]
        is_cut = isinstance(value, Mapping) and all(below)
        part[key] = _part(value, below) if is_cut else value
    return part


def _named(layer: Layer) -> str:
    match layer.source:
        case SystemConfigLayerSource():
            kind = "system"
        case UserConfigLayerSource():
            kind = "user"
        case ProjectConfigLayerSource():
            kind = "project"
        case _:
            kind = "legacy managed_config.toml"
    return f"{kind} ({layer.file})"
