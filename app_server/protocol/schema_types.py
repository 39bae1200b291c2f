"""Reads the topics' sources into JSON Schema definitions, one per named type.

The annotations as written decide: a name becomes a reference, so aliases keep their names, which
run-time types have lost. Tagged classes are written out inside their union, as the original does.
"""

import ast
import inspect
from importlib import import_module
from typing import Any, TypeAlias, get_args

import msgspec

from app_server.protocol.method import WireType
from app_server.protocol.wire import SingleKey, Wire

Schema: TypeAlias = dict[str, Any]

_PACKAGE = "app_server.protocol."
_INT64 = {"type": "integer", "format": "int64"}
_PLAIN: dict[str, Schema] = {
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "int": _INT64,
    "Signed": _INT64,
    "Unsigned": {"type": "integer", "format": "uint64", "minimum": 0},
    "Unsigned16": {"type": "integer", "format": "uint16", "minimum": 0},
    "Unsigned32": {"type": "integer", "format": "uint32", "minimum": 0},
    "PathParam": {"type": "string"},
    "float": {"type": "number", "format": "double"},
    "JsonObject": {"type": "object", "additionalProperties": True},
    "OtherResponseItem": {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"type": "string"}},
        "title": "OtherResponseItem",
    },
}
_DRAWN: dict[str, Schema] = {
    "AppsConfig": {
        "type": "object",
        "properties": {
            "_default": {"anyOf": [{"$ref": "#/definitions/AppsDefaultConfig"}, {"type": "null"}]}
        },
        "additionalProperties": {"$ref": "#/definitions/AppConfig"},
    },
}
"""Shapes that the annotations cannot tell."""

_STANDS_FOR = {
    "AbsolutePathParam": "AbsolutePathBuf",
    "ResponseItemObject": "ResponseItem",
    "ConfigObject": "Config",
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _object(required: list[str], properties: Schema) -> Schema:
    return {"type": "object", "required": required, "properties": properties}


JSON_RPC: dict[str, Schema] = {
    "JSONRPCError": _object(
        ["error", "id"], {"error": _ref("JSONRPCErrorError"), "id": _ref("RequestId")}
    ),
    "JSONRPCErrorError": _object(
        ["code", "message"], {"code": _INT64, "data": True, "message": {"type": "string"}}
    ),
    "JSONRPCNotification": _object(["method"], {"method": {"type": "string"}, "params": True}),
    "JSONRPCRequest": _object(
        ["id", "method"],
        {
            "id": _ref("RequestId"),
            "method": {"type": "string"},
            "params": True,
            "trace": {"anyOf": [_ref("W3cTraceContext"), {"type": "null"}]},
        },
    ),
    "JSONRPCResponse": _object(["id", "result"], {"id": _ref("RequestId"), "result": True}),
    "JSONRPCMessage": {
        "anyOf": [
            _ref("JSONRPCRequest"),
            _ref("JSONRPCNotification"),
            _ref("JSONRPCResponse"),
            _ref("JSONRPCError"),
        ]
    },
}


class TypeReader:
    """Knows every named type of the topics, and of the modules they import types from.

    A field is required that has no default. With `written_in_part`, a field is required that is
    always written, save in the types named there.
    """

    def __init__(self, topics: list[str], *, written_in_part: frozenset[str] | None = None) -> None:
        self._written_in_part = written_in_part
        self._nodes: dict[str, ast.ClassDef | ast.expr] = {}
        self._topics: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        waiting = list(topics)
        seen = {"wire", "method"}
        while waiting:
            if (topic := waiting.pop()) not in seen:
                seen.add(topic)
                waiting.extend(self._read(topic))

    def topic_of(self, name: str) -> str:
        return self._topics[name]

    def name_of(self, kind: WireType) -> str:
        """The name a params or result type was declared under."""
        if isinstance(kind, type):
            return kind.__name__
        return next(name for name, value in self._values.items() if value is kind)

    def variants(self, name: str) -> set[str]:
        """The types that another name stands for."""
        meaning = self._values.get(name)
        parts = get_args(meaning) or (meaning,)
        return {part.__name__ for part in parts if isinstance(part, type)}

    def definition(self, name: str) -> Schema:
        if name in _DRAWN:
            return _DRAWN[name]
        node = self._nodes[name]
        if isinstance(node, ast.ClassDef):
            return self._class(name)
        return self._type(node)

    def _read(self, topic: str) -> list[str]:
        module = import_module(f"{_PACKAGE}{topic}")
        imported: list[str] = []
        for node in ast.parse(inspect.getsource(module)).body:
            match node:
                case ast.ImportFrom(module=str(source)) if source.startswith(
                    "app_server.protocol."
                ):
                    imported.append(source.rsplit(".", 1)[1])
                case ast.ClassDef(name=name):
                    self._nodes[name] = node
                    self._topics[name] = topic
                case ast.AnnAssign(
                    target=ast.Name(id=name),
                    annotation=ast.Name(id="TypeAlias"),
                    value=ast.expr() as meaning,
                ):
                    self._nodes[name] = meaning
                    self._topics[name] = topic
                    self._values[name] = getattr(module, name)
        return imported

    def _type(self, node: ast.expr) -> Schema:
        match node:
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.Name(id="Any"):
                return {}
            case ast.Name(id=name) if name in _PLAIN:
                return dict(_PLAIN[name])
            case ast.Name(id=name):
                return self._named(name)
            case ast.BinOp():
                return self._union(_alternatives(node))
            case ast.Subscript(value=ast.Name(id="Maybe"), slice=inner):
                return self._union([*_alternatives(inner), ast.Constant(value=None)])
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
                return {"type": "string", "enum": list(_literals(inner))}
            case ast.Subscript(value=ast.Name(id="list"), slice=inner):
                return {"type": "array", "items": self._type(inner) or True}
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, inner])):
                return {"type": "object", "additionalProperties": self._type(inner) or True}
        raise TypeError(f"no schema for the annotation {ast.unparse(node)!r}")

    def _named(self, name: str) -> Schema:
        name = _STANDS_FOR.get(name, name)
        node = self._nodes[name]
        if isinstance(node, ast.ClassDef) and self._struct(name).__struct_config__.tag is not None:
            return {**self._class(name), "title": name}
        return _ref(name)

    def _union(self, parts: list[ast.expr]) -> Schema:
        schemas: list[Schema] = []
        for part in parts:
            found = self._type(part)
            if isinstance(part, ast.Name) and self._is_single_key(part.id):
                schemas.extend(self.definition(part.id)["oneOf"])
            elif found not in schemas:
                schemas.append(found)
        if {"type": "null"} not in schemas:
            return {"oneOf": schemas}
        rest = [schema for schema in schemas if schema != {"type": "null"}]
        if len(rest) == 1 and isinstance(kind := rest[0].get("type"), str):
            return {**rest[0], "type": [kind, "null"]}
        return {"anyOf": [*rest, {"type": "null"}]}

    def _is_always_written(self, struct: type[msgspec.Struct], field: Any) -> bool:
        if self._written_in_part is None or struct.__name__ in self._written_in_part:
            return False
        if struct.__struct_config__.omit_defaults:
            return field.default_factory not in (msgspec.NODEFAULT, list, dict)
        return field.default is not msgspec.UNSET

    def _class(self, name: str) -> Schema:
        struct = self._struct(name)
        annotations = self._annotations(struct)
        if issubclass(struct, SingleKey):
            return self._single_key(struct, annotations)
        properties: Schema = {}
        required: list[str] = []
        for field in msgspec.structs.fields(struct):
            properties[field.encode_name] = self._type(annotations[field.name]) or True
            if field.required or self._is_always_written(struct, field):
                required.append(field.encode_name)
            elif isinstance(field.default, bool | int | str) and field.default != "":
                properties[field.encode_name] = _with_default(
                    properties[field.encode_name], field.default
                )
        if (tag := struct.__struct_config__.tag) is not None:
            tag_field = struct.__struct_config__.tag_field or "type"
            properties[tag_field] = {"type": "string", "enum": [tag], "title": f"{name}Type"}
            required.append(tag_field)
        body: Schema = {"type": "object"}
        if required:
            body["required"] = sorted(required)
        if properties:
            body["properties"] = dict(sorted(properties.items()))
        return body

    def _annotations(self, struct: type[Wire]) -> dict[str, ast.expr]:
        """How the fields were declared, those of the bases first."""
        declared = (self._nodes.get(kind.__name__) for kind in reversed(struct.__mro__))
        return {
            item.target.id: item.annotation
            for node in declared
            if isinstance(node, ast.ClassDef)
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }

    def _single_key(self, struct: type[Wire], annotations: dict[str, ast.expr]) -> Schema:
        variants = []
        for field in msgspec.structs.fields(struct):
            kind = [p for p in _alternatives(annotations[field.name]) if not _is_none(p)]
            inner = self._type(kind[0])
            variants.append(
                {
                    **_object([field.encode_name], {field.encode_name: inner}),
                    "additionalProperties": False,
                    "title": field.encode_name[:1].upper() + field.encode_name[1:],
                }
            )
        return {"oneOf": variants}

    def _is_single_key(self, name: str) -> bool:
        is_class = isinstance(self._nodes.get(name), ast.ClassDef) and name not in _PLAIN
        return is_class and issubclass(self._struct(name), SingleKey)

    def _struct(self, name: str) -> type[Wire]:
        module = import_module(f"{_PACKAGE}{self._topics[name]}")
        struct = getattr(module, name)
        assert isinstance(struct, type)
        assert issubclass(struct, Wire)
        return struct


def _with_default(schema: Any, default: bool | int | str) -> Schema:
    if "$ref" in schema:
        return {"default": default, "allOf": [schema]}
    return {"default": default, **schema}


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


def _literals(node: ast.expr) -> list[Any]:
    elements = node.elts if isinstance(node, ast.Tuple) else [node]
    return [ast.literal_eval(element) for element in elements]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
