"""What a request is answered before an upgrade."""

import hashlib
from http import HTTPStatus

import pytest
from websockets.datastructures import Headers

from app_server.rpc.ws_auth import CapabilityToken
from app_server.rpc.ws_gate import answer_to

HOST, UPGRADE = ("Host", "127.0.0.1:4500"), ("Upgrade", "websocket")
TOKEN = CapabilityToken(hashlib.sha256(b"sesame").digest())
SESAME = ("Authorization", "Bearer sesame")


def status(method: str, path: str, *headers: tuple[str, str], guarded: bool = False) -> int | None:
    answer = answer_to(method, path, Headers(list(headers)), TOKEN if guarded else None)
    return None if answer is None else int(answer.status)


@pytest.mark.parametrize("path", ["/", "/some/path", "/readyz/more"])
def test_an_upgrade_is_let_in_on_any_path(path: str) -> None:
    assert status("GET", path, HOST, UPGRADE) is None
    assert status("GET", path, HOST, ("upgrade", "WebSocket")) is None


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/readyz?verbose=1"])
def test_the_probes_need_no_credentials(path: str) -> None:
    assert status("GET", path, HOST, guarded=True) == HTTPStatus.OK
    assert status("HEAD", path, HOST, guarded=True) == HTTPStatus.OK


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/readyz"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:4500"])
def test_whatever_a_web_page_sends_is_forbidden(method: str, path: str, origin: str) -> None:
    headers = [HOST, UPGRADE, SESAME, ("Origin", origin)]
    assert status(method, path, *headers, guarded=True) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:1", True),
        ("192.168.0.7", True),
        ("[::1]:1", True),
        ("localhost", True),
        ("LOCALHOST:80", True),
        ("rebound.example", False),
        ("localhost.example", False),
        ("127.0.0.1.example:80", False),
        ("", False),
    ],
)
def test_a_port_is_reached_by_address_and_not_by_a_name_that_leads_here(
    host: str, allowed: bool
) -> None:
    refused = None if allowed else HTTPStatus.FORBIDDEN
    assert status("GET", "/", ("Host", host), UPGRADE) == refused


def test_a_socket_file_is_reached_under_any_name() -> None:
    headers = Headers([("Host", "codex.example"), UPGRADE])
    assert answer_to("GET", "/", headers, on_a_port=False) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], HTTPStatus.UNAUTHORIZED),
        ([("Authorization", "Bearer open")], HTTPStatus.UNAUTHORIZED),
        ([SESAME, SESAME], HTTPStatus.UNAUTHORIZED),
        ([SESAME], None),
    ],
)
def test_credentials_are_asked_for_before_the_upgrade(
    headers: list[tuple[str, str]], expected: int | None
) -> None:
    assert status("GET", "/", HOST, UPGRADE, *headers, guarded=True) == expected


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", [HOST], HTTPStatus.BAD_REQUEST),
        ("GET", [HOST, ("Upgrade", "h2c")], HTTPStatus.BAD_REQUEST),
        ("GET", [HOST, UPGRADE, UPGRADE], HTTPStatus.BAD_REQUEST),
        ("GET", [HOST, HOST, UPGRADE], HTTPStatus.FORBIDDEN),
        ("POST", [HOST, UPGRADE], HTTPStatus.METHOD_NOT_ALLOWED),
        ("HEAD", [HOST, UPGRADE], HTTPStatus.METHOD_NOT_ALLOWED),
    ],
)
def test_what_is_no_upgrade_is_told_so(
    method: str, headers: list[tuple[str, str]], expected: int
) -> None:
    assert status(method, "/", *headers) == expected
