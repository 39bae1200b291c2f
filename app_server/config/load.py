"""Reads the layers of configuration, merges them and remembers where each value came from.

`load_config` never raises for what stands in a file: of a broken one it uses what can be used, and
the result carries the error. A thread is started with `LoadedConfig.checked()`, which does raise.

Reads a handful of small files; call it off the event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app_server.config import notices
from app_server.config.demands import NO_DEMANDS, Demands
from app_server.config.errors import ConfigFileError, ConfigInvalid
from app_server.config.files import check_flags, read_table
from app_server.config.layers import Layer, nested
from app_server.config.reading import Reading, managed_is_off, merged
from app_server.config.resolve import Config, Surroundings, resolve
from app_server.protocol.config import LegacyManagedConfigTomlFromFileConfigLayerSource
from app_server.protocol.config_requirements import ConfigRequirements
from app_server.protocol.notices import ConfigWarningNotification

if TYPE_CHECKING:
    from app_server.config.required_rules import RequiredRule

log = logging.getLogger(__name__)

SYSTEM_FOLDER = Path("/etc/codex")


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The effective settings and how they came about."""

    config: Config
    merged: Mapping[str, Any]
    """All enabled layers in one table, before the profile and before defaults."""
    layers: tuple[Layer, ...]
    """Weakest first; disabled ones included."""
    warnings: tuple[ConfigWarningNotification, ...] = ()
    """What a client is told after its handshake."""
    error: ConfigInvalid | None = None
    """Why no thread may start with `config`, which holds only what could be used."""

    requirements: ConfigRequirements | None = None
    """What an administrator demands."""
    required_rules: tuple[RequiredRule, ...] = ()
    """The same about commands."""
    overruled: tuple[str, ...] = ()
    """What was chosen and is not allowed, each in a sentence; told in `warnings`, too."""

    def checked(self) -> Config:
        """The settings for a new thread; raises `ConfigInvalid` naming file, line and column."""
        if self.error is not None:
            reason = self.error if isinstance(self.error, ConfigFileError) else self.error.long_text
            refusal = ConfigInvalid(f"failed to load configuration: {reason}")
            refusal.rpc_data = self.error.rpc_data
            raise refusal from self.error
        return self.config

    @property
    def rules_folders(self) -> list[Path]:
        """Where rules about commands lie that count here, weakest first."""
        folders = [
            layer.folder / "rules"
            for layer in self.layers
            if layer.folder is not None and layer.counts
        ]
        return list(dict.fromkeys(folders))


def load_config(
    codex_home: Path,
    cwd: Path,
    cli_overrides: Iterable[tuple[str, Any]] = (),
    thread_overrides: Mapping[str, Any] | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    profile: str | None = None,
    ignore_user_config: bool = False,
    with_projects: bool = True,
    forgiving: bool = False,
    strict: bool = False,
    demands: Demands = NO_DEMANDS,
    enablement: Mapping[str, bool] | None = None,
) -> LoadedConfig:
    """The configuration in force in `cwd`.

    `cli_overrides` and `thread_overrides` (dotted keys allowed in both) form the session layer.
    `profile` chooses a profile over whatever the files choose. `flags` are dedicated options, such
    as `model` or `sandbox_mode` of `thread/start`: they win over the profile. Without
    `with_projects` the layers of projects are left out. `forgiving` leaves out what cannot be used
    in the user's and the projects' files, with a warning for each, and keeps the rest. `strict`
    counts a key that nobody knows as an error. `demands` are what the signed-in account's
    workspace has set, `enablement` the features switched while the server runs.
    """
    around = Surroundings(
        codex_home=codex_home,
        cwd=cwd,
        profile=profile,
        flags=nested((flags or {}).items()),
        enablement=enablement or {},
    )
    reading = Reading(
        codex_home,
        cwd,
        nested([*cli_overrides, *(thread_overrides or {}).items()]),
        SYSTEM_FOLDER,
        ignore_user=ignore_user_config,
        with_projects=with_projects,
        forgiving=forgiving,
    )
    try:
        return _loaded(reading, around, demands, strict)
    except ConfigInvalid as error:
        log.warning("configuration is not usable: %s", error)
        return _without_what_is_wrong(reading, around, error)


def _loaded(
    reading: Reading, around: Surroundings, demands: Demands | None, strict: bool
) -> LoadedConfig:
    """Without `demands` nobody is held to any, in files either."""
    layers = reading.layers()
    if strict:
        _refuse_unknown_keys(layers)
    check_flags(around.flags)
    table = merged(layers, around.cwd)
    config = resolve(table, around)
    warnings = [
        *reading.forgiven,
        *(notice for layer in layers if layer.counts for notice in notices.unknown_keys(layer)),
        *notices.projects(layers),
    ]
    requirements: ConfigRequirements | None = None
    required_rules: tuple[RequiredRule, ...] = ()
    told: list[ConfigWarningNotification] = []
    managed = _managed(layers)
    if demands is not None and (demands != NO_DEMANDS or managed or requirements_path().exists()):
        from app_server.config.requirements import constrained, gather

        gathered = gather(requirements_path(), demands, managed)
        requirements, required_rules = gathered.requirements, gathered.rules
        config, told = constrained(config, gathered)
        warnings += [*gathered.warnings, *told]
    return LoadedConfig(
        config=config,
        merged=table,
        layers=tuple(layers),
        warnings=tuple(warnings),
        requirements=requirements,
        required_rules=required_rules,
        overruled=tuple(notice.summary for notice in told),
    )


def requirements_path() -> Path:
    """Where an administrator's demands stand."""
    return SYSTEM_FOLDER / "requirements.toml"


def managed_table() -> Mapping[str, Any]:
    """What `managed_config.toml` chooses; empty without one. Raises `ConfigFileError`."""
    if managed_is_off():
        return {}
    return read_table(SYSTEM_FOLDER / "managed_config.toml")


def _managed(layers: Iterable[Layer]) -> Mapping[str, Any] | None:
    source = LegacyManagedConfigTomlFromFileConfigLayerSource
    return next((layer.table for layer in layers if isinstance(layer.source, source)), None)


def _refuse_unknown_keys(layers: Iterable[Layer]) -> None:
    from app_server.config.schema import unknown_keys

    for layer in layers:
        if not layer.counts:
            continue
        for key, suggestion in unknown_keys(layer.table):
            meant = f"; did you mean `{suggestion}`?" if suggestion else ""
            reason = f"unknown configuration field `{key}`{meant}"
            if layer.file is None:
                raise ConfigInvalid(reason, key)
            span = notices.place_of(layer.file, key)
            raise ConfigFileError(str(layer.file), span, reason, key)


def _without_what_is_wrong(
    reading: Reading, around: Surroundings, error: ConfigInvalid
) -> LoadedConfig:
    """What of the settings can be used, for everything but threads; the error lets none start."""
    usable = _usable(reading, around)
    wrong = notices.invalid(error)
    others = (notice for notice in usable.warnings if notice.range != wrong.range)
    return msgspec.structs.replace(usable, warnings=(wrong, *others), error=error)


def _usable(reading: Reading, around: Surroundings) -> LoadedConfig:
    try:
        return _loaded(reading.forgiven_copy(), around, demands=None, strict=False)
    except ConfigInvalid:
        pass
    session = reading.session_layer()
    try:
        check_flags(session.table)
        table = merged([session], around.cwd)
        config = resolve(table, around)
    except ConfigInvalid:
        table = {}
        config = resolve(table, Surroundings(codex_home=around.codex_home, cwd=around.cwd))
    return LoadedConfig(config=config, merged=table, layers=(session,))
