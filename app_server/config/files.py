"""Reading one file of settings: its table, checked, or the error that says where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app_server import paths
from app_server.config.errors import ConfigFileError, ConfigInvalid
from app_server.config.kinds import Misfit
from app_server.regular_files import read_regular_file

PATH_KEYS = (
    "model_catalog_json",
    "model_instructions_file",
    "experimental_instructions_file",
    "experimental_compact_prompt_file",
    "sqlite_home",
    "log_dir",
    "zsh_path",
)


def read_table(path: Path) -> dict[str, Any]:
    """The table of a TOML file, unchecked; empty when there is no file.

    Raises `ConfigFileError` when it cannot be read or is no TOML.
    """
    try:
        content = read_regular_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigFileError(str(path), None, error.strerror or str(error)) from error
    if not content.strip():
        return {}
    import tomllib  # only where there is something to parse

    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigFileError(str(path), None, f"not UTF-8: {error}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        from app_server.config.positions import syntax_error

        reason, span = syntax_error(text, str(error))
        raise ConfigFileError(str(path), span, reason) from error
    except RecursionError as error:
        raise ConfigFileError(str(path), None, "nested too deeply") from error


def check_file(path: Path, table: Mapping[str, Any]) -> None:
    """Raise `ConfigFileError` at the first value in the file that does not fit."""
    from app_server.config.schema import check

    try:
        check(table)
    except Misfit as misfit:
        from app_server.config.positions import locate

        try:
            span = locate(path.read_text("utf-8"), misfit.path)
        except (OSError, ValueError, IndexError):
            span = None
        raise ConfigFileError(str(path), span, misfit.reason, misfit.key) from misfit


def check_flags(table: Mapping[str, Any]) -> None:
    """The same for settings that stand in no file; raises `ConfigInvalid`."""
    from app_server.config.schema import check

    try:
        check(table)
    except Misfit as misfit:
        raise ConfigInvalid(misfit.reason, misfit.key) from misfit


def with_absolute_paths(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The table with its relative paths resolved against the folder its file lies in."""
    resolved = dict(table)
    for key in PATH_KEYS:
        if isinstance(resolved.get(key), str):
            resolved[key] = str(paths.absolute(resolved[key], folder))
    workspace = resolved.get("sandbox_workspace_write")
    if isinstance(workspace, Mapping) and isinstance(workspace.get("writable_roots"), list):
        roots = [str(paths.absolute(root, folder)) for root in workspace["writable_roots"]]
        resolved["sandbox_workspace_write"] = {**workspace, "writable_roots": roots}
    providers = resolved.get("model_providers")
    if isinstance(providers, Mapping):
        resolved["model_providers"] = {
            name: _with_absolute_folder(provider, folder) for name, provider in providers.items()
        }
    profiles = resolved.get("profiles")
    if isinstance(profiles, Mapping):
        resolved["profiles"] = {
            name: with_absolute_paths(profile, folder) if isinstance(profile, Mapping) else profile
            for name, profile in profiles.items()
        }
    return resolved


def _with_absolute_folder(provider: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """A provider whose token command runs in a folder named from its file."""
    auth = provider.get("auth") if isinstance(provider, Mapping) else None
    if not isinstance(auth, Mapping) or not isinstance(auth.get("cwd"), str):
        return provider
    return {**provider, "auth": {**auth, "cwd": str(paths.absolute(auth["cwd"], folder))}}
