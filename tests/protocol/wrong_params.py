"""Makes params that are wrong in one place out of good ones, by a JSON Schema.

`places` finds every place of a value with what the schema lets stand there; `wrong_values` gives
what does not belong there. A place where anything may stand is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

from tests.protocol.recorded_schema import definitions

Step = str | int
EXAMPLES: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "integer": 5,
    "number": 1.5,
    "string": "no such variant",
    "array": [],
    "object": {},
}
ANYTHING = frozenset(EXAMPLES)


class Place(NamedTuple):
    """Somewhere in a value: how to get there, what may stand there."""

    steps: tuple[Step, ...]
    kinds: frozenset[str]
    """JSON types; `string` stands for any text, one that is missing for none or a few words."""
    is_required: bool
    field: str
    """The name of the field the place is, or is in."""


def places(schema: Any, value: Any, bundle: dict[str, Any]) -> list[Place]:
    """Every place of `value`, itself left out."""
    return list(_Walk(definitions(bundle)).inside(schema, value, ()))


def wrong_values(place: Place) -> list[Any]:
    """One value of each kind that must not stand there."""
    return [
        example
        for kind, example in EXAMPLES.items()
        if kind not in place.kinds and not (kind == "integer" and "number" in place.kinds)
    ]


def with_value(value: Any, steps: tuple[Step, ...], wrong: Any) -> Any:
    """A copy that has `wrong` at the place."""
    changed = deepcopy(value)
    inner = changed
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = wrong
    return changed


def without(value: Any, steps: tuple[Step, ...]) -> Any:
    """A copy that has nothing at the place."""
    changed = deepcopy(value)
    inner = changed
    for step in steps[:-1]:
        inner = inner[step]
    del inner[steps[-1]]
    return changed


class _Walk:
    def __init__(self, definitions_by_name: dict[str, Any]) -> None:
        self._definitions = definitions_by_name

    def inside(
        self, schema: Any, value: Any, steps: tuple[Step, ...], field: str = ""
    ) -> Iterator[Place]:
        leaves = self._leaves(schema)
        if isinstance(value, list):
            items = [leaf["items"] for leaf in leaves if "items" in leaf]
            for index, each in enumerate(value):
                yield from self._at(items, each, Place((*steps, index), ANYTHING, False, field))
        if isinstance(value, dict):
            objects = [leaf for leaf in leaves if _is_meant(leaf, value)]
            is_only_kind = sum(leaf.get("type") == "object" for leaf in leaves) == 1
            for name, each in value.items():
                rest = {other: kept for other, kept in value.items() if other != name}
                is_required = not any(_is_meant(leaf, rest) for leaf in leaves)
                if is_only_kind and _words(_field(objects[0], name)):
                    is_required = False  # the only alternative needs no name
                is_map = not any("properties" in leaf for leaf in objects)
                place = Place((*steps, name), ANYTHING, is_required, field if is_map else name)
                yield from self._at([_field(leaf, name) for leaf in objects], each, place)

    def _at(self, schemas: list[Any], value: Any, place: Place) -> Iterator[Place]:
        kinds = frozenset(kind for schema in schemas for kind in self._kinds(schema))
        if any(self._leaves(schema) for schema in schemas) and kinds != ANYTHING:
            yield place._replace(kinds=kinds)
            for schema in schemas:
                yield from self.inside(schema, value, place.steps, place.field)

    def _kinds(self, schema: Any) -> Iterator[str]:
        for leaf in self._leaves(schema):
            if _words(leaf):
                continue  # no text will do but these
            kind = leaf.get("type")
            yield from ANYTHING if kind is None else [kind] if isinstance(kind, str) else kind

    def _leaves(self, schema: Any) -> list[dict[str, Any]]:
        """The alternatives a schema comes down to."""
        if isinstance(schema, bool):
            return [{}] if schema else []
        if "$ref" in schema:
            return self._leaves(self._definitions[schema["$ref"].rsplit("/", 1)[1]])
        if "allOf" in schema:
            return self._leaves(schema["allOf"][0])
        if alternatives := schema.get("oneOf") or schema.get("anyOf"):
            found = [leaf for each in alternatives for leaf in self._leaves(each)]
            shared = schema.get("properties", {})
            return [
                {**leaf, "properties": {**leaf.get("properties", {}), **shared}}
                if leaf.get("type") == "object"
                else leaf
                for leaf in found
            ]
        return [schema]


def _is_meant(leaf: dict[str, Any], value: dict[str, Any]) -> bool:
    """Whether this is an alternative the object was made for."""
    if leaf.get("type") != "object" or not set(leaf.get("required", ())) <= set(value):
        return False
    fields = leaf.get("properties", {})
    if "properties" in leaf and not set(value) <= set(fields):
        return False
    return all(
        value[name] in words
        for name, field in fields.items()
        if name in value and (words := _words(field))
    )


def _words(schema: Any) -> list[str]:
    """What a field may say, where only some words will do."""
    words: list[str] = schema.get("enum", []) if isinstance(schema, dict) else []
    return words


def _field(leaf: dict[str, Any], name: str) -> Any:
    if "properties" in leaf:
        return leaf["properties"][name]
    return leaf.get("additionalProperties", True)
