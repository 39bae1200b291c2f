"""config.toml as a JSON Schema, for editors: types, names, meanings, and no key nobody knows.

Made from the kinds that check a file, so that the two cannot disagree. Tables that appear twice,
such as the keys of a profile, are written once, under `definitions`.
"""

from __future__ import annotations

import json
from typing import Any

from app_server.config.kinds import (
    Either,
    Kind,
    ListOf,
    MapOf,
    NameOrTable,
    Number,
    OneOf,
    Scalar,
    Section,
    Whole,
)
from app_server.config.meanings import MEANINGS
from app_server.config.schema import TOP

Schema = dict[str, Any]


def config_schema() -> Schema:
    """The schema of a whole file."""
    maker = _Maker()
    table = maker.table(TOP, ("",))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Codex config.toml",
        **table,
        "definitions": dict(sorted(maker.definitions.items())),
    }


def schema_text() -> str:
    """The schema as it is stored and printed."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


class _Maker:
    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._names: dict[int, str] = {}

    def schema(self, kind: Kind, path: tuple[str, ...]) -> Schema:
        match kind:
            case Scalar(python_type=type_):
                return {"type": "boolean" if type_ is bool else "string"}
            case Whole(lowest=lowest, highest=highest):
                return _bounded(lowest, highest)
            case Number():
                return {"type": "number", "minimum": 0}
            case OneOf(names=names):
                return {"type": "string", "enum": list(names)}
            case ListOf(item=item):
                return {"type": "array", "items": self.schema(item, path)}
            case MapOf(item=item):
                return {
                    "type": "object",
                    "additionalProperties": self.schema(item, (*path, "*")),
                }
            case Either(kinds=kinds):
                return {"anyOf": [self.schema(inner, path) for inner in kinds]}
            case NameOrTable():
                return self._name_or_table(kind, path)
            case Section():
                return self._reference(kind, path)
        return {}

    def table(self, section: Section, path: tuple[str, ...]) -> Schema:
        properties = {
            key: self._told(self.schema(inner, (*path, key)), (*path, key))
            for key, inner in section.fields.items()
        }
        rest: Any = False
        if section.rest is not None:
            rest = self.schema(section.rest, (*path, "*"))
            properties |= dict.fromkeys(section.known_rest, rest)
        if section.known_rest:
            rest = False
        made: Schema = {
            "type": "object",
            "properties": dict(sorted(properties.items())),
            "additionalProperties": rest,
        }
        if section.required:
            made["required"] = list(section.required)
        return made

    def _reference(self, section: Section, path: tuple[str, ...]) -> Schema:
        """Where the section is defined; made at its first use."""
        name = self._names.get(id(section))
        if name is None:
            name = section.name
            self._names[id(section)] = name
            self.definitions[name] = {}
            self.definitions[name] = self.table(section, path)
        return {"$ref": f"#/definitions/{name}"}

    def _name_or_table(self, kind: NameOrTable, path: tuple[str, ...]) -> Schema:
        names = [name for name in kind.names.names if name not in kind.tables]
        choices: list[Schema] = [{"type": "string", "enum": names}]
        for key, inner in kind.tables.items():
            choices.append(
                {
                    "type": "object",
                    "properties": {key: self.schema(inner, (*path, key))},
                    "required": [key],
                    "additionalProperties": False,
                }
            )
        return {"anyOf": choices}

    def _told(self, schema: Schema, path: tuple[str, ...]) -> Schema:
        """The schema with what the key means; beside a reference nothing else may stand."""
        told = MEANINGS.get(".".join(path[1:]))
        if told is None:
            return schema
        default, meaning = told
        words = f"{meaning} Default: {default}." if default else meaning
        return (
            {"allOf": [schema], "description": words}
            if "$ref" in schema
            else {
                **schema,
                "description": words,
            }
        )


def _bounded(lowest: int, highest: int) -> Schema:
    made: Schema = {"type": "integer"}
    if lowest > -(2**63):
        made["minimum"] = lowest
    if highest < 2**63 - 1:
        made["maximum"] = highest
    return made
