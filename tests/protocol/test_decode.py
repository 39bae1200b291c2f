"""Params that cannot be read are refused in the original's words, naming the place."""

from typing import Any

import msgspec
import pytest

from app_server.protocol import catalog
from app_server.protocol.decode import decode_params, decode_result, unknown_method
from app_server.protocol.errors import INVALID_REQUEST, InvalidRequest

THREAD = {"threadId": "t"}

REFUSED: list[tuple[str, Any, str]] = [
    ("thread/read", {}, "missing field `threadId`"),
    (
        "thread/read",
        {"threadId": 17},
        "invalid type: integer `17`, expected a string at `threadId`",
    ),
    ("thread/read", {"threadId": None}, "invalid type: null, expected a string at `threadId`"),
    ("thread/read", [], "invalid type: sequence, expected struct ThreadReadParams"),
    (
        "thread/read",
        {**THREAD, "includeTurns": "yes"},
        'invalid type: string "yes", expected a boolean at `includeTurns`',
    ),
    (
        "thread/memoryMode/set",
        {**THREAD, "mode": "x"},
        "unknown variant `x`, expected `enabled` or `disabled` at `mode`",
    ),
    (
        "turn/start",
        {**THREAD, "input": [{"type": "x"}]},
        "unknown variant `x`, expected one of `text`, `image`, `localImage`, `skill`, `mention`"
        " at `input[0].type`",
    ),
    ("turn/start", {**THREAD, "input": [{"type": "text"}]}, "missing field `text` at `input[0]`"),
    ("turn/start", {**THREAD, "input": {}}, "invalid type: map, expected a sequence at `input`"),
    (
        "thread/start",
        {"approvalPolicy": {"other": {}}},
        "unknown variant `other`, expected one of `untrusted`, `on-failure`, `on-request`,"
        " `never`, `granular` at `approvalPolicy`",
    ),
    (
        "thread/start",
        {"approvalPolicy": 3},
        "invalid type: integer `3`, expected string or map at `approvalPolicy`",
    ),
    (
        "thread/start",
        {"approvalPolicy": {"granular": {}}},
        "missing field `mcp_elicitations` at `approvalPolicy.granular`",
    ),
    (
        "fs/readFile",
        {"path": "relative"},
        "AbsolutePathBuf deserialized without a base path at `path`",
    ),
    ("fs/readFile", {"path": "/a\0b"}, "path contains a NUL byte at `path`"),
    (
        "thread/list",
        {"limit": -1},
        "invalid value: integer `-1`, expected u32 at `limit`",
    ),
    (
        "thread/list",
        {"limit": 10**30},
        "invalid value: integer of great size, expected u32 at `limit`",
    ),
    (
        "command/exec",
        {"command": ["a"], "env": {"A": 3}},
        "invalid type: integer `3`, expected a string at `env[...]`",
    ),
    (
        "command/exec",
        {"command": [], "size": {"rows": 70000, "cols": 1}},
        "invalid value: integer `70000`, expected u16 at `size.rows`",
    ),
    ("fs/readFile", {"path": 3}, "invalid type: integer `3`, expected path string at `path`"),
    ("thread/loaded/list", None, "missing field `params`"),
]


@pytest.mark.parametrize("as_bytes", [True, False], ids=["bytes", "values"])
@pytest.mark.parametrize(("method", "params", "reason"), REFUSED)
def test_bad_params_are_refused_with_the_place(
    method: str, params: Any, reason: str, as_bytes: bool
) -> None:
    row = catalog.client_method(method)
    assert row is not None
    if as_bytes and params is not None:
        params = msgspec.json.encode(params)
    with pytest.raises(InvalidRequest) as refused:
        decode_params(row, params)
    assert refused.value.code == INVALID_REQUEST
    assert refused.value.message == f"Invalid request: {reason}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"threadId":',
        b'{"threadId":NaN}',
        b'{"threadId":"a","config":' + b'{"a":' * 20_000,
        b'{"threadId":' + b"9" * 5_000 + b"}",
        b'{"threadId":"\xff"}',
        b"null",
    ],
    ids=["cut", "nan", "deep", "huge", "utf8", "null"],
)
def test_no_body_is_worse_than_a_refusal(body: bytes) -> None:
    row = catalog.client_method("thread/resume")
    assert row is not None
    with pytest.raises(InvalidRequest, match=r"^Invalid request: "):
        decode_params(row, body)


def test_a_method_without_params_ignores_what_it_gets() -> None:
    row = catalog.client_method("account/logout")
    assert row is not None
    assert decode_params(row, None) is None
    assert decode_params(row, {"surplus": 1}) is None


def test_a_raw_part_of_a_message_is_read_like_bytes() -> None:
    row = catalog.client_method("thread/read")
    assert row is not None
    assert decode_params(row, msgspec.Raw(b'{"threadId":"t","later":1}')).thread_id == "t"


def test_an_answer_that_does_not_fit_is_refused() -> None:
    row = catalog.server_method("item/fileChange/requestApproval")
    assert row is not None
    with pytest.raises(InvalidRequest, match=r"unknown variant `maybe`.* at `decision`"):
        decode_result(row, {"decision": "maybe"})


def test_the_error_for_an_unknown_method_lists_the_known_ones() -> None:
    error = unknown_method("no/such")
    assert error.message.startswith(
        "Invalid request: unknown variant `no/such`, expected one of `initialize`, `thread/start`,"
    )
    assert error.message.endswith("`fuzzyFileSearch/sessionStop`")
