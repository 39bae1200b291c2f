"""The base of every value that crosses the wire.

`Wire` values are frozen, keyword-only and camelCase in JSON; `SnakeWire` is the same for payloads
that keep snake_case. Unknown keys are ignored when reading. An optional field holds None and is
written as null, with two exceptions a class chooses for itself:

* `omit_defaults=True` in the class line leaves out every field that has its default;
* a field typed `Maybe[...]` with the default `UNSET` is left out while unset, and tells
  "absent" from "null" when read.
"""

from typing import Any, TypeAlias, TypeVar, Union, dataclass_transform

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "UNSET",
    "JsonObject",
    "Maybe",
    "SingleKey",
    "SnakeWire",
    "UnsetType",
    "Wire",
    "always_null",
    "known",
]

T = TypeVar("T")

JsonObject: TypeAlias = dict[str, Any]
Maybe: TypeAlias = Union[T, UnsetType, None]  # noqa: UP007 - a generic alias needs Union


class _WireMeta(msgspec.StructMeta):
    """Makes keyword-only hold for subclasses, which msgspec does not inherit."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any
    ) -> Any:
        config.setdefault("kw_only", True)
        return super().__new__(mcls, name, bases, namespace, **config)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, metaclass=_WireMeta, rename="camel", frozen=True):
    """A value that crosses the wire, camelCase in JSON."""


class SnakeWire(Wire, rename=None):
    """A value whose keys stay snake_case in JSON."""


class SingleKey(Wire, omit_defaults=True):
    """One alternative out of several, written as an object with a single key.

    Each alternative is a field that is None unless chosen; exactly one is given.
    """

    def __post_init__(self) -> None:
        chosen = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(chosen) != 1:
            raise ValueError(f"{type(self).__name__} takes one key, got {len(chosen)}")


def known(value: T | UnsetType | None) -> T | None:
    """The value of a `Maybe` field, None where it is unset."""
    return None if isinstance(value, UnsetType) else value


def always_null() -> Any:
    """A field default that is written as null although its class leaves defaults out."""
    return msgspec.field(default_factory=_none)


def _none() -> None:
    return None
