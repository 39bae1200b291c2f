"""Reads the layers of configuration, merges them and remembers where each value came from.

`load_config` never raises for what stands in a file: a broken one leaves the defaults (plus what
flags say) and the result carries the error. A thread is started with `LoadedConfig.checked()`,
which does raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app_server.config.errors import ConfigInvalid
from app_server.config.layers import Layer
from app_server.config.resolve import Config
from app_server.protocol.notices import ConfigWarningNotification


class UnknownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key nobody knows. It is ignored; `suggestion` is the known key it resembles most."""

    key: str
    layer: Layer
    suggestion: str | None = None


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The effective settings and how they came about."""

    config: Config
    merged: Mapping[str, Any]
    """All layers in one table, before the profile and before defaults."""
    layers: tuple[Layer, ...]
    """Weakest first; disabled ones included."""
    warnings: tuple[ConfigWarningNotification, ...] = ()
    """What a client is told after its handshake."""
    unknown_keys: tuple[UnknownKey, ...] = ()
    error: ConfigInvalid | None = None
    """Why `config` holds defaults instead of what the files say."""

    def checked(self) -> Config:
        """The settings for a new thread; raises `ConfigInvalid` naming file, line and column."""
        if self.error is not None:
            raise ConfigInvalid(f"failed to load configuration: {self.error}")
        return self.config


def load_config(
    codex_home: Path,
    cwd: Path,
    cli_overrides: Iterable[tuple[str, Any]] = (),
    thread_overrides: Mapping[str, Any] | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    profile: str | None = None,
    ignore_user_config: bool = False,
) -> LoadedConfig:
    """The configuration in force in `cwd`.

    `cli_overrides` and `thread_overrides` (dotted keys allowed in both) form the session layer.
    `profile` chooses a profile over whatever the files choose. `flags` are dedicated options, such
    as `model` or `sandbox_mode` of `thread/start`: they win over the profile.
    """
    raise NotImplementedError
