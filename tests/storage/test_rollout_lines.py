"""Lines of stored threads: what the original wrote is understood, and written back alike."""

import json
from pathlib import Path

import pytest

from app_server.protocol.response_item import (
    CustomToolCallResponseItem,
    MessageResponseItem,
    OtherResponseItem,
    OutputTextContentItem,
    ReasoningResponseItem,
)
from app_server.storage import rollout
from app_server.storage.rollout import decode_line, encode_line

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.jsonl"))

AT = "2026-01-02T03:04:05.678Z"


def line(kind: str, payload: object) -> bytes:
    return json.dumps({"timestamp": AT, "type": kind, "payload": payload}).encode()


def event(payload: object) -> object:
    read = decode_line(line("event_msg", payload))
    assert read is not None
    return read.item


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_line_of_the_original_is_understood(path: Path) -> None:
    for text in path.read_bytes().splitlines():
        read = decode_line(text)
        assert read is not None
        assert not isinstance(read.item, rollout.OtherEvent | OtherResponseItem), text[:200]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_line_of_the_original_is_written_with_the_same_content(path: Path) -> None:
    for text in path.read_bytes().splitlines():
        read = decode_line(text)
        assert read is not None
        written = json.loads(encode_line(read.item, read.timestamp))
        expected = json.loads(text)
        if isinstance(read.item, ReasoningResponseItem):
            expected["payload"].pop("content")
        assert written == expected


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_copied_line_keeps_its_payload_byte_for_byte(path: Path) -> None:
    for text in path.read_bytes().splitlines():
        read = decode_line(text)
        assert read is not None
        assert encode_line(read, read.timestamp) == text + b"\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b'{"timestamp":"t","type":"event_msg","payl',
        b"\xff\xfe\x00",
        b"[1,2]",
        b'{"timestamp":"t","type":"from_the_future","payload":{}}',
        b'{"timestamp":"t","type":"turn_context","payload":{}}',
        b'{"timestamp":"t","type":"response_item","payload":5}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_makes_no_sense_is_nothing(text: bytes) -> None:
    assert decode_line(text) is None


def test_unknown_events_and_items_are_kept_as_they_came() -> None:
    payload = {"type": "brewed_coffee", "cups": 2}
    assert event(payload) == rollout.OtherEvent(payload)
    read = decode_line(line("response_item", {"type": "brewed_coffee", "cups": 2}))
    assert read is not None
    assert isinstance(read.item, OtherResponseItem)


def test_older_names_of_turn_events_are_understood() -> None:
    assert event({"type": "turn_started", "turn_id": "t"}) == rollout.TaskStarted(turn_id="t")
    assert event({"type": "turn_complete", "turn_id": "t", "last_agent_message": None}) == (
        rollout.TaskComplete(turn_id="t")
    )


def test_ids_the_service_gave_are_not_stored() -> None:
    message = MessageResponseItem(
        role="assistant", content=[OutputTextContentItem(text="hi")], id="msg_1"
    )
    call = CustomToolCallResponseItem(call_id="c", name="apply_patch", input="x", id="ctc_1")
    for item in (message, call, OtherResponseItem({"type": "novel", "id": "n_1"})):
        assert "id" not in json.loads(encode_line(item, AT))["payload"]


def test_a_message_without_a_last_answer_says_null_as_the_original_does() -> None:
    written = json.loads(encode_line(rollout.TaskComplete(turn_id="t"), AT))
    assert written["payload"] == {
        "type": "task_complete",
        "turn_id": "t",
        "last_agent_message": None,
    }


def test_lone_surrogates_are_replaced_instead_of_breaking_the_file() -> None:
    written = encode_line(rollout.UserMessage(message="a\udc80b"), AT)
    assert json.loads(written)["payload"]["message"] == "a?b"


def test_missing_keys_of_old_session_headers_have_their_old_meaning() -> None:
    old = line(
        "session_meta", {"id": "i", "timestamp": AT, "cwd": "/w", "instructions": None, "x": 1}
    )
    read = decode_line(old)
    assert read is not None
    assert isinstance(read.item, rollout.SessionMeta)
    assert read.item.model_provider is None
