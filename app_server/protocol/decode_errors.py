"""Puts msgspec's complaints into the words of the original server, naming the place.

Works backwards from the path in the complaint: the value found there and the types allowed there
give the sentence. Loaded only when there is something to complain about.
"""

import re
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from app_server.protocol.method import WireType

_COMPLAINT = re.compile(r"(?P<problem>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[(\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_EXPECTED = re.compile(r"Expected `(?P<kinds>[^`]*)`(?:, got `.*`)?")

_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "a sequence",
    "object": "a map",
    "null": "null",
}
_SIZES = {2**16 - 1: "u16", 2**32 - 1: "u32", 2**63 - 1: "u64"}

Step = str | int | None
"""A key, an index, or None for "some value of this map"."""


def explain(error: msgspec.ValidationError, kind: WireType, source: Any) -> str:
    """One sentence without a full stop: what is wrong, and where."""
    complaint = _COMPLAINT.fullmatch(str(error))
    assert complaint is not None
    steps = [_step(match) for match in _STEP.finditer(complaint["path"] or "")]
    place = f" at `{(complaint['path'] or '').removeprefix('.')}`" if steps else ""
    value = _value_at(_plain(source), steps)
    return _sentence(complaint["problem"], _kinds_at(kind, steps), value) + place


def _sentence(problem: str, wanted: list[Any], value: Any) -> str:
    names = [name for kind in wanted for name in _variants(kind)]
    is_choice = any(get_origin(kind) is Literal for kind in wanted)
    if missing := _MISSING.fullmatch(problem):
        if is_choice and missing[1] in names:
            return _unknown_variant(names, value)
        return f"missing field `{missing[1]}`"
    if problem.startswith(("Invalid value", "Invalid enum value")) or "takes one key" in problem:
        return _unknown_variant(names, value)
    if "matching regex" in problem:
        is_nul = isinstance(value, str) and "\0" in value
        return "path contains a NUL byte" if is_nul else _NOT_ABSOLUTE
    if problem.startswith(("Expected `int` ", "Integer value out of range")):
        return f"invalid value: {_describe(value)}, expected {_size(wanted)}"
    if expected := _EXPECTED.fullmatch(problem):
        what = "string or map" if is_choice else _expectation(expected["kinds"], wanted)
        return f"invalid type: {_describe(value)}, expected {what}"
    return problem[:1].lower() + problem[1:]


_NOT_ABSOLUTE = "AbsolutePathBuf deserialized without a base path"


def _unknown_variant(names: list[str], value: Any) -> str:
    if isinstance(value, dict):
        value = next(iter(value), "")
    quoted = [f"`{name}`" for name in names]
    match quoted:
        case [only]:
            expected = only
        case [first, second]:
            expected = f"{first} or {second}"
        case _:
            expected = f"one of {', '.join(quoted)}"
    return f"unknown variant `{value}`, expected {expected}"


def _variants(kind: Any) -> list[str]:
    """The names to choose from: enum values, or the keys of an object that has one of them."""
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    if _is_struct(kind) and kind.__struct_config__.tag is None:
        return list(kind.__struct_encode_fields__)
    return []


def _expectation(named: str, wanted: list[Any]) -> str:
    structs = [kind.__name__ for kind in wanted if _is_struct(kind)]
    if named.startswith("object") and len(structs) == 1:
        return f"struct {structs[0]}"
    kinds = [part for part in named.split(" | ") if part != "null"] or ["null"]
    if kinds == ["int"]:
        return _size(wanted)
    if kinds == ["str"] and any(_limits(kind).get("pattern") for kind in wanted):
        return "path string"
    return " or ".join(_WORDS.get(part, part) for part in kinds)


def _size(wanted: list[Any]) -> str:
    for kind in wanted:
        limits = _limits(kind)
        if limits.get("ge") == 0:
            return _SIZES.get(limits["le"], "u64")
    return "i64"


def _limits(kind: Any) -> dict[str, Any]:
    if get_origin(kind) is not Annotated:
        return {}
    meta = kind.__metadata__[0]
    return {name: getattr(meta, name) for name in ("ge", "le", "pattern")}


def _describe(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`" if value.bit_length() <= 64 else "integer of great size"
        case float():
            return f"floating point `{value}`"
        case str():
            return f"string {msgspec.json.encode(value[:100]).decode()}"
        case list() | tuple():
            return "sequence"
        case _:
            return "map"


def _step(match: re.Match[str]) -> Step:
    key, index, _some = match.groups()
    if key is not None:
        return str(key)
    return int(index) if index is not None else None


def _plain(source: Any) -> Any:
    if isinstance(source, bytes | bytearray | memoryview | msgspec.Raw):
        try:
            return msgspec.json.decode(source)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
    return source


def _value_at(value: Any, steps: list[Step]) -> Any:
    for step in steps:
        try:
            value = next(iter(value.values())) if step is None else value[step]
        except (LookupError, TypeError, AttributeError, StopIteration):
            return None
    return value


def _kinds_at(kind: WireType, steps: list[Step]) -> list[Any]:
    """The types allowed at that place; at the tag of a union, its possible values."""
    wanted = _alternatives(kind)
    for step in steps:
        wanted = [inner for outer in wanted for inner in _inside(outer, step)]
    return wanted


def _inside(kind: Any, step: Step) -> list[Any]:
    if _is_struct(kind):
        config = kind.__struct_config__
        if config.tag is not None and config.tag_field == step:
            return [Literal[config.tag]]
        names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
        if step not in names:
            return []
        return _alternatives(get_type_hints(kind, include_extras=True)[names[step]])
    if get_origin(kind) in (list, dict):
        return _alternatives(get_args(kind)[-1])
    return []


def _alternatives(kind: Any) -> list[Any]:
    if get_origin(kind) in (Union, UnionType):
        return [inner for each in get_args(kind) for inner in _alternatives(each)]
    return [kind]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
