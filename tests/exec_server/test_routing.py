"""One connection of `exec-server.v0`: messages become typed calls, results become messages."""

import json
from typing import Any

import msgspec
import pytest

from app_server.exec_server import messages, protocol
from app_server.exec_server.connection import Connection
from app_server.exec_server.loop import SelectorLoop
from app_server.exec_server.protocol import ProtocolViolation, ServiceError
from tests.exec_server.stdio_peer import StdioPeer


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """What the connection has said."""
    return []


@pytest.fixture
def connection(sent: list[dict[str, Any]]) -> Connection:
    return Connection(SelectorLoop(), lambda line: sent.append(json.loads(line)))


def receive(connection: Connection, message: dict[str, Any]) -> None:
    connection.receive(messages.read_message(json.dumps(message).encode()))


def typed(method: str, params: object) -> protocol.Body:
    return messages.read_params(method, msgspec.Raw(json.dumps(params).encode()))


def test_stdio_connection_reads_and_writes_jsonrpc_messages(bare_peer: StdioPeer) -> None:
    bare_peer.send(b'{"id":"one","method":"initialize","params":{"clientName":"test"}}\n')
    assert bare_peer.until(lambda message: message.get("id") == "one") == {
        "id": "one",
        "result": {"protocolVersion": "exec-server.v0"},
    }


def test_stdio_connection_reports_parse_errors(bare_peer: StdioPeer) -> None:
    bare_peer.send(b"not-json\n")
    status, said = bare_peer.end()
    assert status == 0
    assert "failed to parse JSON-RPC message from exec-server stdio" in said


def test_stdio_connection_reports_clean_disconnect(bare_peer: StdioPeer) -> None:
    assert bare_peer.process.stdin is not None
    bare_peer.process.stdin.close()
    assert bare_peer.end() == (0, "")


def test_routes_initialize_requests_to_typed_variants() -> None:
    assert typed("initialize", {"clientName": "test-client"}) == protocol.InitializeParams(
        client_name="test-client"
    )


def test_routes_initialized_notifications_to_typed_variants(
    connection: Connection, sent: list[dict[str, Any]]
) -> None:
    receive(connection, {"id": 1, "method": "initialize", "params": {"clientName": "test"}})
    receive(connection, {"method": "initialized", "params": {}})
    # Being ready shows by the refusal: it is about the process, no longer about the handshake.
    receive(connection, {"id": 2, "method": "process/read", "params": {"processId": "a"}})
    assert sent[1]["error"] == {"code": -32600, "message": "unknown process id a"}


def test_serializes_typed_notifications_back_to_jsonrpc() -> None:
    exited = protocol.ExitedNotification(process_id="proc-1", exit_code=0)
    assert json.loads(messages.service_line(exited)) == {
        "method": "process/exited",
        "params": {"processId": "proc-1", "exitCode": 0},
    }


def test_serializes_typed_responses_back_to_jsonrpc() -> None:
    result = protocol.StartResult(process_id="proc-1")
    assert json.loads(messages.result_line(3, result)) == {
        "id": 3,
        "result": {"processId": "proc-1"},
    }


def test_routes_exec_requests_with_typed_params() -> None:
    params = {
        "processId": "proc-1",
        "argv": ["bash", "-lc", "true"],
        "cwd": "/usr",
        "env": {},
        "tty": True,
        "arg0": None,
    }
    assert typed("process/start", params) == protocol.StartParams(
        process_id="proc-1", argv=["bash", "-lc", "true"], cwd="/usr", env={}, tty=True, arg0=None
    )


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        (
            "process/read",
            {"processId": "a", "afterSeq": 1, "maxBytes": 2, "waitMs": 3},
            protocol.ReadParams(process_id="a", after_seq=1, max_bytes=2, wait_ms=3),
        ),
        (
            "process/write",
            {"processId": "a", "chunk": "aGVsbG8K"},
            protocol.WriteParams(process_id="a", chunk=b"hello\n"),
        ),
        ("process/terminate", {"processId": "a"}, protocol.TerminateParams(process_id="a")),
    ],
)
def test_the_other_methods_route_to_typed_params(
    method: str, params: dict[str, Any], expected: protocol.Body
) -> None:
    assert typed(method, params) == expected


def test_malformed_exec_params_are_refused_by_their_code() -> None:
    with pytest.raises(ServiceError) as caught:
        typed("process/start", {"processId": "proc-1"})
    assert caught.value.code == -32602


def test_unexpected_client_notifications_are_rejected(connection: Connection) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        receive(connection, {"method": "process/output", "params": {}})
    assert str(caught.value) == "unexpected notification method: process/output"


def test_unexpected_client_responses_are_rejected(connection: Connection) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        receive(connection, {"id": 6, "result": {}})
    assert str(caught.value) == "unexpected client response for request id Integer(6)"
