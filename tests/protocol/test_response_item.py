"""Model items keep their JSON, whether we know their kind or not."""

from typing import Any

import msgspec
import pytest

from app_server.protocol.response_item import (
    CompactionResponseItem,
    FunctionCallOutputResponseItem,
    MessageResponseItem,
    OtherResponseItem,
    OutputTextContentItem,
    ReasoningResponseItem,
    ResponseItem,
    decode_response_item,
)

JSON = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "hi"}],
        "phase": "final_answer",
    },
    {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_image", "image_url": "data:,", "detail": "high"}],
    },
    {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "so"}],
        "encrypted_content": None,
    },
    {"type": "function_call", "name": "shell", "arguments": '{"a": 1}', "call_id": "c"},
    {"type": "function_call_output", "call_id": "c", "output": "done"},
    {
        "type": "function_call_output",
        "call_id": "c",
        "output": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}],
    },
    {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "***"},
    {"type": "custom_tool_call_output", "call_id": "c", "output": "{}"},
    {
        "type": "local_shell_call",
        "status": "completed",
        "action": {"type": "exec", "command": ["ls"]},
    },
    {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "a"}},
    {"type": "image_generation_call", "id": "i", "status": "completed", "result": "aa"},
    {"type": "compaction", "encrypted_content": "zz"},
    {"type": "ghost_snapshot", "ghost_commit": {"id": "abc"}},
    {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio_url": "u"}]},
]


@pytest.mark.parametrize("item", JSON)
def test_an_item_comes_back_as_it_was(item: dict[str, Any]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(decode_response_item(item))) == item


def test_known_kinds_are_read_and_the_others_kept() -> None:
    kinds = [type(decode_response_item(item)) for item in JSON]
    assert kinds[0] is MessageResponseItem
    assert kinds[3] is ReasoningResponseItem
    assert kinds[-3:] == [CompactionResponseItem, OtherResponseItem, OtherResponseItem]


def test_items_made_here_leave_out_what_they_do_not_say() -> None:
    items: list[ResponseItem] = [
        MessageResponseItem(role="assistant", content=[OutputTextContentItem(text="hi")]),
        FunctionCallOutputResponseItem(call_id="c", output="done"),
    ]
    assert msgspec.to_builtins(items) == [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "hi"}],
        },
        {"type": "function_call_output", "call_id": "c", "output": "done"},
    ]
