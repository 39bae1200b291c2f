"""The kinds of values a setting can have: what fits, and what is said when something does not.

The wording of refusals is the original's, since clients show it. Pure; knows no keys.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from app_server.config.errors import ConfigInvalid

Path_: TypeAlias = tuple[str | int, ...]


class Misfit(ConfigInvalid):
    """A value that does not fit, with its place inside the table."""

    def __init__(self, reason: str, path: Path_, report_path: Path_ | None = None) -> None:
        self.path = path
        """Where the value stands, list positions included."""
        names = path if report_path is None else report_path
        super().__init__(reason, ".".join(part for part in names if isinstance(part, str)))


class Scalar(msgspec.Struct, frozen=True):
    """Text or a truth value."""

    python_type: type
    expected: str

    def check(self, value: Any, path: Path_) -> None:
        if not isinstance(value, self.python_type):
            raise Misfit(f"invalid type: {describe(value)}, expected {self.expected}", path)


class Whole(msgspec.Struct, frozen=True):
    """A whole number of a certain range."""

    expected: str
    lowest: int
    highest: int

    def check(self, value: Any, path: Path_) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misfit(f"invalid type: {describe(value)}, expected {self.expected}", path)
        if not self.lowest <= value <= self.highest:
            raise Misfit(f"invalid value: {describe(value)}, expected {self.expected}", path)


class Number(msgspec.Struct, frozen=True):
    """A number that is not negative, whole or not."""

    def check(self, value: Any, path: Path_) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Misfit(f"invalid type: {describe(value)}, expected f64", path)
        if not 0 <= value < float("inf"):
            raise Misfit(f"invalid value: {describe(value)}, expected a number from 0 on", path)


class OneOf(msgspec.Struct, frozen=True):
    """One of a few names. `also` are accepted but not advertised."""

    names: tuple[str, ...]
    also: tuple[str, ...] = ()

    def check(self, value: Any, path: Path_) -> None:
        if not isinstance(value, str):
            raise Misfit(f"invalid type: {describe(value)}, expected {listed(self.names)}", path)
        if value not in self.names and value not in self.also:
            raise Misfit(f"unknown variant `{value}`, expected {listed(self.names)}", path)


class ListOf(msgspec.Struct, frozen=True):
    item: Kind

    def check(self, value: Any, path: Path_) -> None:
        if not isinstance(value, list):
            raise Misfit(f"invalid type: {describe(value)}, expected a sequence", path)
        for index, entry in enumerate(value):
            self.item.check(entry, (*path, index))


class MapOf(msgspec.Struct, frozen=True):
    """A table whose keys are the user's."""

    item: Kind
    expected: str = "a map"
    blames_itself: bool = False
    """A misfit inside is reported under the table's own key, as for flattened maps."""

    def check(self, value: Any, path: Path_) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(f"invalid type: {describe(value)}, expected {self.expected}", path)
        for key, entry in value.items():
            try:
                self.item.check(entry, (*path, key))
            except Misfit as misfit:
                if not self.blames_itself:
                    raise
                raise Misfit(misfit.reason, misfit.path, path) from misfit


class Section(msgspec.Struct, frozen=True):
    """A table with known keys. Unknown ones pass; with `rest` they are of that kind."""

    name: str
    fields: Mapping[str, Kind]
    rest: Kind | None = None
    known_rest: tuple[str, ...] = ()
    """The keys `rest` stands for, where they are known; others count as unknown."""
    required: tuple[str, ...] = ()
    is_closed: bool = False
    """Whether an unknown key is refused."""
    defaults: Mapping[str, Any] = {}
    """What `config/read` shows for keys that are not set; the others are null."""
    hides_unset: bool = False
    """Whether `config/read` leaves out what is not set."""
    extra: Callable[[Mapping[str, Any], Path_], None] | None = None
    """A check of the table as a whole."""

    def check(self, value: Any, path: Path_) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(f"invalid type: {describe(value)}, expected struct {self.name}", path)
        for key, entry in value.items():
            kind = self.fields.get(key, self.rest)
            if kind is not None:
                kind.check(entry, (*path, key))
            elif self.is_closed:
                raise Misfit(
                    f"unknown field `{key}`, expected {listed(tuple(self.fields))}", (*path, key)
                )
        for key in self.required:
            if key not in value:
                raise Misfit(f"missing field `{key}`", path)
        if self.extra is not None:
            self.extra(value, path)


class Either(msgspec.Struct, frozen=True):
    """Any of several kinds; `refusal` is said when none fits."""

    kinds: tuple[Kind, ...]
    refusal: str

    def check(self, value: Any, path: Path_) -> None:
        for kind in self.kinds:
            try:
                kind.check(value, path)
            except Misfit:
                continue
            return
        raise Misfit(self.refusal, path)


class NameOrTable(msgspec.Struct, frozen=True):
    """A name, or a table with one known key holding details."""

    names: OneOf
    tables: Mapping[str, Kind]

    def check(self, value: Any, path: Path_) -> None:
        if isinstance(value, Mapping) and len(value) == 1:
            (key,) = value
            if key in self.tables:
                self.tables[key].check(value[key], (*path, key))
                return
            raise Misfit(f"unknown variant `{key}`, expected {listed(self.names.names)}", path)
        self.names.check(value, path)


class Anything(msgspec.Struct, frozen=True):
    """Whatever the room that owns the subject makes of it."""

    def check(self, value: Any, path: Path_) -> None:
        return


Kind: TypeAlias = (
    Scalar | Whole | Number | OneOf | ListOf | MapOf | Section | Either | NameOrTable | Anything
)

TEXT = Scalar(str, "a string")
FLAG = Scalar(bool, "a boolean")
SIGNED = Whole("i64", -(2**63), 2**63 - 1)
UNSIGNED = Whole("u64", 0, 2**63 - 1)
SIZE = Whole("usize", 0, 2**63 - 1)
PORT = Whole("u16", 0, 65_535)
NONZERO = Whole("a nonzero u64", 1, 2**63 - 1)
SECONDS = Number()
TEXTS = ListOf(TEXT)
TEXT_MAP = MapOf(TEXT)
ANYTHING = Anything()
TABLE = MapOf(ANYTHING)


def listed(names: tuple[str, ...]) -> str:
    """The allowed names, as one clause."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) == 1:
        return quoted[0]
    if len(quoted) == 2:
        return " or ".join(quoted)
    return "one of " + ", ".join(quoted)


def describe(value: Any) -> str:
    """A value as refusals name it."""
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return "string " + msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return "sequence"
    if isinstance(value, datetime.date | datetime.time):
        return "datetime"
    return "map"
