"""Requests over HTTP made by the service for its client."""

import base64
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from tests.exec_server.stdio_peer import StdioPeer, encode

MARKED = {"clientName": "codex-environment", "resumeSessionId": None}


class Site(BaseHTTPRequestHandler):
    """Answers for the tests."""

    stuck = Event()

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/page")
            self.end_headers()
        elif self.path == "/stuck":
            self.stuck.wait()
        else:
            self.answer(200, b"a page of " + self.headers.get("x-name", "").encode())

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.answer(404, b"got " + self.rfile.read(length))

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Kind", "test")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    Site.stuck.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    serving = Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Site.stuck.set()
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def marked_peer(site: str, bare_peer: StdioPeer) -> StdioPeer:
    bare_peer.call("initialize", MARKED)
    bare_peer.send({"method": "initialized", "params": {}})
    return bare_peer


def asked(peer: StdioPeer, url: str, **more: Any) -> dict[str, Any]:
    params = {"method": "GET", "url": url, "headers": [], "requestId": "r", **more}
    return peer.call("http/request", params)


def test_an_answer_comes_with_its_status_headers_and_body(
    site: str, marked_peer: StdioPeer
) -> None:
    headers = [{"name": "x-name", "value": "mine"}]
    answer = asked(marked_peer, f"{site}/page", headers=headers)["result"]
    assert answer["status"] == 200
    assert {"name": "x-kind", "value": "test"} in answer["headers"]
    assert base64.b64decode(answer["bodyBase64"]) == b"a page of mine"


def test_redirects_are_followed_and_refusals_are_answers(site: str, marked_peer: StdioPeer) -> None:
    assert asked(marked_peer, f"{site}/moved")["result"]["status"] == 200
    answer = asked(marked_peer, site, method="POST", bodyBase64=encode(b"abc"))["result"]
    assert (answer["status"], answer["bodyBase64"]) == (404, encode(b"got abc"))


def test_a_streamed_body_follows_its_answer_in_pieces(site: str, marked_peer: StdioPeer) -> None:
    answer = asked(marked_peer, f"{site}/page", streamResponse=True)["result"]
    assert (answer["status"], answer["bodyBase64"]) == (200, "")

    def told(message: dict[str, Any]) -> bool:
        return message.get("method") == "http/request/bodyDelta"

    marked_peer.until(lambda message: told(message) and message["params"]["done"])
    pieces = [message["params"] for message in marked_peer.seen if told(message)]
    assert [piece["seq"] for piece in pieces] == list(range(1, len(pieces) + 1))
    assert b"".join(base64.b64decode(piece["deltaBase64"]) for piece in pieces) == b"a page of "
    assert pieces[-1] == {
        "requestId": "r", "seq": len(pieces), "deltaBase64": "", "done": True, "error": None
    }  # fmt: skip


def test_a_slow_site_holds_up_nobody_and_times_out(site: str, marked_peer: StdioPeer) -> None:
    params = {"method": "GET", "url": f"{site}/stuck", "requestId": "r", "timeoutMs": 1000}
    waiting = marked_peer.ask("http/request", params)
    assert "result" in marked_peer.start("a", "true")
    error = marked_peer.answer(waiting)["error"]
    assert error == {"code": -32603, "message": "http/request failed: operation timed out"}


@pytest.mark.parametrize(
    ("url", "more", "code", "message"),
    [
        ("http://127.0.0.1:1/", {}, -32603, "http/request failed: "),
        ("ftp://x", {}, -32602, "http/request only supports http and https URLs, got ftp"),
        ("http://x", {"method": "G T"}, -32602, "http/request method is invalid: "),
        ("http://x", {"headers": 5}, -32602, "Expected `array`"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    marked_peer: StdioPeer, url: str, more: dict[str, Any], code: int, message: str
) -> None:
    error = asked(marked_peer, url, **more)["error"]
    assert error["code"] == code
    assert error["message"].startswith(message)
