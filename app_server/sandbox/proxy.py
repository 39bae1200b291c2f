"""The proxy through which a confined command reaches the hosts it may: HTTP, CONNECT and SOCKS5.

A command's network is its own and empty, but for one listener made in there and handed out to us;
what is accepted from it comes from that command and nobody else. A host is judged before anything
is sent to it, and the addresses judged are those connected to. One connection carries one request,
since a second one could be for somebody else.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, TypeAlias

from app_server.sandbox.network_rules import HARMLESS_METHODS, NetworkRules, Reason, is_public

log = logging.getLogger(__name__)

Protocol: TypeAlias = Literal["http", "https", "socks5_tcp"]
Ask: TypeAlias = Callable[[str, Protocol], Awaitable[bool]]
"""Whether a host nobody named may be reached; may take as long as a person needs."""

_LONGEST_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
CONNECT_SECONDS = 30.0
_SOCKS_VERSION = 5
_EXPLANATIONS: dict[Reason, str] = {
    "denied": "The permission profile denies this host.",
    "not_allowed": "The permission profile does not allow this host.",
    "not_allowed_local": "This machine and private networks are not to be reached.",
    "method_not_allowed": "The permission profile allows requests that only read.",
}


class Target(NamedTuple):
    """What a request wants to reach."""

    host: str
    port: int
    protocol: Protocol
    method: str = ""


class _Blocked(Exception):
    def __init__(self, target: Target, reason: Reason) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"{target.host}: {reason}")


class _Unusable(Exception):
    """A request that is none."""


class Proxy:
    """Serves the connections of one command."""

    def __init__(self, rules: NetworkRules, ask: Ask) -> None:
        self._rules = rules
        self._ask = ask

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end; never raises but for cancellation."""
        try:
            first = await reader.readexactly(1)
            if first[0] == _SOCKS_VERSION and self._rules.speaks_socks:
                await self._socks(reader, writer)
            else:
                await self._http(first, reader, writer)
        except _Blocked as blocked:
            log.info("proxy: %s", blocked)
            writer.write(_refusal(blocked))
        except (_Unusable, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            writer.write(_answer(400, "Bad Request", b""))
        except (OSError, TimeoutError) as error:
            log.info("proxy: %s", error)
            writer.write(_answer(502, "Bad Gateway", f"{error}\n".encode()))
        finally:
            await _close(writer)

    async def _http(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        if len(head) > _LONGEST_HEAD_BYTES:
            raise _Unusable
        lines = head[:-4].decode("latin-1").split("\r\n")
        if any("\n" in line or "\r" in line or "\0" in line for line in lines):
            raise _Unusable  # a server could read one line as two
        method, url, version = lines[0].split(" ")
        if method == "CONNECT":
            target = Target(*_authority(url, 443), "https", method)
            upstream = await self._reach(target)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _tunnel((reader, writer), upstream)
            return
        scheme, separator, rest = url.partition("://")
        if scheme.lower() != "http" or not separator:
            raise _Unusable
        authority, slash, path = rest.partition("/")
        target = Target(*_authority(authority, 80), "http", method)
        upstream = await self._reach(target)
        kept = [line for line in lines[1:] if not _is_the_proxys(line)]
        sent = [f"{method} {slash + path or '/'} {version}", f"Host: {authority}", *kept]
        upstream[1].write("\r\n".join([*sent, "Connection: close", "", ""]).encode("latin-1"))
        body = asyncio.create_task(_body(lines[1:], reader, upstream[1]))
        try:
            await _copy(upstream[0], writer)
        finally:
            body.cancel()
            await asyncio.gather(body, return_exceptions=True)
            await _close(upstream[1])

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(bytes((_SOCKS_VERSION, 0)))
        _, command, _, kind = await reader.readexactly(4)
        if kind == 1:
            host = socket.inet_ntop(socket.AF_INET, await reader.readexactly(4))
        elif kind == 4:
            host = socket.inet_ntop(socket.AF_INET6, await reader.readexactly(16))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode("ascii")
        port = int.from_bytes(await reader.readexactly(2))
        if command != 1:
            writer.write(_socks_reply(7))
            return
        try:
            upstream = await self._reach(Target(host, port, "socks5_tcp"))
        except _Blocked as blocked:
            log.info("proxy: %s", blocked)
            writer.write(_socks_reply(2))
            return
        except (OSError, TimeoutError):
            writer.write(_socks_reply(4))
            return
        writer.write(_socks_reply(0))
        await _tunnel((reader, writer), upstream)

    async def _reach(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the host, once it may be made. Raises `_Blocked` or `OSError`."""
        rules = self._rules
        if rules.reads_only and target.method not in HARMLESS_METHODS:
            raise _Blocked(target, "method_not_allowed")
        verdict = rules.verdict(target.host)
        if verdict == "deny":
            raise _Blocked(target, "denied")
        if verdict == "unnamed" and not await self._ask(target.host, target.protocol):
            raise _Blocked(target, "not_allowed")
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
            if any(map(rules.denies_address, addresses)):
                raise _Blocked(target, "denied")
            if not is_public(addresses) and not rules.names(target.host):
                raise _Blocked(target, "not_allowed_local")
            problem: OSError = OSError(f"{target.host} has no address")
            for address in addresses:
                try:
                    return await asyncio.open_connection(address, target.port)
                except OSError as error:
                    problem = error
            raise problem


def _authority(text: str, default_port: int) -> tuple[str, int]:
    text = text.rpartition("@")[2]
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text, str(default_port)
    if not host or not 0 < int(port) < 65536:
        raise _Unusable
    return host.strip("[]"), int(port)


def _is_the_proxys(line: str) -> bool:
    name = line.partition(":")[0].strip().lower()
    return name in ("host", "connection", "keep-alive") or name.startswith("proxy-")


async def _body(
    headers: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass on the request's own body and nothing after it."""
    fields = {line.partition(":")[0].strip().lower(): line.partition(":")[2] for line in headers}
    if "chunked" in fields.get("transfer-encoding", "").lower():
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            writer.write(line + await reader.readexactly(size + 2))
            await writer.drain()
            if size == 0:
                return
    left = int(fields.get("content-length", "0").strip() or "0")
    while left > 0:
        piece = await reader.read(min(left, _PIECE_BYTES))
        if not piece:
            return
        left -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _tunnel(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(one[0], other[1]))
            both.create_task(_copy(other[0], one[1]))
    except* OSError as ended:
        log.debug("proxy: a tunnel broke off: %s", ended.exceptions[0])
    finally:
        await _close(other[1])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


def _refusal(blocked: _Blocked) -> bytes:
    target, reason = blocked.target, blocked.reason
    body = {
        "status": "blocked",
        "host": target.host,
        "reason": reason,
        "decision": "deny",
        "protocol": target.protocol,
        "port": target.port,
        "message": _EXPLANATIONS[reason],
    }
    named = "denylist" if reason == "denied" else "allowlist"
    error = "blocked-by-method-policy" if reason == "method_not_allowed" else f"blocked-by-{named}"
    content = json.dumps(body).encode()
    return _answer(403, "Forbidden", content, f"x-proxy-error: {error}\r\n")


def _answer(status: int, words: str, content: bytes, more: str = "") -> bytes:
    kind = "application/json" if content.startswith(b"{") else "text/plain"
    head = (
        f"HTTP/1.1 {status} {words}\r\ncontent-type: {kind}\r\n{more}"
        f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + content


def _socks_reply(code: int) -> bytes:
    return bytes((_SOCKS_VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0))
