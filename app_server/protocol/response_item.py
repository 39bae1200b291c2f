"""The model's own history entries, as in requests to it and in stored threads.

Keys are snake_case and unknown optional values are left out. Kinds we do not know are kept."""

from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.shared import ImageDetail, MessagePhase, Unsigned
from app_server.protocol.wire import JsonObject, SnakeWire, always_null


class ExecLocalShellAction(SnakeWire, tag="exec", omit_defaults=True):
    command: list[str]
    timeout_ms: Unsigned | None = None
    working_directory: str | None = None
    env: dict[str, str] | None = None
    user: str | None = None


LocalShellAction: TypeAlias = ExecLocalShellAction

LocalShellStatus: TypeAlias = Literal["completed", "in_progress", "incomplete"]


class ReasoningTextReasoningItemContent(SnakeWire, tag="reasoning_text"):
    text: str


class TextReasoningItemContent(SnakeWire, tag="text"):
    text: str


ReasoningItemContent: TypeAlias = ReasoningTextReasoningItemContent | TextReasoningItemContent


class SummaryTextReasoningItemReasoningSummary(SnakeWire, tag="summary_text"):
    text: str


ReasoningItemReasoningSummary: TypeAlias = SummaryTextReasoningItemReasoningSummary


class InputTextContentItem(SnakeWire, tag="input_text"):
    text: str


class InputImageContentItem(SnakeWire, tag="input_image", omit_defaults=True):
    image_url: str
    detail: ImageDetail | None = None


class OutputTextContentItem(SnakeWire, tag="output_text"):
    text: str


ContentItem: TypeAlias = InputTextContentItem | InputImageContentItem | OutputTextContentItem
"""One part of a message."""


class InputTextFunctionCallOutputContentItem(SnakeWire, tag="input_text"):
    text: str


class InputImageFunctionCallOutputContentItem(SnakeWire, tag="input_image", omit_defaults=True):
    image_url: str
    detail: ImageDetail | None = None


FunctionCallOutputContentItem: TypeAlias = (
    InputTextFunctionCallOutputContentItem | InputImageFunctionCallOutputContentItem
)

FunctionCallOutputBody: TypeAlias = str | list[FunctionCallOutputContentItem]
"""Plain text, or parts where there are images."""


class SearchResponsesApiWebSearchAction(SnakeWire, tag="search", omit_defaults=True):
    queries: list[str] | None = None
    query: str | None = None


class OpenPageResponsesApiWebSearchAction(SnakeWire, tag="open_page", omit_defaults=True):
    url: str | None = None


class FindInPageResponsesApiWebSearchAction(SnakeWire, tag="find_in_page", omit_defaults=True):
    pattern: str | None = None
    url: str | None = None


class OtherResponsesApiWebSearchAction(SnakeWire, tag="other", omit_defaults=True): ...


ResponsesApiWebSearchAction: TypeAlias = (
    SearchResponsesApiWebSearchAction
    | OpenPageResponsesApiWebSearchAction
    | FindInPageResponsesApiWebSearchAction
    | OtherResponsesApiWebSearchAction
)


class MessageResponseItem(SnakeWire, tag="message", omit_defaults=True):
    role: str
    content: list[ContentItem]
    phase: MessagePhase | None = None
    id: str | None = None


class ReasoningResponseItem(SnakeWire, tag="reasoning", omit_defaults=True):
    summary: list[ReasoningItemReasoningSummary]
    content: list[ReasoningItemContent] | None = None
    encrypted_content: str | None = always_null()
    id: str | None = None


class LocalShellCallResponseItem(SnakeWire, tag="local_shell_call", omit_defaults=True):
    status: LocalShellStatus
    action: LocalShellAction
    call_id: str | None = None
    id: str | None = None


class FunctionCallResponseItem(SnakeWire, tag="function_call", omit_defaults=True):
    """A call of a tool with JSON arguments, which stay the text the model wrote."""

    name: str
    arguments: str
    call_id: str
    namespace: str | None = None
    id: str | None = None


class FunctionCallOutputResponseItem(SnakeWire, tag="function_call_output", omit_defaults=True):
    call_id: str
    output: FunctionCallOutputBody


class CustomToolCallResponseItem(SnakeWire, tag="custom_tool_call", omit_defaults=True):
    """A call of a tool with free text."""

    call_id: str
    name: str
    input: str
    status: str | None = None
    id: str | None = None


class CustomToolCallOutputResponseItem(
    SnakeWire, tag="custom_tool_call_output", omit_defaults=True
):
    call_id: str
    output: FunctionCallOutputBody
    name: str | None = None


class ToolSearchCallResponseItem(SnakeWire, tag="tool_search_call", omit_defaults=True):
    execution: str
    arguments: Any
    call_id: str | None = None
    status: str | None = None
    id: str | None = None


class ToolSearchOutputResponseItem(SnakeWire, tag="tool_search_output", omit_defaults=True):
    status: str
    execution: str
    tools: list[Any]
    call_id: str | None = None


class WebSearchCallResponseItem(SnakeWire, tag="web_search_call", omit_defaults=True):
    status: str | None = None
    action: ResponsesApiWebSearchAction | None = None
    id: str | None = None


class ImageGenerationCallResponseItem(SnakeWire, tag="image_generation_call", omit_defaults=True):
    id: str
    status: str
    result: str
    revised_prompt: str | None = None


class CompactionResponseItem(SnakeWire, tag="compaction", omit_defaults=True):
    """Earlier history as the service packed it; only the service can read it."""

    encrypted_content: str


class OtherResponseItem(dict[str, Any]):
    """An item of a kind, or with content, that we do not know; kept as it came."""


KnownResponseItem: TypeAlias = (
    MessageResponseItem
    | ReasoningResponseItem
    | LocalShellCallResponseItem
    | FunctionCallResponseItem
    | FunctionCallOutputResponseItem
    | CustomToolCallResponseItem
    | CustomToolCallOutputResponseItem
    | ToolSearchCallResponseItem
    | ToolSearchOutputResponseItem
    | WebSearchCallResponseItem
    | ImageGenerationCallResponseItem
    | CompactionResponseItem
)

ResponseItem: TypeAlias = KnownResponseItem | OtherResponseItem
"""One entry of the model's history. Encode it with msgspec, decode with `decode_response_item`."""


def decode_response_item(item: JsonObject) -> ResponseItem:
    """Read an item from its JSON object; what does not fit a known kind comes back as it is."""
    try:
        known: KnownResponseItem = msgspec.convert(item, KnownResponseItem)
    except msgspec.ValidationError:
        return OtherResponseItem(item)
    return known
