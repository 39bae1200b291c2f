"""Questions an MCP server asks through us."""

from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.method import ServerMethod
from app_server.protocol.shared import Unsigned, Unsigned32
from app_server.protocol.wire import Wire

McpElicitationObjectType: TypeAlias = Literal["object"]

McpElicitationStringFormat: TypeAlias = Literal["email", "uri", "date", "date-time"]


class McpElicitationConstOption(Wire):
    const: str
    title: str


McpServerElicitationAction: TypeAlias = Literal["accept", "decline", "cancel"]


class McpServerElicitationRequestResponse(Wire):
    """The form's values in `content`, when accepted."""

    action: McpServerElicitationAction
    meta: Any = msgspec.field(name="_meta", default=None)
    content: Any = None


class McpElicitationStringSchema(Wire, tag="string", omit_defaults=True):
    """A text field, or a choice of one.

    The choices are in `one_of` (value and title), or in `enum`, with titles in `enum_names`.
    """

    title: str | None = None
    description: str | None = None
    default: str | None = None
    format: McpElicitationStringFormat | None = None
    min_length: Unsigned32 | None = None
    max_length: Unsigned32 | None = None
    enum: list[str] | None = None
    enum_names: list[str] | None = None
    one_of: list[McpElicitationConstOption] | None = None


class McpElicitationNumberSchema(Wire, tag="number", omit_defaults=True):
    title: str | None = None
    description: str | None = None
    default: float | None = None
    minimum: float | None = None
    maximum: float | None = None


class McpElicitationIntegerSchema(Wire, tag="integer", omit_defaults=True):
    title: str | None = None
    description: str | None = None
    default: int | None = None
    minimum: int | None = None
    maximum: int | None = None


class McpElicitationBooleanSchema(Wire, tag="boolean", omit_defaults=True):
    title: str | None = None
    description: str | None = None
    default: bool | None = None


class McpElicitationEnumItems(Wire, omit_defaults=True):
    """What may be chosen: plain values in `enum`, or values with titles in `any_of`."""

    type: Literal["string"] | None = None
    enum: list[str] | None = None
    any_of: list[McpElicitationConstOption] | None = None


class McpElicitationMultiSelectEnumSchema(Wire, tag="array", omit_defaults=True):
    """A choice of several."""

    items: McpElicitationEnumItems
    title: str | None = None
    description: str | None = None
    default: list[str] | None = None
    min_items: Unsigned | None = None
    max_items: Unsigned | None = None


McpElicitationPrimitiveSchema: TypeAlias = (
    McpElicitationStringSchema
    | McpElicitationNumberSchema
    | McpElicitationIntegerSchema
    | McpElicitationBooleanSchema
    | McpElicitationMultiSelectEnumSchema
)


class McpElicitationSchema(Wire, omit_defaults=True):
    """The form an MCP server wants filled in: a flat object of simple fields."""

    type: McpElicitationObjectType
    properties: dict[str, McpElicitationPrimitiveSchema]
    required: list[str] | None = None
    schema_uri: str | None = msgspec.field(name="$schema", default=None)


class FormMcpServerElicitationRequestParams(Wire, tag_field="mode", tag="form"):
    """An MCP server asks the user to fill in a form."""

    server_name: str
    thread_id: str
    message: str
    requested_schema: McpElicitationSchema
    turn_id: str | None = None
    meta: Any = msgspec.field(name="_meta", default=None)


class UrlMcpServerElicitationRequestParams(Wire, tag_field="mode", tag="url"):
    """An MCP server asks the user to visit a page."""

    server_name: str
    thread_id: str
    elicitation_id: str
    message: str
    url: str
    turn_id: str | None = None
    meta: Any = msgspec.field(name="_meta", default=None)


McpServerElicitationRequestParams: TypeAlias = (
    FormMcpServerElicitationRequestParams | UrlMcpServerElicitationRequestParams
)


MCP_SERVER_ELICITATION_REQUEST: ServerMethod[
    McpServerElicitationRequestParams, McpServerElicitationRequestResponse
] = ServerMethod(
    "mcpServer/elicitation/request",
    McpServerElicitationRequestParams,
    McpServerElicitationRequestResponse,
)
