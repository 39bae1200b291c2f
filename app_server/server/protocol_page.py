"""docs/protocol.md, made from the rows: every method, what it takes, answers and refuses.

`python -m app_server.server.protocol_page` (`make docs`) writes it anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app_server.protocol import catalog
from app_server.protocol.method import (
    ClientMethod,
    ClientNotification,
    ServerMethod,
    ServerNotification,
    WireType,
)
from app_server.protocol.schema_types import Schema, TypeReader
from app_server.protocol.typescript import type_of
from app_server.server.method_errors import ERRORS, SHARED
from app_server.server.registry import HANDLER_MODULES, NOT_OURS, handler_of

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"

_INTRODUCTION = """\
# The protocol, method by method

Made by `make docs` from the rows in `app_server/protocol/`; the exact shapes come from
`codex app-server generate-json-schema --out DIR` and `generate-ts --out DIR`.

JSON-RPC 2.0 without the `jsonrpc` member: a request is `{id, method, params}`, an answer
`{id, result}` or `{id, error: {code, message, data?}}`, a notification `{method, params}`. Over
stdio one object a line, over websockets one a text frame. `initialize` comes first. A field with
`?` may be left out. Calls that are said to run *in turn* do so in the order they came, neighbouring
*(shared)* ones together; all others run at once. *exp.* needs `capabilities.experimentalApi` in
`initialize`.
"""


def page_text() -> str:
    """The whole page as it is today."""
    reader = TypeReader([*catalog.topics(), "config_values", "response_item"])
    return "\n".join(_parts(reader))


def _parts(reader: TypeReader) -> Iterator[str]:
    yield _INTRODUCTION
    yield "## What every method may answer\n"
    yield "| code | message | when |\n| --- | --- | --- |"
    yield from (f"| {code} | {_cell(text)} | {when} |" for code, text, when in SHARED)
    yield "\n## Requests a client makes\n"
    for row in catalog.all_client_methods():
        yield from _method(row, reader)
    yield "## Questions the server asks\n"
    for question in catalog.all_server_methods():
        yield from _question(question, reader)
    yield "## Notifications of the server\n"
    yield "| method | params |\n| --- | --- |"
    for told in catalog.all_server_notifications():
        yield _notification(told, reader)
    yield "\n## Notifications of a client\n"
    yield "| method | params |\n| --- | --- |"
    for said in catalog.all_client_notifications():
        yield _notification(said, reader)
    yield ""


def _method(row: ClientMethod[Any, Any], reader: TypeReader) -> Iterator[str]:
    yield f"### `{row.name}`\n"
    told = _told(row)
    if told:
        yield f"{told}\n"
    yield f"- status: {_status(row)}"
    yield f"- params: {_fields(row.params, reader)}"
    yield f"- result: {_fields(row.result, reader)}"
    errors = ERRORS.get(row.name)
    if errors:
        yield "- errors: " + "; ".join(
            f"`{text}`".replace("``", "`") for text in map(_plain, errors)
        )
    yield ""


def _question(row: ServerMethod[Any, Any], reader: TypeReader) -> Iterator[str]:
    yield f"### `{row.name}`\n"
    yield f"- params: {_fields(row.params, reader)}"
    yield f"- answer: {_fields(row.result, reader)}\n"


def _notification(
    row: ServerNotification[Any] | ClientNotification[Any], reader: TypeReader
) -> str:
    mark = " *exp.*" if row.experimental else ""
    return f"| `{row.name}`{mark} | {_cell(_fields(row.params, reader))} |"


def _status(row: ClientMethod[Any, Any]) -> str:
    if row.name in HANDLER_MODULES:
        status = "answered"
    else:
        status = "not offered" if row.name in NOT_OURS else "not implemented yet"
    return (
        status + (", *exp.*" if row.experimental else "") + (", *(shared)*" if row.shared else "")
    )


def _told(row: ClientMethod[Any, Any]) -> str:
    """The first words of the params' own description, else of the handler's."""
    description = _own_docstring(row.params) if isinstance(row.params, type) else ""
    if not description and row.name in HANDLER_MODULES:
        description = inspect.getdoc(handler_of(row.name)) or ""
    return " ".join(description.split("\n\n", 1)[0].split())


def _own_docstring(kind: type) -> str:
    return inspect.cleandoc(kind.__dict__.get("__doc__") or "")


def _fields(kind: WireType | None, reader: TypeReader) -> str:
    if kind is None:
        return "none"
    schema: Schema = reader.definition(reader.name_of(kind))
    text = type_of(schema)
    return "`{}`" if text == "Record<string, never>" else f"`{text}`"


def _plain(text: str) -> str:
    return text.replace("`", "'")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
