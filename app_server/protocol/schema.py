"""Writes the protocol as JSON Schema, laid out as `codex app-server generate-json-schema` does.

Reads the topics' own sources, so that every named type becomes a definition of that name. Used
by the export command and by tests only; imports every topic.

    DIR/codex_app_server_protocol.schemas.json      everything; newer types under `v2`
    DIR/codex_app_server_protocol.v2.schemas.json   the newer types and the messages, flat
    DIR/NAME.json, DIR/v1/NAME.json, DIR/v2/NAME.json   one message part each, self-contained
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from app_server.protocol import catalog
from app_server.protocol.experimental import EXPERIMENTAL_TYPE_FIELDS
from app_server.protocol.method import ClientMethod, Row, ServerMethod, WireType
from app_server.protocol.schema_types import JSON_RPC, Schema, TypeReader

DRAFT = "http://json-schema.org/draft-07/schema#"
BUNDLE = "codex_app_server_protocol.schemas.json"
FLAT_BUNDLE = "codex_app_server_protocol.v2.schemas.json"

_V1 = ("InitializeParams", "InitializeResponse")
_ROOT_TOPICS = ("initialize", "file_search", "approvals", "elicitation", "legacy")
_ROOT_NAMES = (
    "AdditionalPermissionProfile",
    "ChatgptAuthTokensRefreshParams",
    "ChatgptAuthTokensRefreshReason",
    "ChatgptAuthTokensRefreshResponse",
    "GrantedPermissionProfile",
    "NetworkApprovalContext",
    "NetworkPolicyAmendment",
    "NetworkPolicyRuleAction",
    "PermissionGrantScope",
    "RequestId",
    "W3cTraceContext",
)
_MESSAGES = ("ClientRequest", "ClientNotification", "ServerRequest", "ServerNotification")


def write_schemas(directory: Path, *, experimental: bool = False) -> None:
    """Write all files into the directory, which is made if it is missing."""
    bundle = build_bundle(experimental=experimental)
    flat = _definitions_by_name(bundle)
    for folder in ("v1", "v2"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    _write(directory / BUNDLE, bundle)
    _write(directory / FLAT_BUNDLE, _flat_bundle(bundle, flat))
    for name, definition in flat.items():
        if "$schema" in definition:
            folder = "v1" if name in _V1 else "v2" if name in bundle["definitions"]["v2"] else "."
            _write(directory / folder / f"{name}.json", _self_contained(definition, flat))


def build_bundle(*, experimental: bool = False, as_written: bool = False) -> Schema:
    """All definitions in one schema; those of the second generation under `v2`.

    With `as_written` what this server always writes is required, too.
    """
    topics = [*catalog.topics(), "config_values", "response_item"]
    reader = TypeReader(topics)
    if as_written:
        reader = TypeReader(topics, written_in_part=_only_read(reader))
    definitions: dict[str, Schema] = {name: _headed(name, body) for name, body in JSON_RPC.items()}
    for title, rows in _rows(experimental).items():
        definitions[title] = _headed(title, {"oneOf": [_message(row, reader) for row in rows]})
        for row in rows:
            for kind in (row.params, getattr(row, "result", None)):
                if kind is not None:
                    name = reader.name_of(kind)
                    definitions[name] = _headed(name, reader.definition(name))
    _add_referred(definitions, reader)
    definitions["RequestId"] = _headed("RequestId", definitions["RequestId"])
    if not experimental:
        _drop_experimental_fields(definitions)
        definitions = _still_referred(definitions)
    root = {name: body for name, body in definitions.items() if _is_root(name, reader)}
    newer = {name: body for name, body in definitions.items() if name not in root}
    bundle = {
        "$schema": DRAFT,
        "title": "CodexAppServerProtocol",
        "type": "object",
        "definitions": {**dict(sorted(root.items())), "v2": dict(sorted(newer.items()))},
    }
    return _relocated(bundle, {name: f"#/definitions/v2/{name}" for name in newer})


def _only_read(reader: TypeReader) -> frozenset[str]:
    """The types that clients write and this server does not."""
    calls, questions = catalog.all_client_methods(), catalog.all_server_methods()
    read = [*(row.params for row in calls), *(row.result for row in questions)]
    written = [*(row.result for row in calls), *(row.params for row in questions)]
    written += [row.params for row in catalog.all_server_notifications()]
    names = _reached(reader, read) - _reached(reader, written)
    return frozenset(names.union(*(reader.variants(name) for name in names)))


def _reached(reader: TypeReader, kinds: Iterable[WireType | None]) -> set[str]:
    """The names of these types and of all they refer to."""
    waiting = [reader.name_of(kind) for kind in kinds if kind is not None]
    names: set[str] = set()
    while waiting:
        if (name := waiting.pop()) not in names:
            names.add(name)
            waiting += _names_in(reader.definition(name))
    return names


def _rows(experimental: bool) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {
        "ClientRequest": [*catalog.all_client_methods()],
        "ClientNotification": [*catalog.all_client_notifications()],
        "ServerRequest": [*catalog.all_server_methods()],
        "ServerNotification": [*catalog.all_server_notifications()],
    }
    return {
        title: [row for row in each if _is_told(row, experimental)] for title, each in rows.items()
    }


def _is_told(row: Row, experimental: bool) -> bool:
    return row.name not in catalog.OLDER_NAMES and (experimental or not row.experimental)


def _message(row: Row, reader: TypeReader) -> Schema:
    is_request = isinstance(row, ClientMethod | ServerMethod)
    title = _title(row.name) + ("Request" if is_request else "Notification")
    method = {"type": "string", "enum": [row.name], "title": f"{title}Method"}
    properties: Schema = {"id": _ref("RequestId")} if is_request else {}
    properties["method"] = method
    required = list(properties)
    if row.params is not None:
        properties["params"] = _ref(reader.name_of(row.params))
        required.append("params")
    elif is_request:
        properties["params"] = {"type": "null"}
    return {"type": "object", "required": required, "properties": properties, "title": title}


def _title(method: str) -> str:
    first, *rest = method.split("_")
    words = first + "".join(word.capitalize() for word in rest)
    return words[:1].upper() + words[1:]


def _is_root(name: str, reader: TypeReader) -> bool:
    if name in _MESSAGES or name in JSON_RPC or name in _ROOT_NAMES:
        return True
    is_v2_event = name == "ServerRequestResolvedNotification"
    return reader.topic_of(name) in _ROOT_TOPICS and not is_v2_event


def _add_referred(definitions: dict[str, Schema], reader: TypeReader) -> None:
    waiting = list(definitions)
    while waiting:
        for name in _names_in(definitions[waiting.pop()]):
            if name not in definitions:
                definitions[name] = reader.definition(name)
                waiting.append(name)


def _still_referred(definitions: dict[str, Schema]) -> dict[str, Schema]:
    """Without what only dropped fields referred to."""
    kept = {name for name, body in definitions.items() if "$schema" in body}
    waiting = list(kept)
    while waiting:
        found = _names_in(definitions[waiting.pop()]) - kept
        kept |= found
        waiting.extend(found)
    return {name: body for name, body in definitions.items() if name in kept}


def _drop_experimental_fields(definitions: dict[str, Schema]) -> None:
    for name, fields in EXPERIMENTAL_TYPE_FIELDS.items():
        for field in fields:
            definitions.get(name, {}).get("properties", {}).pop(field, None)


def _flat_bundle(bundle: Schema, flat: dict[str, Schema]) -> Schema:
    wanted = {*bundle["definitions"]["v2"], *_V1, "ClientRequest", "ServerNotification"}
    closed: set[str] = set()
    while wanted - closed:
        name = (wanted - closed).pop()
        closed.add(name)
        wanted |= _names_in(flat[name])
    return {
        "$schema": DRAFT,
        "title": "CodexAppServerProtocolV2",
        "type": "object",
        "definitions": {name: flat[name] for name in sorted(closed)},
    }


def _self_contained(definition: Schema, flat: dict[str, Schema]) -> Schema:
    inner: dict[str, Schema] = {}
    waiting = list(_names_in(definition))
    while waiting:
        name = waiting.pop()
        if name not in inner:
            inner[name] = {k: v for k, v in flat[name].items() if k != "$schema"}
            waiting.extend(_names_in(inner[name]))
    return {**definition, "definitions": dict(sorted(inner.items()))} if inner else definition


def _definitions_by_name(bundle: Schema) -> dict[str, Schema]:
    """Root and `v2` definitions side by side, referring to each other by bare name."""
    both: Schema = {**bundle["definitions"], **bundle["definitions"]["v2"]}
    del both["v2"]
    return _relocated(both, {name: f"#/definitions/{name}" for name in both})


def _relocated(schema: Schema, places: dict[str, str]) -> Schema:
    """The same schema with its references pointing to the given places."""
    return {key: _relocated_node(value, places) for key, value in schema.items()}


def _relocated_node(node: Any, places: dict[str, str]) -> Any:
    if isinstance(node, dict):
        if isinstance(target := node.get("$ref"), str):
            return {"$ref": places.get(target.rsplit("/", 1)[1], target)}
        return _relocated(node, places)
    if isinstance(node, list):
        return [_relocated_node(value, places) for value in node]
    return node


def _names_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        if isinstance(target := node.get("$ref"), str):
            return {target.rsplit("/", 1)[1]}
        return set[str]().union(*(_names_in(value) for value in node.values()))
    if isinstance(node, list):
        return set[str]().union(*(_names_in(value) for value in node))
    return set()


def _headed(name: str, body: Schema) -> Schema:
    return {"$schema": DRAFT, "title": name, **body}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _write(path: Path, schema: Schema) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n")
