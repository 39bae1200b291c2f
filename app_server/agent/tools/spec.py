"""What a tool is: a name, what the model is told about it, and a way to run it.

Arguments are decoded into the tool's own Struct before it runs; text that does not fit is told to
the model and the turn goes on. Tools that only look may run together, the others one at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from app_server.protocol.response_item import FunctionCallOutputBody
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

A = TypeVar("A", bound=msgspec.Struct)


LOCAL_SHELL = "local_shell"
"""The name under which the service's own kind of shell call is run."""


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call the model made. `payload` is JSON text for functions, free text for custom tools."""

    call_id: str
    name: str
    payload: str


class ToolError(Exception):
    """The call could not be done; the message is what the model is told."""

    def __init__(self, told: FunctionCallOutputBody) -> None:
        self.told = told
        super().__init__(told if isinstance(told, str) else "the tool failed")


class Tool(Protocol):
    """One tool, without state: what it needs comes with the turn."""

    @property
    def name(self) -> str: ...

    @property
    def runs_in_parallel(self) -> bool:
        """Whether several calls may run at the same time."""
        ...

    def definition(self) -> JsonObject:
        """The entry in a request's `tools`."""
        ...

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        """Do it and return what the model is told. Raises `ToolError`."""
        ...


def function(
    name: str, description: str, properties: JsonObject, required: list[str]
) -> JsonObject:
    """A tool with JSON arguments, as a request describes it."""
    return {
        "type": "function",
        "name": name,
        "description": description,
        "strict": False,
        "parameters": object_of(properties, required),
    }


def object_of(properties: JsonObject, required: list[str]) -> JsonObject:
    """The JSON Schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def string(description: str | None = None) -> JsonObject:
    return _typed("string", description)


def number(description: str) -> JsonObject:
    return _typed("number", description)


def boolean(description: str) -> JsonObject:
    return _typed("boolean", description)


def array_of(items: JsonObject, description: str) -> JsonObject:
    return {"type": "array", "description": description, "items": items}


def decode_arguments(call: ToolCall, into: type[A]) -> A:
    """The call's arguments; raises `ToolError` naming what does not fit."""
    payload = call.payload or "{}"
    try:
        return msgspec.json.decode(payload, type=into, strict=False)
    except msgspec.ValidationError as error:
        from app_server.protocol.decode_errors import explain  # only when something is wrong

        problem = explain(error, into, payload.encode())
        raise ToolError(f"failed to parse function arguments: {problem}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error


def _typed(kind: str, description: str | None) -> JsonObject:
    schema: dict[str, Any] = {"type": kind}
    if description is not None:
        schema["description"] = description
    return schema
