"""Reading --listen URLs."""

from pathlib import Path

import pytest

from app_server.rpc.listen import (
    Listen,
    ListenUrlError,
    Off,
    Stdio,
    UnixSocketPath,
    WebSocketAddress,
    parse_listen_url,
)

HOME, CWD = Path("/home/me/.codex"), Path("/work")


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        ("stdio://", Stdio()),
        ("off", Off()),
        ("ws://127.0.0.1:4500", WebSocketAddress("127.0.0.1", 4500)),
        ("ws://0.0.0.0:0", WebSocketAddress("0.0.0.0", 0)),
        ("ws://[::1]:80", WebSocketAddress("::1", 80)),
        ("unix://", UnixSocketPath(HOME / "app-server-control/app-server-control.sock")),
        ("unix:///run/x.sock", UnixSocketPath(Path("/run/x.sock"))),
        ("unix://x.sock", UnixSocketPath(CWD / "x.sock")),
    ],
)
def test_a_url_names_a_transport(url: str, meaning: Listen) -> None:
    assert parse_listen_url(url, codex_home=HOME, cwd=CWD) == meaning


@pytest.mark.parametrize("url", ["", "http://x", "stdio", "OFF", "wss://127.0.0.1:1"])
def test_an_unknown_kind_is_refused_with_what_is_expected(url: str) -> None:
    with pytest.raises(ListenUrlError) as refusal:
        parse_listen_url(url, codex_home=HOME, cwd=CWD)
    assert str(refusal.value) == (
        f"unsupported --listen URL `{url}`; expected `stdio://`, `unix://`, `unix://PATH`, "
        "`ws://IP:PORT`, or `off`"
    )


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost:4500",
        "ws://127.0.0.1",
        "ws://127.0.0.1:70000",
        "ws://127.0.0.1:x",
        "ws://127.0.0.1:4500/path",
        "ws://::1:80",
        "ws://[127.0.0.1]:80",
        "ws://",
    ],
)
def test_a_websocket_url_needs_a_literal_address_and_a_port(url: str) -> None:
    with pytest.raises(ListenUrlError) as refusal:
        parse_listen_url(url, codex_home=HOME, cwd=CWD)
    assert str(refusal.value) == f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`"


def test_loopback_addresses_are_recognised() -> None:
    assert WebSocketAddress("127.0.0.1", 1).is_loopback
    assert WebSocketAddress("::1", 1).is_loopback
    assert not WebSocketAddress("0.0.0.0", 1).is_loopback
