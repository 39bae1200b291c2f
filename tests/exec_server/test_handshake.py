"""The beginning of a conversation, and what ends it."""

from typing import Any

import pytest

from tests.exec_server.stdio_peer import StdioPeer


def test_exec_server_accepts_initialize_over_stdio(bare_peer: StdioPeer) -> None:
    assert bare_peer.call("initialize", {"clientName": "exec-server-test"}) == {
        "id": 1,
        "result": {"protocolVersion": "exec-server.v0"},
    }
    bare_peer.send({"method": "initialized"})
    assert "result" in bare_peer.start("a", "true")


def test_who_asks_is_told_that_sandboxes_are_applied(bare_peer: StdioPeer) -> None:
    params = {"clientName": "test", "asksForSandboxes": True}
    assert bare_peer.call("initialize", params)["result"] == {
        "protocolVersion": "exec-server.v0",
        "appliesSandboxes": True,
    }


def test_a_second_initialize_is_refused(peer: StdioPeer) -> None:
    assert peer.call("initialize", {"clientName": "again"})["error"] == {
        "code": -32600,
        "message": "initialize may only be sent once per connection",
    }


def test_exec_methods_wait_for_both_halves_of_the_handshake(bare_peer: StdioPeer) -> None:
    assert bare_peer.start("a", "true")["error"] == {
        "code": -32600,
        "message": "client must call initialize before using exec methods",
    }
    bare_peer.call("initialize", {"clientName": "test"})
    assert bare_peer.start("a", "true")["error"] == {
        "code": -32600,
        "message": "client must send initialized before using exec methods",
    }


def test_params_are_read_before_the_handshake_is_looked_at(bare_peer: StdioPeer) -> None:
    assert bare_peer.call("process/terminate", {})["error"]["code"] == -32602


def test_an_id_is_echoed_with_its_type(bare_peer: StdioPeer) -> None:
    bare_peer.send({"id": "seven", "method": "initialize", "params": {"clientName": "test"}})
    assert bare_peer.until(lambda message: "result" in message)["id"] == "seven"


def test_blank_lines_are_skipped(bare_peer: StdioPeer) -> None:
    bare_peer.send(b"\n  \n\n")
    assert "result" in bare_peer.call("initialize", {"clientName": "test"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"not-json\n", "failed to parse JSON-RPC message from exec-server stdio"),
        (b"[1, 2]\n", "failed to parse JSON-RPC message from exec-server stdio"),
        (b'{"id":\xff}\n', "failed to parse JSON-RPC message from exec-server stdio"),
        (
            b'{"method":"initialized"}\n',
            "received `initialized` notification before `initialize`",
        ),
        (
            b'{"method":"process/output","params":{}}\n',
            "unexpected notification method: process/output",
        ),
        (b'{"id":6,"result":{}}\n', "unexpected client response for request id Integer(6)"),
        (b'{"id":"x","result":{}}\n', 'unexpected client response for request id String("x")'),
        (
            b'{"id":6,"error":{"code":1,"message":"no"}}\n',
            "unexpected client error for request id Integer(6)",
        ),
    ],
)
def test_a_breach_of_the_protocol_ends_the_connection(
    bare_peer: StdioPeer, text: bytes, reason: str
) -> None:
    bare_peer.send(text)
    status, said = bare_peer.end()
    assert status == 0
    assert reason in said


def test_the_end_of_input_ends_the_service_without_a_reason(peer: StdioPeer) -> None:
    assert peer.process.stdin is not None
    peer.process.stdin.close()
    assert peer.end() == (0, "")


def test_unknown_request_methods_return_immediate_invalid_request_errors(
    bare_peer: StdioPeer,
) -> None:
    assert bare_peer.call("process/unknown", {})["error"] == {
        "code": -32600,
        "message": "unknown method: process/unknown",
    }


@pytest.mark.parametrize(
    "params",
    [
        {"processId": "proc-1"},
        None,
        {"processId": 5, "argv": ["true"], "cwd": "/", "env": {}, "tty": False},
        {"processId": "a", "argv": "true", "cwd": "/", "env": {}, "tty": False},
        {"processId": "a", "argv": ["true"], "cwd": "/", "env": {"A": 1}, "tty": False},
    ],
)
def test_malformed_exec_params_return_immediate_error_outbound(
    peer: StdioPeer, params: Any
) -> None:
    assert peer.call("process/start", params)["error"]["code"] == -32602
    assert "result" in peer.start("a", "true")
