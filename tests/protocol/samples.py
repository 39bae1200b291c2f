"""Builds values from a JSON Schema: a full one and a bare one for every alternative."""

from typing import Any

from tests.protocol.recorded_schema import definitions, recorded


def samples(schema: Any, bundle: dict[str, Any] | None = None) -> list[Any]:
    """Values that fit: every alternative once with all fields, once with the required ones.

    Names are looked up in `bundle`, the recorded one if none is given.
    """
    bundle = recorded() if bundle is None else bundle
    if schema is True or schema == {}:
        return [{"any": ["thing", 1, None]}]
    if "$ref" in schema:
        return samples(definitions(bundle)[schema["$ref"].rsplit("/", 1)[1]], bundle)
    if "allOf" in schema:
        return samples(schema["allOf"][0], bundle)
    outer = schema.get("properties")
    if alternatives := schema.get("oneOf") or schema.get("anyOf"):
        found = [value for each in alternatives for value in samples(each, bundle)]
        if outer:
            return [{**value, **shared} for value in found for shared in _objects(schema, bundle)]
        return found
    if "enum" in schema:
        return list(schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return [value for each in kind for value in samples({**schema, "type": each}, bundle)]
    return _plain(kind, schema, bundle)


def _plain(kind: str | None, schema: dict[str, Any], bundle: dict[str, Any]) -> list[Any]:
    match kind:
        case "null":
            return [None]
        case "boolean":
            return [True, False]
        case "integer":
            return [7]
        case "number":
            return [1.5]
        case "string":
            return ["/some/text"]
        case "array":
            return [[value] for value in samples(schema.get("items", True), bundle)] + [[]]
        case "object" if "properties" in schema:
            return _objects(schema, bundle)
        case "object" if "additionalProperties" in schema:
            return [{"key": value} for value in samples(schema["additionalProperties"], bundle)]
        case "object":
            return [{}]
        case _:
            return ["anything"]


def _objects(schema: dict[str, Any], bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Enough objects for every sample of every field to occur once, and one bare object."""
    fields = {name: samples(field, bundle) for name, field in schema["properties"].items()}
    longest = max((len(values) for values in fields.values()), default=1)
    full = [
        {name: values[turn % len(values)] for name, values in fields.items()}
        for turn in range(longest)
    ]
    bare = {name: fields[name][0] for name in schema.get("required", ())}
    return [*full, bare]
