"""`--listen`: what is accepted, and the texts for what is not."""

import pytest

from app_server.exec_server.listen import (
    DEFAULT_LISTEN_URL,
    ListenUrlError,
    Stdio,
    WebSocketAddress,
    parse_listen_url,
)
from app_server.exec_server.server import serve


def test_exec_server_transport_parses_default_listen_url() -> None:
    assert parse_listen_url(DEFAULT_LISTEN_URL) == Stdio()


def test_exec_server_transport_parses_stdio_listen_url() -> None:
    assert parse_listen_url("stdio://") == Stdio()


def test_exec_server_transport_parses_websocket_listen_url() -> None:
    assert parse_listen_url("ws://127.0.0.1:1234") == WebSocketAddress("127.0.0.1", 1234)
    assert parse_listen_url("ws://[::1]:0") == WebSocketAddress("::1", 0)


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost:1234",
        "ws://127.0.0.1",
        "ws://127.0.0.1:",
        "ws://127.0.0.1:65536",
        "ws://127.0.0.1:-1",
        "ws://::1:80",
        "ws://:80",
        "ws://",
    ],
)
def test_exec_server_transport_rejects_invalid_websocket_listen_url(url: str) -> None:
    with pytest.raises(ListenUrlError) as caught:
        parse_listen_url(url)
    assert str(caught.value) == (f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1234", "", "stdio", "wss://127.0.0.1:1"])
def test_exec_server_transport_rejects_unsupported_listen_url(url: str) -> None:
    with pytest.raises(ListenUrlError) as caught:
        parse_listen_url(url)
    assert str(caught.value) == (
        f"unsupported --listen URL `{url}`; expected `stdio://` or `ws://IP:PORT`"
    )


def test_a_bad_url_is_a_mistake_on_the_command_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert serve("http://x") == 2
    assert "unsupported --listen URL `http://x`" in capfd.readouterr().err
