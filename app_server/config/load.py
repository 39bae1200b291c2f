"""Reads the layers of configuration, merges them and remembers where each value came from.

`load_config` never raises for what stands in a file: a broken one leaves the defaults (plus what
flags say) and the result carries the error. A thread is started with `LoadedConfig.checked()`,
which does raise.

Reads a handful of small files; call it off the event loop.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app_server.config.errors import ConfigFileError, ConfigInvalid
from app_server.config.files import check_file, check_flags, read_table, with_absolute_paths
from app_server.config.layers import Layer, merge, nested
from app_server.config.resolve import Config, Surroundings, resolve
from app_server.config.trust import (
    DEFAULT_ROOT_MARKERS,
    decided_trust,
    project_root,
    trust_key,
    trust_target,
)
from app_server.protocol.config import (
    LegacyManagedConfigTomlFromFileConfigLayerSource,
    ProjectConfigLayerSource,
    SessionFlagsConfigLayerSource,
    SystemConfigLayerSource,
    UserConfigLayerSource,
)
from app_server.protocol.notices import ConfigWarningNotification, TextPosition, TextRange

log = logging.getLogger(__name__)

SYSTEM_FOLDER = Path("/etc/codex")

NOT_FOR_PROJECTS = (
    "model_provider",
    "model_providers",
    "openai_base_url",
    "chatgpt_base_url",
    "notify",
    "plugin_backend_bridges",
    "codex_linux_sandbox_exe",
    "profile",
    "profiles",
    "otel",
    "projects",
    "project_root_markers",
)
"""Keys a project's file may not set: where prompts go, and what runs outside the sandbox.

The original of this era allows most of them; its later releases do not.
"""


class UnknownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key nobody knows. It is ignored; `suggestion` is the known key it resembles most."""

    key: str
    layer: Layer
    suggestion: str | None = None


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
    """Why `config` holds defaults instead of what the files say."""

    def checked(self) -> Config:
        """The settings for a new thread; raises `ConfigInvalid` naming file, line and column."""
        if self.error is not None:
            raise ConfigInvalid(f"failed to load configuration: {self.error}")
        return self.config

    @property
    def rules_folders(self) -> list[Path]:
        """Where rules about commands lie that count here, weakest first."""
        folders = [
            layer.folder / "rules"
            for layer in self.layers
            if layer.folder is not None and layer.disabled_reason is None
        ]
        return list(dict.fromkeys(folders))

    def unknown_keys(self) -> list[UnknownKey]:
        """Keys in any layer that nobody knows."""
        from app_server.config.schema import unknown_keys

        return [
            UnknownKey(key=key, layer=layer, suggestion=suggestion)
            for layer in self.layers
            for key, suggestion in unknown_keys(layer.table)
        ]


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
) -> LoadedConfig:
    """The configuration in force in `cwd`.

    `cli_overrides` and `thread_overrides` (dotted keys allowed in both) form the session layer.
    `profile` chooses a profile over whatever the files choose. `flags` are dedicated options, such
    as `model` or `sandbox_mode` of `thread/start`: they win over the profile. Without
    `with_projects` the layers of projects are left out. `forgiving` leaves out what cannot be used
    in the user's and the projects' files, with a warning for each, and keeps the rest.
    """
    session = nested([*cli_overrides, *(thread_overrides or {}).items()])
    dedicated = nested((flags or {}).items())
    around = Surroundings(codex_home=codex_home, cwd=cwd, profile=profile, flags=dedicated)
    reading = _Reading(codex_home, cwd, session, ignore_user_config, with_projects, forgiving)
    try:
        layers = reading.layers()
        check_flags(dedicated)
        merged = _merged(layers, cwd)
        config, told = _within_requirements(resolve(merged, around))
    except ConfigInvalid as error:
        return _on_defaults(reading, around, error)
    return LoadedConfig(
        config=config,
        merged=merged,
        layers=tuple(layers),
        warnings=(*reading.forgiven, *_project_warnings(layers), *told),
    )


def _within_requirements(config: Config) -> tuple[Config, list[ConfigWarningNotification]]:
    path = requirements_path()
    if not path.exists():
        return config, []
    from app_server.config.requirements import constrained, read_requirements

    return constrained(config, read_requirements(path))


def requirements_path() -> Path:
    """Where an administrator's demands stand."""
    return SYSTEM_FOLDER / "requirements.toml"


def _on_defaults(reading: _Reading, around: Surroundings, error: ConfigInvalid) -> LoadedConfig:
    log.warning("configuration is not usable: %s", error)
    session = reading.session_layer()
    merged: dict[str, Any] = {}
    try:
        check_flags(session.table)
        merged = _merged([session], around.cwd)
        config = resolve(merged, around)
    except ConfigInvalid:
        merged = {}
        blank = Surroundings(codex_home=around.codex_home, cwd=around.cwd)
        config = resolve(merged, blank)
    return LoadedConfig(
        config=config,
        merged=merged,
        layers=(session,),
        warnings=(_invalid_warning(error),),
        error=error,
    )


class _Reading:
    """Collects the layers of one load, weakest first."""

    def __init__(
        self,
        codex_home: Path,
        cwd: Path,
        session: dict[str, Any],
        ignore_user: bool,
        with_projects: bool,
        forgiving: bool,
    ) -> None:
        self.user_file = codex_home / "config.toml"
        self.codex_home = codex_home
        self.cwd = cwd
        self.session = session
        self.ignore_user = ignore_user
        self.with_projects = with_projects
        self.forgiving = forgiving
        self.forgiven: list[ConfigWarningNotification] = []

    def layers(self) -> list[Layer]:
        system = self._file_layer(SYSTEM_FOLDER / "config.toml", SystemConfigLayerSource)
        user = self._user_layer()
        session = self.session_layer()
        check_flags(session.table)
        managed = self._managed_layer()
        above = [*([session] if session.table else []), *managed]
        if not self.with_projects:
            return [system, user, *above]
        outside = _merged([system, user, *above], self.cwd)
        return [system, user, *self._project_layers(outside), *above]

    def session_layer(self) -> Layer:
        return Layer(source=SessionFlagsConfigLayerSource(), table=self.session)

    def _user_layer(self) -> Layer:
        if self.ignore_user:
            table = {}
        elif self.forgiving:
            table = self._usable(self.user_file)
        else:
            return self._file_layer(self.user_file, UserConfigLayerSource)
        return Layer(
            source=UserConfigLayerSource(file=str(self.user_file)),
            table=table,
            folder=self.user_file.parent,
        )

    def _usable(self, path: Path) -> dict[str, Any]:
        from app_server.config.forgiving import read_usable

        table, warnings = read_usable(path)
        self.forgiven += warnings
        return table

    def _file_layer(self, path: Path, source: Any) -> Layer:
        table = read_table(path)
        if table:
            check_file(path, table)
        return Layer(source=source(file=str(path)), table=table, folder=path.parent)

    def _managed_layer(self) -> list[Layer]:
        if os.environ.get("CODEX_APP_SERVER_DISABLE_MANAGED_CONFIG") == "1":
            return []
        path = SYSTEM_FOLDER / "managed_config.toml"
        if not path.exists():
            return []
        return [self._file_layer(path, LegacyManagedConfigTomlFromFileConfigLayerSource)]

    def _project_layers(self, outside: Mapping[str, Any]) -> list[Layer]:
        markers = outside.get("project_root_markers", DEFAULT_ROOT_MARKERS)
        root = project_root(self.cwd, markers)
        folders = [self.cwd, *self.cwd.parents]
        dot_folders = [
            folder / ".codex"
            for folder in reversed(folders[: folders.index(root) + 1])
            if (folder / ".codex").is_dir() and not _same(folder / ".codex", self.codex_home)
        ]
        if not dot_folders:
            return []
        trust = decided_trust(outside.get("projects", {}), self.cwd, markers)
        reason = self._why_disabled(trust)
        return [self._project_layer(folder, reason) for folder in dot_folders]

    def _project_layer(self, folder: Path, disabled_reason: str | None) -> Layer:
        path = folder / "config.toml"
        try:
            table = read_table(path)
            if table:
                check_file(path, _without(table, NOT_FOR_PROJECTS))
        except ConfigFileError:
            if disabled_reason is not None:
                table = {}
            elif self.forgiving:
                table = self._usable(path)
            else:
                raise
        return Layer(
            source=ProjectConfigLayerSource(dot_codex_folder=str(folder)),
            table=table,
            folder=folder,
            disabled_reason=disabled_reason,
            ignored_keys=tuple(key for key in NOT_FOR_PROJECTS if key in table),
        )

    def _why_disabled(self, trust: str | None) -> str | None:
        if trust == "trusted":
            return None
        folder = trust_key(trust_target(self.cwd))
        if trust == "untrusted":
            return (
                f"{folder} is marked as untrusted in {self.user_file}. To load project-local "
                "config, hooks, and exec policies, mark it trusted."
            )
        return (
            "To load project-local config, hooks, and exec policies, "
            f"add {folder} as a trusted project in {self.user_file}."
        )


def _merged(layers: Iterable[Layer], cwd: Path) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        if layer.disabled_reason is None and layer.table:
            table = _without(layer.table, layer.ignored_keys)
            merged = merge(merged, with_absolute_paths(table, layer.folder or cwd))
    return merged


def _without(table: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _invalid_warning(error: ConfigInvalid) -> ConfigWarningNotification:
    summary = "Invalid configuration; using defaults."
    if not isinstance(error, ConfigFileError):
        return ConfigWarningNotification(summary=summary, details=str(error))
    span = error.span
    if span is None:
        return ConfigWarningNotification(summary=summary, details=str(error), path=error.path)
    return ConfigWarningNotification(
        summary=summary,
        details=str(error),
        path=error.path,
        range=TextRange(
            start=TextPosition(line=span.line, column=span.column),
            end=TextPosition(line=span.end_line, column=span.end_column),
        ),
    )


def _project_warnings(layers: Iterable[Layer]) -> Iterable[ConfigWarningNotification]:
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
                path=str(Path(layer.source.dot_codex_folder) / "config.toml"),
            )
    if disabled:
        yield ConfigWarningNotification(
            summary="The settings, hooks and command rules of these folders stay off until their "
            "project is trusted (skills load regardless):\n" + "".join(disabled)
        )
