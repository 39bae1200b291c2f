"""The HTTP client: created on first use, one per event loop, kept for all requests.

Certificates come from certifi, the system, and the bundle named by `CODEX_CA_CERTIFICATE` or
`SSL_CERT_FILE`; proxies from the usual variables, never for this machine itself. Loading
certificates is the slow part, so it happens on a thread, and not at all for plain-HTTP services
such as those on this machine.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import ssl
import sys
from collections.abc import Mapping
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from app_server.auth.backend import TIMEOUT_SECONDS, Reply
from app_server.auth.errors import Unreachable
from app_server.model.answer import reason

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

Kind: TypeAlias = Literal["encrypted", "plain", "loopback"]

CONNECT_TIMEOUT_SECONDS = 15.0
"""A host that has not answered by then is down or behind a firewall."""

WRITE_TIMEOUT_SECONDS = 60.0
"""For one piece of a request, not the whole; pictures make requests of megabytes."""

MAX_REPLY_BYTES = 8 << 20
"""Of a short answer, unpacked; a thousand times what services say."""

KEEP_ALIVE_SECONDS = 50.0
"""Load balancers commonly close idle connections after 60 s; we leave first."""


class NetworkSettingsUnusable(Exception):
    """A proxy or a certificate bundle that the environment names cannot be used."""


class HttpClients:
    """An async context manager owning the clients of one event loop."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._clients: dict[Kind, httpx.AsyncClient] = {}
        self._making = asyncio.Lock()

    async def __aenter__(self) -> HttpClients:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    async def client(self, url: str) -> httpx.AsyncClient:
        """The client for this address. Raises `NetworkSettingsUnusable`."""
        kind = _kind(url)
        async with self._making:
            found = self._clients.get(kind)
            if found is None:
                found = await asyncio.to_thread(_make_client, kind, self._environment)
                self._clients[kind] = found
        return found

    async def post(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Reply:
        """One question with a JSON or form body, one short answer. Raises `Unreachable`."""
        sent = {"json": json, "data": form, "headers": headers}
        return await self._ask("POST", url, sent, timeout_seconds)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Reply:
        """One question without a body, one short answer. Raises `Unreachable`."""
        return await self._ask("GET", url, {"headers": headers}, timeout_seconds)

    async def _ask(
        self, method: str, url: str, sent: Mapping[str, Any], timeout_seconds: float
    ) -> Reply:
        try:
            client = await self.client(url)
        except NetworkSettingsUnusable as problem:
            raise Unreachable(str(problem)) from problem
        import httpx

        try:
            async with (
                asyncio.timeout(timeout_seconds),
                client.stream(method, url, **sent) as response,
            ):
                body = await _short_body(response, url)
        except TimeoutError:
            raise Unreachable(f"no answer from {url} in {timeout_seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise Unreachable(f"cannot reach {url}: {reason(failure)}") from failure
        return Reply(response.status_code, body)

    async def warm(self, url: str) -> None:
        """Make the client now, so that the first request need not wait for it; never fails."""
        try:
            await self.client(url)
        except NetworkSettingsUnusable as problem:
            log.warning("%s", problem)


async def _short_body(response: httpx.Response, url: str) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise Unreachable(f"{url} gave an answer of more than {MAX_REPLY_BYTES >> 20} MB")
    return bytes(body)


def _kind(url: str) -> Kind:
    from urllib.parse import urlsplit

    try:
        address = urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        return "plain"  # no address at all: the request itself will say so
    if address.scheme != "http":
        return "encrypted"
    is_here = host in ("localhost", "::1") or host.startswith("127.")
    return "loopback" if is_here else "plain"


def _make_client(kind: Kind, environment: Mapping[str, str]) -> httpx.AsyncClient:
    library = _load_httpx()
    try:
        client: httpx.AsyncClient = library.AsyncClient(
            verify=trusted_certificates(environment) if kind == "encrypted" else _no_certificates(),
            # a proxy cannot reach this machine's own services
            trust_env=kind != "loopback",
            timeout=library.Timeout(
                None, connect=CONNECT_TIMEOUT_SECONDS, write=WRITE_TIMEOUT_SECONDS
            ),
            limits=library.Limits(
                max_connections=None,
                max_keepalive_connections=8,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
            ),
        )
    except (ImportError, ValueError) as problem:
        # httpx knows no SOCKS without a library of its own, and no schemes but HTTP's
        raise NetworkSettingsUnusable(f"the proxy of the environment: {problem}") from problem
    # streams are read raw, so they must not be compressed
    del client.headers["accept-encoding"]
    return client


def _load_httpx() -> ModuleType:
    """httpx with what it would load at the first request; 90 ms and 50 ms of imports."""
    # where click is installed, httpx loads it and rich for a command line of its own: 80 ms more
    command_line = "httpx._main"
    is_new = command_line not in sys.modules
    if is_new:
        sys.modules[command_line] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        if is_new:
            del sys.modules[command_line]
    for name in ("anyio._backends._asyncio", "httpcore", "httpcore._async.http11"):
        importlib.import_module(name)
    return httpx


def trusted_certificates(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Everything we trust to name servers. Raises `NetworkSettingsUnusable`."""
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=certifi.where())
    context.set_default_verify_paths()
    for name in ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"):
        bundle = environment.get(name, "").strip()
        if bundle:
            try:
                context.load_verify_locations(cafile=bundle)
            except (OSError, ssl.SSLError) as failure:
                raise NetworkSettingsUnusable(
                    f"{name} names {bundle}, which cannot be used as certificates: {failure}"
                ) from failure
            break
    return context


def _no_certificates() -> ssl.SSLContext:
    """Trusts nobody: an encrypted connection from a plain-HTTP client fails, as it should."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
