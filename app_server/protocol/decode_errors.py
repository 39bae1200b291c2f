"""Puts msgspec's complaints into the words of the original server, naming the place.

Works backwards from the path in the complaint: the value found there and the type wanted there
give the sentence. Loaded only when there is something to complain about.
"""

import re
from typing import Any

import msgspec
from msgspec import inspect

from app_server.protocol.method import WireType

_PATH = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[(\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_GOT = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`")

_EXPECTED = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "a sequence",
    "object": "a map",
    "null": "null",
}

Step = str | int | None
"""A key, an index, or None for "some value of this map"."""


def explain(error: msgspec.ValidationError, kind: WireType, source: Any) -> str:
    """One sentence without a full stop: what is wrong, and where."""
    found = _PATH.match(str(error))
    assert found is not None
    problem, path = found["problem"], found["path"] or "$"
    steps = [_step(match) for match in _STEP.finditer(path)]
    place = f" at `{path.removeprefix('$').removeprefix('.')}`" if steps else ""
    if missing := _MISSING.match(problem):
        return f"missing field `{missing[1]}`{place}"
    value = _value_at(_plain(source), steps)
    return _sentence(problem, _types_at(kind, steps), value) + place


def _sentence(problem: str, wanted: list[inspect.Type], value: Any) -> str:
    if problem.startswith(("Invalid value", "Invalid enum value")) or "takes one key" in problem:
        return _unknown_variant(wanted, value)
    if "matching regex" in problem:
        if isinstance(value, str) and "\0" in value:
            return "path contains a NUL byte"
        return "AbsolutePathBuf deserialized without a base path"
    if problem.startswith("Expected `int` "):
        return f"invalid value: {_describe(value)}, expected {_range(problem)}"
    if got := _GOT.match(problem):
        return f"invalid type: {_describe(value)}, expected {_expected(got['expected'], wanted)}"
    if problem.startswith("Expected `"):
        return f"invalid type: {_describe(value)}, expected {_expected(problem[10:-1], wanted)}"
    return problem[:1].lower() + problem[1:]


def _unknown_variant(wanted: list[inspect.Type], value: Any) -> str:
    if isinstance(value, dict):
        value = next(iter(value), "")
    names = [f"`{name}`" for kind in wanted for name in _variants(kind)]
    match names:
        case [only]:
            expected = only
        case [first, second]:
            expected = f"{first} or {second}"
        case _:
            expected = f"one of {', '.join(names)}"
    return f"unknown variant `{value}`, expected {expected}"


def _variants(kind: inspect.Type) -> list[str]:
    match kind:
        case inspect.LiteralType(values=values):
            return [str(value) for value in values]
        case inspect.StructType(tag=None, fields=fields):
            return [field.encode_name for field in fields]
        case _:
            return []


def _expected(named: str, wanted: list[inspect.Type]) -> str:
    structs = [kind.cls.__name__ for kind in wanted if isinstance(kind, inspect.StructType)]
    if named.startswith("object") and len(structs) == 1:
        return f"struct {structs[0]}"
    words = [_EXPECTED.get(part, part) for part in named.split(" | ") if part != "null"]
    return " or ".join(words) or "null"


def _range(problem: str) -> str:
    return "a non-negative integer" if problem.endswith(">= 0") else "an integer of 64 bits"


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


def _types_at(kind: WireType, steps: list[Step]) -> list[inspect.Type]:
    """The alternatives allowed at that place; for the tag of a union, its possible values."""
    wanted = _flatten(inspect.type_info(kind))
    for step in steps:
        wanted = [inner for outer in wanted for inner in _inside(outer, step)]
    return wanted


def _inside(kind: inspect.Type, step: Step) -> list[inspect.Type]:
    match kind:
        case inspect.StructType(tag_field=field, tag=tag) if field == step and tag is not None:
            return [inspect.LiteralType((tag,))]
        case inspect.StructType(fields=fields):
            return [t for f in fields if f.encode_name == step for t in _flatten(f.type)]
        case inspect.ListType(item_type=item):
            return _flatten(item)
        case inspect.DictType(value_type=value):
            return _flatten(value)
        case _:
            return []


def _flatten(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return _flatten(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [inner for each in kind.types for inner in _flatten(each)]
    return [kind]
