"""What --listen URLs ask for, as values.

Only reads the texts; opening what they name is the transports' work. The refusals of a single URL
are worded as `codex app-server` words them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

CONTROL_SOCKET = Path("app-server-control") / "app-server-control.sock"
"""Under the home folder: where `unix://` without a path listens."""


class ListenUrlError(ValueError):
    """A --listen URL that names no transport of ours."""


class Stdio(msgspec.Struct, frozen=True):
    """One client over stdin and stdout."""


class WebSocketAddress(msgspec.Struct, frozen=True):
    """Websocket clients at a literal IP address; port 0 means any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.host).is_loopback

    def at(self, port: int) -> str:
        """Host and port as a URL has them."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"


class UnixSocketPath(msgspec.Struct, frozen=True):
    """Websocket clients over a socket file."""

    path: Path


class Off(msgspec.Struct, frozen=True):
    """No listener."""


Listen: TypeAlias = Stdio | WebSocketAddress | UnixSocketPath | Off


def parse_listen_urls(urls: Sequence[str], *, codex_home: Path, cwd: Path) -> list[Listen]:
    """All places to listen at together, each once. Raises `ListenUrlError`."""
    places: list[Listen] = []
    for url in urls:
        place = parse_listen_url(url, codex_home=codex_home, cwd=cwd)
        if place in places:
            raise ListenUrlError(f"--listen `{url}` is given twice")
        places.append(place)
    if Off() in places and len(places) > 1:
        raise ListenUrlError("--listen `off` cannot be combined with another --listen")
    return places


def parse_listen_url(url: str, *, codex_home: Path, cwd: Path) -> Listen:
    """Raises `ListenUrlError`. A relative socket path is meant from `cwd`."""
    if url == "stdio://":
        return Stdio()
    if url == "off":
        return Off()
    if url.startswith("unix://"):
        path = url.removeprefix("unix://")
        return UnixSocketPath(cwd / path if path else codex_home / CONTROL_SOCKET)
    if url.startswith("ws://"):
        return _websocket_address(url)
    raise ListenUrlError(
        f"unsupported --listen URL `{url}`; expected `stdio://`, `unix://`, `unix://PATH`, "
        "`ws://IP:PORT`, or `off`"
    )


def _websocket_address(url: str) -> WebSocketAddress:
    host, colon, port = url.removeprefix("ws://").rpartition(":")
    in_brackets = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if in_brackets else host)
        number = int(port) if port.isascii() and port.isdigit() else -1
        if not colon or in_brackets != (address.version == 6) or not 0 <= number <= 65535:
            raise ValueError
    except ValueError:
        raise ListenUrlError(
            f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`"
        ) from None
    return WebSocketAddress(str(address), number)
