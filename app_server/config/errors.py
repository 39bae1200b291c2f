"""What can be wrong with a configuration.

ConfigError
├── ConfigFileError        a file cannot be used; carries path, line and column
├── ConfigInvalid          a value that has no place in a file (flags, overrides, the merged whole)
├── ConfigUnreadable       `config/read` has nothing to show
└── ConfigWriteError       a refused write; carries the wire's error code as `rpc_data`
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

WriteRefusal: TypeAlias = Literal[
    "configLayerReadonly",
    "configVersionConflict",
    "configValidationError",
    "configPathNotFound",
    "configSchemaUnknownKey",
    "userLayerNotFound",
]


class Span(msgspec.Struct, frozen=True):
    """A piece of a file: lines and columns count from 1, the end is the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class ConfigError(Exception):
    """Something is wrong with the configuration."""

    rpc_data: dict[str, Any] | None = None
    """What a program is told besides the message."""


class ConfigInvalid(ConfigError):
    """A setting that cannot be used, known by its dotted key where there is one."""

    def __init__(self, reason: str, key: str | None = None) -> None:
        self.reason = reason
        self.key = key
        super().__init__(reason)

    @property
    def long_text(self) -> str:
        """The reason with the key on a line of its own, as merged settings report it."""
        return f"{self.reason}\nin `{self.key}`\n" if self.key else self.reason


class ConfigFileError(ConfigInvalid):
    """A file of settings that cannot be used."""

    def __init__(self, path: str, span: Span | None, reason: str, key: str | None = None) -> None:
        super().__init__(reason, key)
        self.path = path
        self.span = span
        place = f"{path}:{span.line}:{span.column}" if span else path
        self.args = (f"{place}: {reason}",)


class ConfigUnreadable(ConfigError):
    """The settings cannot be shown because they cannot be used."""


class ConfigWriteError(ConfigError):
    """A change of settings that was refused."""

    def __init__(self, code: WriteRefusal, message: str) -> None:
        self.code = code
        self.rpc_data = {"config_write_error_code": code}
        super().__init__(message)
