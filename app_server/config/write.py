"""`config/value/write` and `config/batchWrite`: changes of the user's file, checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app_server.config.demands import NO_DEMANDS, Demands
from app_server.config.edit import Edit, changed, edit_file
from app_server.config.errors import ConfigFileError, ConfigInvalid, ConfigWriteError
from app_server.config.forgiving import misfits
from app_server.config.layers import Layer, version_of
from app_server.config.load import load_config, requirements_path
from app_server.protocol.config import (
    ConfigEdit,
    ConfigWriteResponse,
    LegacyManagedConfigTomlFromFileConfigLayerSource,
    OverriddenMetadata,
    SessionFlagsConfigLayerSource,
)

LEAST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
"""What every reader of TOML can hold."""


def write_config(
    codex_home: Path,
    edits: Sequence[ConfigEdit],
    *,
    file_path: str | None = None,
    expected_version: str | None = None,
    cli_overrides: Iterable[tuple[str, Any]] = (),
    demands: Demands = NO_DEMANDS,
) -> ConfigWriteResponse:
    """Make all changes or none. Writes a file; raises `ConfigWriteError`."""
    user_file = codex_home / "config.toml"
    if file_path is not None and os.path.realpath(file_path) != os.path.realpath(user_file):
        raise ConfigWriteError("configLayerReadonly", "Only writes to the user config are allowed")
    if any(not edit.key_path for edit in edits):
        raise ConfigWriteError("configValidationError", "keyPath must not be empty")
    for edit in edits:
        if edit.value is not None:
            _check_value(edit.value)

    changes = [Edit(tuple(e.key_path.split(".")), e.value, e.merge_strategy) for e in edits]
    standing: Mapping[str, Any] = {}

    def unchanged_since_read(table: Mapping[str, Any]) -> None:
        nonlocal standing
        standing = table
        if expected_version is not None and expected_version != version_of(table):
            raise ConfigWriteError(
                "configVersionConflict",
                "Configuration was modified since last read. Fetch latest version and retry.",
            )
        _check_places(table, changes)

    def allowed(table: Mapping[str, Any]) -> None:
        _check_user_table(table, standing)
        _check_demands(table, demands)

    try:
        table = edit_file(
            user_file,
            changes,
            before=unchanged_since_read,
            after=allowed,
        )
    except ConfigFileError as error:
        raise ConfigWriteError("configValidationError", str(error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigWriteError(
            "configValidationError", f"{user_file} cannot be written: {reason}"
        ) from error
    overridden = _overridden(codex_home, edits, cli_overrides)
    return ConfigWriteResponse(
        status="ok" if overridden is None else "okOverridden",
        version=version_of(table),
        file_path=str(user_file),
        overridden_metadata=overridden,
    )


def _check_value(value: Any) -> None:
    """Refuse what TOML cannot hold; a null deletes only where it is the whole value."""
    if value is None:
        reason = "invalid type: null, expected any valid TOML value"
    elif isinstance(value, int) and not LEAST_INTEGER <= value <= LARGEST_INTEGER:
        reason = f"the integer {value} is too large"
    else:
        inner = value.values() if isinstance(value, Mapping) else value
        for entry in inner if isinstance(value, Mapping | list) else ():
            _check_value(entry)
        return
    raise ConfigWriteError("configValidationError", f"invalid value: {reason}")


def _check_places(table: Mapping[str, Any], edits: Sequence[Edit]) -> None:
    """Refuse to delete below what is not there, and to set below what is no table."""
    for edit in edits:
        place: Any = table
        for name in edit.path[:-1]:
            place = place.get(name)
            if isinstance(place, Mapping):
                continue
            if edit.value is None:
                raise ConfigWriteError("configPathNotFound", "Path not found")
            if place is not None:
                raise ConfigWriteError(
                    "configValidationError", "cannot set value on non-table parent"
                )
            break
        table = changed(table, [edit])


def _check_user_table(table: Mapping[str, Any], standing: Mapping[str, Any]) -> None:
    """Refuse what the change makes wrong; what was wrong before must not keep it from being made,
    or a file with two faults could never be mended step by step."""
    known = _faults(standing)
    for reason in _faults(table):
        if reason not in known:
            raise ConfigWriteError("configValidationError", f"Invalid configuration: {reason}")


def _faults(table: Mapping[str, Any]) -> list[str]:
    found = [misfit.long_text for misfit in misfits(table)]
    name, profiles = table.get("profile"), table.get("profiles", {})
    if name and isinstance(name, str) and isinstance(profiles, Mapping) and name not in profiles:
        found.append(f"config profile `{name}` not found")
    return found


def _check_demands(table: Mapping[str, Any], demands: Demands) -> None:
    """A pinned feature cannot be switched the other way. What else is not allowed is overruled
    when it is used, and told then."""
    if demands == NO_DEMANDS and not requirements_path().exists():
        return
    from app_server.config.requirements import check_pins, gather

    try:
        check_pins(gather(requirements_path(), demands).requirements, table)
    except ConfigInvalid as error:
        message = f"Invalid configuration: {error}"
        raise ConfigWriteError("configValidationError", message) from error


def _overridden(
    codex_home: Path, edits: Sequence[ConfigEdit], cli_overrides: Iterable[tuple[str, Any]]
) -> OverriddenMetadata | None:
    """What a higher layer makes of the first change it hides."""
    loaded = load_config(codex_home, codex_home, cli_overrides, with_projects=False)
    above = loaded.layers[2:]
    for edit in edits:
        path = edit.key_path.split(".")
        for layer in reversed(above):
            value = _at(layer.table, path)
            if value is not None and value != edit.value:
                return OverriddenMetadata(
                    message=_overridden_by(layer),
                    overriding_layer=layer.metadata,
                    effective_value=_at(loaded.merged, path),
                )
    return None


def _overridden_by(layer: Layer) -> str:
    match layer.source:
        case SessionFlagsConfigLayerSource():
            return "Overridden by session flags"
        case LegacyManagedConfigTomlFromFileConfigLayerSource(file=file):
            return f"Overridden by legacy managed_config.toml: {file}"
        case _:
            return "Overridden by another layer"


def _at(table: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = table
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value
