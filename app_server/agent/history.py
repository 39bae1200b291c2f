"""What the model will see: the thread's items in order, made fit for a request.

The stored list is append-only apart from rollback and compaction. A request gets a normalised
copy: every call has an output, no output stands without its call, pictures are left out for models
that cannot see, and ids given by the service stay here. Knows nothing of turns or of the disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from app_server.protocol.response_item import (
    ContentItem,
    CustomToolCallOutputResponseItem,
    CustomToolCallResponseItem,
    FunctionCallOutputBody,
    FunctionCallOutputContentItem,
    FunctionCallOutputResponseItem,
    FunctionCallResponseItem,
    InputImageContentItem,
    InputImageFunctionCallOutputContentItem,
    InputTextContentItem,
    InputTextFunctionCallOutputContentItem,
    LocalShellCallResponseItem,
    MessageResponseItem,
    OtherResponseItem,
    OutputTextContentItem,
    ResponseItem,
    ToolSearchCallResponseItem,
    ToolSearchOutputResponseItem,
)

ABORTED = "aborted"
"""Stands in for the output of a call that never got one."""

IMAGE_OMITTED = "(an image was left out: this model takes text only)"

CONTEXTUAL_PREFIXES = (
    "<environment_context>",
    "# AGENTS.md instructions for ",
    "<user_instructions>",
    "<skill>",
    "<user_shell_command>",
    "<turn_aborted>",
    "<subagent_notification>",
    "<user_action>",
    "<hook_prompt",
)
"""Texts of user messages that a person did not write."""


class History:
    """The items of one thread, oldest first."""

    def __init__(self, items: Iterable[ResponseItem] = ()) -> None:
        self.items: list[ResponseItem] = list(items)

    def append(self, *items: ResponseItem) -> None:
        self.items.extend(items)

    def replace(self, items: Iterable[ResponseItem]) -> None:
        """Put another list in place of everything, after a compaction."""
        self.items = list(items)

    def drop_last_turns(self, count: int) -> None:
        """Forget the last `count` messages of the user, their context and what followed."""
        self.items = without_last_turns(self.items, count)

    def for_model(self, *, sees_images: bool) -> list[ResponseItem]:
        """A copy for one request."""
        items = [bare(item) for item in paired(self.items)]
        items = _patch_outputs_as_text(items)
        return items if sees_images else [_without_images(item) for item in items]


def call_of(item: ResponseItem) -> str | None:
    """The id under which this item asks for an output."""
    match item:
        case FunctionCallResponseItem() | CustomToolCallResponseItem():
            return item.call_id
        case LocalShellCallResponseItem():
            return item.call_id
        case ToolSearchCallResponseItem() if item.execution == "client":
            return item.call_id
        case _:
            return None


def answered_call(item: ResponseItem) -> str | None:
    """The id of the call this item answers."""
    match item:
        case FunctionCallOutputResponseItem() | CustomToolCallOutputResponseItem():
            return item.call_id
        case ToolSearchOutputResponseItem():
            return item.call_id
        case _:
            return None


def output_for(call: ResponseItem, body: FunctionCallOutputBody) -> ResponseItem | None:
    """The item that answers `call` with `body`."""
    match call:
        case FunctionCallResponseItem():
            return FunctionCallOutputResponseItem(call_id=call.call_id, output=body)
        case LocalShellCallResponseItem(call_id=str() as call_id):
            return FunctionCallOutputResponseItem(call_id=call_id, output=body)
        case CustomToolCallResponseItem():
            return CustomToolCallOutputResponseItem(call_id=call.call_id, output=body)
        case ToolSearchCallResponseItem(call_id=str() as call_id):
            return ToolSearchOutputResponseItem(
                call_id=call_id, status="completed", execution="client", tools=[]
            )
        case _:
            return None


def paired(items: Sequence[ResponseItem]) -> list[ResponseItem]:
    """The items with an "aborted" output after each unanswered call and without stray outputs."""
    calls = {call_id for item in items if (call_id := call_of(item)) is not None}
    answered = {call_id for item in items if (call_id := answered_call(item)) is not None}
    whole: list[ResponseItem] = []
    for item in items:
        answers = answered_call(item)
        if answers is not None and answers not in calls:
            continue
        whole.append(item)
        asks = call_of(item)
        if asks is not None and asks not in answered:
            stand_in = output_for(item, ABORTED)
            if stand_in is not None:
                whole.append(stand_in)
    return whole


def bare(item: ResponseItem) -> ResponseItem:
    """The item without the id the service gave it, which is not sent back."""
    if isinstance(item, OtherResponseItem):
        return OtherResponseItem({key: value for key, value in item.items() if key != "id"})
    if getattr(item, "id", None) is not None and item.__struct_config__.tag not in KEEPS_ID:
        return msgspec.structs.replace(item, id=None)
    return item


KEEPS_ID = {"image_generation_call"}


def structured_output(text: str, exit_code: int, duration_seconds: float) -> str:
    """The stored form of a patch's result: its text and how it ended, as one JSON string."""
    return json.dumps(
        {
            "output": text,
            "metadata": {"exit_code": exit_code, "duration_seconds": round(duration_seconds, 1)},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def plain_output(structured: str) -> str | None:
    """The form the model reads, from the stored one; None when `structured` is something else."""
    try:
        value: Any = json.loads(structured)
    except ValueError:
        return None
    match value:
        case {"output": str() as text, "metadata": {"exit_code": exit_code, **metadata}}:
            seconds = metadata.get("duration_seconds", 0)
            return f"Exit code: {exit_code}\nWall time: {_short(seconds)} seconds\nOutput:\n{text}"
        case _:
            return None


def is_contextual(item: ResponseItem) -> bool:
    """Whether a user message was put there by us and not by a person."""
    if not (isinstance(item, MessageResponseItem) and item.role == "user"):
        return False
    text = message_text(item)
    return text.lstrip().startswith(CONTEXTUAL_PREFIXES)


def is_users_own(item: ResponseItem) -> bool:
    """Whether this is a message a person sent."""
    return isinstance(item, MessageResponseItem) and item.role == "user" and not is_contextual(item)


def message_text(item: MessageResponseItem) -> str:
    """All text parts of a message, joined."""
    return "".join(
        part.text
        for part in item.content
        if isinstance(part, InputTextContentItem | OutputTextContentItem)
    )


def without_last_turns(items: Sequence[ResponseItem], count: int) -> list[ResponseItem]:
    """The items up to the `count`-th last message of the user and the context just before it."""
    starts = [index for index, item in enumerate(items) if is_users_own(item)]
    if not starts or count < 1:
        return list(items)
    cut = starts[max(len(starts) - count, 0)]
    while cut > 0 and _is_context(items[cut - 1]):
        cut -= 1
    return list(items[:cut])


def text_message(role: str, *texts: str) -> MessageResponseItem:
    """A message of text parts."""
    content: list[ContentItem] = [InputTextContentItem(text=text) for text in texts]
    return MessageResponseItem(role=role, content=content)


def _is_context(item: ResponseItem) -> bool:
    return is_contextual(item) or (
        isinstance(item, MessageResponseItem) and item.role == "developer"
    )


def _patch_outputs_as_text(items: list[ResponseItem]) -> list[ResponseItem]:
    named = {"apply_patch", "shell", "container.exec", "local_shell"}
    structured_calls = {
        item.call_id
        for item in items
        if isinstance(item, FunctionCallResponseItem | CustomToolCallResponseItem)
        and item.name in named
    }
    return [_as_text(item) if answered_call(item) in structured_calls else item for item in items]


def _as_text(item: ResponseItem) -> ResponseItem:
    if isinstance(
        item, FunctionCallOutputResponseItem | CustomToolCallOutputResponseItem
    ) and isinstance(item.output, str):
        text = plain_output(item.output)
        if text is not None:
            return msgspec.structs.replace(item, output=text)
    return item


def _without_images(item: ResponseItem) -> ResponseItem:
    if isinstance(item, MessageResponseItem):
        content: list[ContentItem] = [
            InputTextContentItem(text=IMAGE_OMITTED)
            if isinstance(part, InputImageContentItem)
            else part
            for part in item.content
        ]
        return msgspec.structs.replace(item, content=content)
    if isinstance(
        item, FunctionCallOutputResponseItem | CustomToolCallOutputResponseItem
    ) and isinstance(item.output, list):
        parts: list[FunctionCallOutputContentItem] = [
            InputTextFunctionCallOutputContentItem(text=IMAGE_OMITTED)
            if isinstance(part, InputImageFunctionCallOutputContentItem)
            else part
            for part in item.output
        ]
        return msgspec.structs.replace(item, output=parts)
    return item


def _short(seconds: object) -> str:
    """Seconds as the model is told them: no trailing `.0`."""
    return f"{seconds:g}" if isinstance(seconds, int | float) else "0"
