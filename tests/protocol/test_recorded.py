"""What the original server sent comes out of our types as it went in.

`snapshots/protocol/server_messages.jsonl` holds lines of its recorded traffic, one per shape, with
lists cut to three entries. Placeholders for numbers are filled in here.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.protocol import catalog
from app_server.protocol.decode import decode_params, decode_result

LINES = [
    json.loads(line)
    for line in (
        (Path(__file__).parents[2] / "snapshots/protocol/server_messages.jsonl")
        .read_text()
        .splitlines()
    )
]

NUMBERS = {"<TS>": 1_700_000_000, "<MS>": 12}

NEWER_KEYS = {
    "startedAtMs",
    "completedAtMs",
    "sessionId",
    "projectId",
    "serverName",
    "installationId",
}


def filled(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: filled(value) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value) for value in node]
    return NUMBERS.get(node, node) if isinstance(node, str) else node


def without_newer_keys(node: Any, original: Any) -> Any:
    if isinstance(node, dict) and isinstance(original, dict):
        return {
            key: without_newer_keys(value, original.get(key))
            for key, value in node.items()
            if key in original or key not in NEWER_KEYS
        }
    if isinstance(node, list) and isinstance(original, list):
        return [without_newer_keys(*pair) for pair in zip(node, original, strict=True)]
    return node


def through_our_types(line: dict[str, Any]) -> Any:
    body = msgspec.json.encode(filled(line["body"]))
    if line["kind"] == "result":
        method = catalog.client_method(line["method"])
        assert method is not None
        return decode_result(method, body)
    if line["kind"] == "question":
        question = catalog.server_method(line["method"])
        assert question is not None
        return decode_params(question, body)
    notification = catalog.server_notification(line["method"])
    assert notification is not None
    return decode_params(notification, body)


@pytest.mark.parametrize(
    "line", LINES, ids=[f"{n}-{line['kind']}-{line['method']}" for n, line in enumerate(LINES)]
)
def test_a_recorded_message_keeps_its_keys_and_values(line: dict[str, Any]) -> None:
    original = filled(line["body"])
    written = msgspec.json.decode(msgspec.json.encode(through_our_types(line)))
    assert without_newer_keys(written, original) == original


def test_a_missing_or_additional_key_would_be_noticed() -> None:
    assert without_newer_keys({"a": None, "sessionId": "x"}, {"a": None}) == {"a": None}
    assert without_newer_keys({"a": None, "b": None}, {"a": None}) != {"a": None}
    assert without_newer_keys({}, {"a": None}) != {"a": None}
