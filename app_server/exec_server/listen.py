"""What `--listen URL` asks the process service for. Only the text is read here."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

import msgspec

DEFAULT_LISTEN_URL = "stdio://"


class ListenUrlError(ValueError):
    """A URL that names no transport of the service."""


class Stdio(msgspec.Struct, frozen=True):
    """One client over stdin and stdout."""


class WebSocketAddress(msgspec.Struct, frozen=True):
    """Any number of clients at a literal address; port 0 means any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}"


Listen: TypeAlias = Stdio | WebSocketAddress


def parse_listen_url(url: str) -> Listen:
    """Raises `ListenUrlError`, worded as Codex words it."""
    if url == DEFAULT_LISTEN_URL:
        return Stdio()
    if not url.startswith("ws://"):
        raise ListenUrlError(
            f"unsupported --listen URL `{url}`; expected `stdio://` or `ws://IP:PORT`"
        )
    host, colon, port = url.removeprefix("ws://").rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if is_bracketed else host)
        is_well_formed = (
            bool(colon)
            and (address.version == 6) == is_bracketed
            and port.isascii()
            and port.isdigit()
            and int(port) < 65536
        )
    except ValueError:
        is_well_formed = False
    if not is_well_formed:
        raise ListenUrlError(f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`")
    return WebSocketAddress(str(address), int(port))
