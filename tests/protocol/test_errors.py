"""Errors keep code, sentence and data on their way over the wire and through copies."""

import pickle

import pytest

from app_server.protocol.errors import (
    InternalError,
    InvalidParams,
    InvalidRequest,
    Overloaded,
    RpcError,
    rpc_error,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(InvalidRequest, -32600), (InvalidParams, -32602), (InternalError, -32603)],
)
def test_a_kind_has_its_code_and_the_code_gives_the_kind(
    kind: type[InvalidRequest], code: int
) -> None:
    error = kind("no", {"field": "a"})
    assert (error.code, str(error), error.data) == (code, "no", {"field": "a"})
    assert type(rpc_error(code, "no")) is kind


def test_other_codes_stay_plain() -> None:
    assert type(rpc_error(-32099, "odd")) is RpcError


def test_overload_tells_newer_clients_to_try_again() -> None:
    error = Overloaded()
    assert error.code == -32001
    assert error.message == "Server overloaded; retry later."
    assert "server_overloaded" in str(error.data)


def test_an_error_survives_a_copy() -> None:
    copy = pickle.loads(pickle.dumps(InvalidParams("no", [1])))
    assert (type(copy), copy.message, copy.data) == (InvalidParams, "no", [1])
