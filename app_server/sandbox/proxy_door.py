"""The way from a command's own network to the proxy: listeners handed out of sandboxes.

A sandbox is given a place and a token. While it is being built it makes a listener in its empty
network, connects to the place, and hands the listener over with the token; when that connection
ends, the command has ended, and so does what it opened. The place is a socket in a folder only this
user may enter, under a name nobody else picks.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Coroutine, Mapping
from types import TracebackType

import msgspec

from app_server.accepting import stop_accepting
from app_server.sandbox.helper import PROXY_PORT
from app_server.sandbox.network_rules import NetworkRules
from app_server.sandbox.proxy import Ask, Proxy

_TOKEN_BYTES = 32
_TAKEN = b"1"
_HTTP = f"http://127.0.0.1:{PROXY_PORT}"
_SOCKS = f"socks5h://127.0.0.1:{PROXY_PORT}"
_NOT_PROXIED = "localhost,127.0.0.1,::1"
_THROUGH_HTTP = (
    *("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY"),
    *("http_proxy", "https_proxy", "ws_proxy", "wss_proxy"),
    *("NPM_CONFIG_PROXY", "NPM_CONFIG_HTTP_PROXY", "NPM_CONFIG_HTTPS_PROXY"),
    *("npm_config_proxy", "npm_config_http_proxy", "npm_config_https_proxy"),
    *("YARN_HTTP_PROXY", "YARN_HTTPS_PROXY", "BUNDLE_HTTP_PROXY", "BUNDLE_HTTPS_PROXY"),
    *("PIP_PROXY", "DOCKER_HTTP_PROXY", "DOCKER_HTTPS_PROXY"),
)
_UNPROXIED = (
    *("NO_PROXY", "no_proxy", "NPM_CONFIG_NOPROXY", "npm_config_noproxy"),
    *("YARN_NO_PROXY", "BUNDLE_NO_PROXY"),
)


class Door(msgspec.Struct, frozen=True):
    """What a sandbox needs to hand its listener over."""

    place: str
    token: str
    speaks_socks: bool = True

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which programs find the proxy, as the original sets them."""
        variables = dict.fromkeys(_THROUGH_HTTP, _HTTP)
        variables |= dict.fromkeys(_UNPROXIED, _NOT_PROXIED)
        names = ("ALL_PROXY", "all_proxy", "FTP_PROXY", "ftp_proxy")
        variables |= dict.fromkeys(names, _SOCKS if self.speaks_socks else _HTTP)
        return {
            **variables,
            "ELECTRON_GET_USE_PROXY": "true",
            "CODEX_NETWORK_PROXY_ACTIVE": "1",
            "CODEX_NETWORK_ALLOW_LOCAL_BINDING": "0",
        }


class ProxyDoors:
    """An async context manager that takes listeners in, for any number of commands."""

    async def __aenter__(self) -> ProxyDoors:
        self._folder = tempfile.mkdtemp(prefix="codex-")
        self._place = os.path.join(self._folder, "proxy")
        self._waiting: dict[str, Proxy] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.setblocking(False)
        self._listener.bind(self._place)
        self._listener.listen()
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._accept())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, rules: NetworkRules, ask: Ask) -> Door:
        """A door for one command; it opens once."""
        token = secrets.token_hex(_TOKEN_BYTES // 2)
        self._waiting[token] = Proxy(rules, ask)
        return Door(self._place, token, rules.speaks_socks)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            self._start(self._take(connection))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, connection: socket.socket) -> None:
        """Serve one command's listener until the command has ended."""
        loop = asyncio.get_running_loop()
        with connection:
            connection.setblocking(False)
            readable = loop.create_future()
            loop.add_reader(connection, _set, readable)
            try:
                await readable
            finally:
                loop.remove_reader(connection)
            try:
                text, descriptors, _, _ = socket.recv_fds(connection, _TOKEN_BYTES, 1)
            except OSError:
                return
            proxy = self._waiting.pop(text.decode("ascii", "replace"), None)
            for fd in descriptors[1 if proxy is not None else 0 :]:
                os.close(fd)
            if proxy is None or not descriptors:
                return
            with socket.socket(fileno=descriptors[0]) as listener:
                server = await asyncio.start_server(proxy.serve, sock=listener, limit=65536)
                try:
                    await loop.sock_sendall(connection, _TAKEN)
                    await loop.sock_recv(connection, 1)
                except OSError:
                    pass
                finally:
                    await stop_accepting(server)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
