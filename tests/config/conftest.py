"""A home, a project and no machine-wide settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_server.config import load
from app_server.config.load import LoadedConfig, load_config
from tests.support.repository import mark_repository


@pytest.fixture(autouse=True)
def system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "etc-codex"
    folder.mkdir()
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder)
    monkeypatch.delenv("CODEX_APP_SERVER_DISABLE_MANAGED_CONFIG", raising=False)
    monkeypatch.delenv("CODEX_SQLITE_HOME", raising=False)
    return folder


@pytest.fixture
def project(workspace: Path) -> Path:
    """A repository with an inner folder; both may hold settings."""
    mark_repository(workspace)
    (workspace / "inner").mkdir()
    return workspace


Loader = Callable[..., LoadedConfig]


@pytest.fixture
def loaded(codex_home: Path, project: Path) -> Loader:
    """Writes the user's file and loads the configuration of the project."""

    def load_with(user: str = "", **options: Any) -> LoadedConfig:
        (codex_home / "config.toml").write_text(user)
        cwd = options.pop("cwd", project)
        return load_config(codex_home, cwd, **options)

    return load_with
