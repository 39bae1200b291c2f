"""What each event of the service means to us."""

import json
from typing import Any

import pytest

from app_server.model.errors import ModelError, StreamBroken
from app_server.model.events import (
    Completed,
    Created,
    ItemAdded,
    ItemDone,
    ReasoningDelta,
    ResponseEvent,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
    TokenUsage,
    ToolInputDelta,
    decode_event,
)
from app_server.protocol.response_item import (
    FunctionCallResponseItem,
    MessageResponseItem,
    OtherResponseItem,
    OutputTextContentItem,
)


def decoded(event: Any) -> ResponseEvent | None:
    return decode_event(json.dumps(event).encode())


def message(text: str) -> MessageResponseItem:
    return MessageResponseItem(role="assistant", content=[OutputTextContentItem(text=text)], id="m")


def message_json(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
    }


CALL = {"type": "function_call", "id": "f", "name": "n", "call_id": "c", "arguments": "{}"}
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}

TABLE: list[tuple[dict[str, Any], ResponseEvent | None]] = [
    ({"type": "response.created", "response": {"id": "r"}}, Created("r")),
    ({"type": "response.output_text.delta", "item_id": "m", "delta": "hi"}, TextDelta("hi", "m")),
    ({"type": "response.output_text.delta", "delta": "hi"}, TextDelta("hi", "")),
    ({"type": "response.refusal.delta", "item_id": "m", "delta": "no"}, TextDelta("no", "m")),
    (
        {"type": "response.reasoning_summary_part.added", "item_id": "r", "summary_index": 1},
        SummaryPartAdded(1, "r"),
    ),
    (
        {
            "type": "response.reasoning_summary_text.delta",
            "item_id": "r",
            "summary_index": 1,
            "delta": "a",
        },
        SummaryDelta(1, "a", "r"),
    ),
    (
        {"type": "response.reasoning_text.delta", "item_id": "r", "content_index": 2, "delta": "a"},
        ReasoningDelta(2, "a", "r"),
    ),
    (
        {
            "type": "response.custom_tool_call_input.delta",
            "item_id": "t",
            "call_id": "c",
            "delta": "a",
        },
        ToolInputDelta("a", "t", "c"),
    ),
    (
        {"type": "response.output_item.added", "output_index": 3, "item": message_json()},
        ItemAdded(MessageResponseItem(role="assistant", content=[], id="m"), 3, "m"),
    ),
    (
        {"type": "response.output_item.done", "output_index": 3, "item": CALL},
        ItemDone(FunctionCallResponseItem(name="n", arguments="{}", call_id="c", id="f"), "f", 3),
    ),
    (
        {
            "type": "response.output_item.done",
            "item": message_json({"type": "output_text", "text": "hi", "annotations": []}),
        },
        ItemDone(message("hi"), "m"),
    ),
    (
        {
            "type": "response.output_item.done",
            "item": message_json({"type": "refusal", "refusal": "no"}),
        },
        ItemDone(message("no"), "m"),
    ),
    (
        {"type": "response.output_item.done", "item": {"type": "new_kind", "id": "x", "a": 1}},
        ItemDone(OtherResponseItem({"type": "new_kind", "id": "x", "a": 1}), "x"),
    ),
    ({"type": "response.completed", "response": {"id": "r"}}, Completed("r")),
    (
        {"type": "response.completed", "response": {"id": "r", "usage": USAGE}},
        Completed(
            "r",
            TokenUsage(
                input_tokens=10,
                cached_input_tokens=4,
                output_tokens=5,
                reasoning_output_tokens=2,
                total_tokens=15,
            ),
        ),
    ),
    (
        {
            "type": "response.completed",
            "response": {
                "id": "r",
                "usage": {"input_tokens": 1, "output_tokens": 2, "input_tokens_details": None},
            },
        },
        Completed("r", TokenUsage(input_tokens=1, output_tokens=2, total_tokens=3)),
    ),
    ({"type": "response.completed", "response": {"id": "r", "usage": "odd"}}, Completed("r")),
    ({"type": "response.in_progress", "response": {"id": "r"}}, None),
    ({"type": "response.function_call_arguments.delta", "delta": "{"}, None),
    ({"type": "response.output_item.done", "item": None}, None),
    ({"type": "something.new"}, None),
    ({"no": "type"}, None),
]


@pytest.mark.parametrize(("event", "expected"), TABLE, ids=[str(row[0])[:60] for row in TABLE])
def test_an_event_is_read_as(event: dict[str, Any], expected: ResponseEvent | None) -> None:
    assert decoded(event) == expected


@pytest.mark.parametrize(
    "data", [b"", b"[DONE]", b"{", b"null", b"17", b"\xff\xfe", b'"text"', b"[" * 50_000]
)
def test_data_that_is_no_event_is_skipped(data: bytes) -> None:
    assert decode_event(data) is None


@pytest.mark.parametrize(
    ("data", "delta"),
    [
        (rb'{"type":"response.output_text.delta","delta":"a\ud83d"}', "a?"),
        (rb'{"type":"response.output_text.delta","delta":"\ud83d\ude00"}', "\N{GRINNING FACE}"),
        (b'{"type":"response.output_text.delta","delta":"a\xff"}', "a\ufffd"),
    ],
)
def test_text_that_is_not_quite_unicode_still_arrives(data: bytes, delta: str) -> None:
    assert decode_event(data) == TextDelta(delta)


FAILURES = [
    ({"code": "odd", "message": "words"}, "stream disconnected before completion: words"),
    (None, "stream disconnected before completion: response.failed event received"),
    ({"code": "odd"}, "stream disconnected before completion: response.failed: odd"),
]


@pytest.mark.parametrize(("error", "message"), FAILURES)
def test_a_failed_answer_raises_what_it_reports(error: Any, message: str) -> None:
    with pytest.raises(StreamBroken) as failure:
        decoded({"type": "response.failed", "response": {"id": "r", "error": error}})
    assert failure.value.message == message


def test_an_answer_stopped_early_raises_its_reason() -> None:
    with pytest.raises(ModelError, match="Incomplete response returned, reason: max_output_tokens"):
        decoded(
            {
                "type": "response.incomplete",
                "response": {"id": "r", "incomplete_details": {"reason": "max_output_tokens"}},
            }
        )


def test_an_end_without_an_id_is_a_broken_stream() -> None:
    with pytest.raises(StreamBroken, match="failed to parse ResponseCompleted: missing field `id`"):
        decoded({"type": "response.completed", "response": {}})
