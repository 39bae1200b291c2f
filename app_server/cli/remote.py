"""`codex --remote ADDRESS`: the server this terminal uses is one that runs elsewhere.

Standard library only, and the light part of it, since this runs before the first paint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from app_server.cli.options import Options

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.rpc.channel import Channel


class RemoteUnusable(Exception):
    """What was given for `--remote` cannot be used."""


class Remote(NamedTuple):
    """A server elsewhere, and what opens its door."""

    url: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Remote({self.url!r}, …)"

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        address = _ADDRESS.fullmatch(self.url)
        return address is None or address["scheme"] == "wss" or _is_loopback(address["host"])

    async def open(self, codex_home: Path) -> Channel:
        """A new connection. Raises `CannotConnect`."""
        from app_server.client.connect import open_unix_socket, open_websocket
        from app_server.rpc.listen import CONTROL_SOCKET

        if not self.url.startswith("unix://"):
            return await open_websocket(self.url, token=self.token)
        path = self.url.removeprefix("unix://")
        return await open_unix_socket(codex_home / (path or CONTROL_SOCKET))


def remote_from(options: Options, environment: Mapping[str, str]) -> Remote | None:
    """The server named on the command line; None without one. Raises `RemoteUnusable`."""
    url, variable = options.remote, options.remote_token_variable
    if url is None:
        if variable is not None:
            raise RemoteUnusable("`--remote-auth-token-env` requires `--remote`.")
        return None
    address = _ADDRESS.fullmatch(url)
    if address is None and not url.startswith("unix://"):
        raise RemoteUnusable(
            f"invalid remote address `{url}`; expected `ws://host:port`, `wss://host:port` or "
            "`unix://[PATH]`"
        )
    if variable is None:
        return Remote(url)
    token = environment.get(variable)
    if token is None:
        raise RemoteUnusable(f"environment variable `{variable}` is not set")
    if not token.strip():
        raise RemoteUnusable(f"environment variable `{variable}` is empty")
    if address is None or not Remote(url).is_private:
        raise RemoteUnusable(
            f"remote auth tokens require `wss://` or loopback `ws://` URLs; got `{url}`"
        )
    return Remote(url, token.strip())


_ADDRESS = re.compile(
    r"(?P<scheme>wss?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+):(?P<port>[0-9]{1,5})/?"
)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "[::1]") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None
