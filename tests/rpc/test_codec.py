"""Frames to bytes and back, and what happens to text that is no frame."""

import json
from typing import Any

import msgspec
import pytest

from app_server.protocol.approvals import (
    SERVER_REQUEST_RESOLVED,
    ServerRequestResolvedNotification,
)
from app_server.protocol.errors import InvalidRequest, Overloaded, RpcError
from app_server.protocol.thread_history import ThreadReadParams
from app_server.rpc.codec import client_codec, server_codec
from app_server.rpc.frames import (
    ErrorFrame,
    NotificationFrame,
    RequestFrame,
    ResultFrame,
    UnreadableRequest,
)


def written(frame: Any) -> Any:
    return json.loads(server_codec().encode(frame))


def test_a_request_is_read_into_the_params_of_its_row() -> None:
    frame = server_codec().decode(b'{"id":"a","method":"thread/read","params":{"threadId":"t"}}')
    assert frame == RequestFrame("a", "thread/read", ThreadReadParams(thread_id="t"))


@pytest.mark.parametrize("extra", [b'"jsonrpc":"2.0",', b'"trace":{"traceparent":"x"},'])
def test_surplus_members_are_ignored(extra: bytes) -> None:
    frame = server_codec().decode(b"{" + extra + b'"id":1,"method":"memory/reset"}')
    assert isinstance(frame, RequestFrame)


def test_nothing_written_has_a_jsonrpc_member() -> None:
    resolved = ServerRequestResolvedNotification(thread_id="t", request_id=0)
    notification = NotificationFrame(SERVER_REQUEST_RESOLVED.name, resolved)
    assert written(notification) == {
        "method": "serverRequest/resolved",
        "params": {"threadId": "t", "requestId": 0},
    }
    assert written(ResultFrame("x", {})) == {"id": "x", "result": {}}
    assert written(RequestFrame(0, "item/tool/call", {})) == {
        "method": "item/tool/call",
        "id": 0,
        "params": {},
    }


def test_an_error_without_data_has_no_data_member() -> None:
    assert written(ErrorFrame(1, InvalidRequest("no"))) == {
        "error": {"code": -32600, "message": "no"},
        "id": 1,
    }


def test_an_overload_error_says_so_in_a_way_newer_clients_retry() -> None:
    assert written(ErrorFrame(1, Overloaded()))["error"] == {
        "code": -32001,
        "message": "Server overloaded; retry later.",
        "data": {"codexErrorInfo": "server_overloaded"},
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"id":7,"method":"thread/read","params":{}}', "missing field `threadId`"),
        ('{"id":7,"method":"thread/read"}', "missing field `params`"),
        ('{"id":7,"method":"thread/read","params":{"threadId":17}}', "invalid type: integer `17`"),
        ('{"id":7,"method":"thread/read","params":[]}', "invalid type: sequence"),
        ('{"id":7,"method":"no/such"}', "unknown variant `no/such`, expected one of `initialize`"),
    ],
)
def test_a_request_that_cannot_be_read_keeps_its_id(body: str, message: str) -> None:
    frame = server_codec().decode(body.encode())
    assert isinstance(frame, UnreadableRequest)
    assert frame.id == 7
    assert frame.error.code == -32600
    assert frame.error.message.startswith(f"Invalid request: {message}")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"junk",
        b"[1,2,3]",
        b"17",
        b'{"id":1}',
        b'{"result":{}}',
        b'{"id":1,"method":5}',
        b'{"id":null,"method":"thread/list","params":{}}',
        b'{"id":1.5,"method":"thread/list","params":{}}',
        b'{"id":true,"method":"thread/list","params":{}}',
        b'{"id":' + b"9" * 400 + b',"method":"thread/list","params":{}}',
        b'{"id":1,"method":"thread/list","params":{"limit":NaN}}',
        b'{"id":1,"method":"thread/list","params":{"limit":Infinity}}',
        b'{"id":1,"method":"thread/read","params":{"threadId":"\xff\xfe"}}',
        b'{"id":1,"method":"thread/read","params":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b"[" * 100_000,
        b'{"method":"some/notification","params":{}}',
        b'{"id":1,"method":"thread/read","params":{"threadId":"\\ud800"',
    ],
)
def test_what_is_no_message_is_dropped(text: bytes) -> None:
    assert server_codec().decode(text) is None


def test_deep_nesting_within_a_readable_request_is_refused_or_read_but_never_raises() -> None:
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    request = b'{"id":3,"method":"thread/start","params":{"config":{"x":' + deep + b"}}}"
    frame = server_codec().decode(request)
    assert isinstance(frame, RequestFrame | UnreadableRequest)
    assert frame.id == 3


def test_half_a_surrogate_pair_is_read_as_a_replacement_character() -> None:
    frame = server_codec().decode(
        b'{"id":1,"method":"thread/read","params":{"threadId":"a\\ud800b"}}'
    )
    assert frame == RequestFrame(1, "thread/read", ThreadReadParams(thread_id="a\ufffdb"))


def test_half_a_surrogate_pair_is_written_as_a_replacement_character() -> None:
    assert written(ResultFrame(1, ThreadReadParams(thread_id="a\ud800b"))) == {
        "id": 1,
        "result": {"threadId": "a\ufffdb", "includeTurns": False},
    }


def test_a_result_stays_raw_until_its_caller_reads_it() -> None:
    frame = client_codec().decode(b'{"id":4,"result":{"a":1}}')
    assert isinstance(frame, ResultFrame)
    assert isinstance(frame.result, msgspec.Raw)
    assert bytes(frame.result) == b'{"a":1}'


def test_a_null_result_is_a_result() -> None:
    frame = client_codec().decode(b'{"id":4,"result":null}')
    assert isinstance(frame, ResultFrame)


def test_an_error_comes_back_as_the_kind_its_code_stands_for() -> None:
    frame = client_codec().decode(b'{"id":4,"error":{"code":-32001,"message":"m","data":{"a":1}}}')
    assert isinstance(frame, ErrorFrame)
    assert isinstance(frame.error, Overloaded)
    assert (frame.error.message, frame.error.data) == ("m", {"a": 1})


def test_an_error_of_the_wrong_shape_is_still_an_error() -> None:
    frame = client_codec().decode(b'{"id":4,"error":"boom"}')
    assert isinstance(frame, ErrorFrame)
    assert isinstance(frame.error, RpcError)


def test_a_client_reads_notifications_and_ignores_unknown_ones() -> None:
    codec = client_codec()
    known = b'{"method":"serverRequest/resolved","params":{"threadId":"t","requestId":3}}'
    assert codec.decode(known) == NotificationFrame(
        "serverRequest/resolved", ServerRequestResolvedNotification(thread_id="t", request_id=3)
    )
    assert codec.decode(b'{"method":"from/the/future","params":{}}') is None
    assert codec.decode(b'{"method":"serverRequest/resolved","params":{}}') is None
