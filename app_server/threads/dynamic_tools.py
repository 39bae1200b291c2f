"""What a client's own tools must be like, so that a model can be offered them.

Told when the thread is started, where the client can mend it; knows nothing of how they are run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from app_server.protocol.thread import DynamicToolSpec
from app_server.threads.errors import Refused

RESERVED = "mcp"
"""Belongs to the tools of MCP servers, as do names that begin with it and two underscores."""


def check_tools(tools: Iterable[DynamicToolSpec]) -> None:
    """Raises `Refused` for the first tool that cannot be offered."""
    seen: set[tuple[str | None, str]] = set()
    for tool in tools:
        name, namespace = tool.name, tool.namespace
        _check_word(name, "name", "")
        if namespace is not None:
            _check_word(namespace, "namespace", f" for {name}")
        elif tool.defer_loading:
            raise Refused(f"deferred dynamic tool must include a namespace: {name}")
        if (namespace, name) in seen:
            place = "" if namespace is None else f" in namespace {namespace}"
            raise Refused(f"duplicate dynamic tool name{place}: {name}")
        seen.add((namespace, name))
        complaint = _wrong_with(tool.input_schema)
        if complaint is not None:
            raise Refused(f"dynamic tool input schema is not supported for {name}: {complaint}")


def _check_word(word: str, what: str, whose: str) -> None:
    if not word.strip():
        raise Refused(f"dynamic tool {what} must not be empty{whose}")
    if word != word.strip():
        raise Refused(f"dynamic tool {what} has leading/trailing whitespace{whose}: {word}")
    if word == RESERVED or word.startswith(f"{RESERVED}__"):
        raise Refused(f"dynamic tool {what} is reserved{whose}: {word}")


class _Schema(msgspec.Struct):
    """The part of JSON Schema that models are told; other keywords are passed on."""

    type: Any = None
    description: str | None = None
    enum: list[Any] | None = None
    items: _Schema | bool | None = None
    properties: dict[str, _Schema | bool] | None = None
    required: list[str] | None = None
    additionalProperties: _Schema | bool | None = None  # the keyword itself
    anyOf: list[_Schema | bool] | None = None  # the keyword itself


def _wrong_with(schema: Any) -> str | None:
    try:
        read = msgspec.convert(schema, _Schema | bool)
    except msgspec.ValidationError as error:
        from app_server.protocol.decode_errors import explain  # only when something is wrong

        return explain(error, _Schema | bool, schema)
    except RecursionError:
        return "it is nested too deeply"
    if isinstance(read, _Schema) and read.type == "null":
        return "tool input schema must not be a singleton null type"
    return None
