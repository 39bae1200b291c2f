"""Collects the layers of one load, weakest first, each checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app_server.config.errors import ConfigFileError
from app_server.config.files import check_file, check_flags, read_table, with_absolute_paths
from app_server.config.layers import Layer, merge
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
from app_server.protocol.notices import ConfigWarningNotification

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


class Reading:
    """One load. What is left out of files that are forgiven is told in `forgiven`."""

    def __init__(
        self,
        codex_home: Path,
        cwd: Path,
        session: dict[str, Any],
        system_folder: Path,
        *,
        ignore_user: bool,
        with_projects: bool,
        forgiving: bool,
    ) -> None:
        self.user_file = codex_home / "config.toml"
        self.codex_home = codex_home
        self.cwd = cwd
        self.session = session
        self.system_folder = system_folder
        self.ignore_user = ignore_user
        self.with_projects = with_projects
        self.forgiving = forgiving
        self.forgiven: list[ConfigWarningNotification] = []

    def forgiven_copy(self) -> Reading:
        """The same load, leaving out what cannot be used."""
        return Reading(
            self.codex_home,
            self.cwd,
            self.session,
            self.system_folder,
            ignore_user=self.ignore_user,
            with_projects=self.with_projects,
            forgiving=True,
        )

    def layers(self) -> list[Layer]:
        """Raises `ConfigInvalid` for the first thing that is not forgiven."""
        system = self._file_layer(self.system_folder / "config.toml", SystemConfigLayerSource)
        user = self._user_layer()
        session = self.session_layer()
        check_flags(session.table)
        managed = self._managed_layer()
        above = [*([session] if session.table else []), *managed]
        if not self.with_projects:
            return [system, user, *above]
        outside = merged([system, user, *above], self.cwd)
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
            file=self.user_file,
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
        return Layer(source=source(file=str(path)), table=table, file=path)

    def _managed_layer(self) -> list[Layer]:
        if managed_is_off():
            return []
        path = self.system_folder / "managed_config.toml"
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
            counting = {key: table[key] for key in table if key not in NOT_FOR_PROJECTS}
            if counting:
                check_file(path, counting)
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
            file=path,
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


def managed_is_off() -> bool:
    """Whether the older managed file does not count, as in tests."""
    return os.environ.get("CODEX_APP_SERVER_DISABLE_MANAGED_CONFIG") == "1"


def merged(layers: Iterable[Layer], cwd: Path) -> dict[str, Any]:
    """The layers that count in one table, relative paths made absolute."""
    whole: dict[str, Any] = {}
    for layer in layers:
        if layer.counts and layer.table:
            table = with_absolute_paths(layer.effective, layer.folder or cwd)
            whole = merge(whole, table, clears=layer.clears)
    return whole


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
