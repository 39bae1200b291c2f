"""Model servers on the user's own machine: Ollama and LM Studio, if they answer on loopback.

Asked once, on the machine the interface runs on, with a short deadline; nothing is ever fetched or
started. Only the list of models is read.
"""

import asyncio
import os
from typing import NamedTuple
from urllib.parse import urlparse

PROBE_SECONDS = 2.0
"""A server on this machine answers within milliseconds, on a busy one later, or is not there."""
MAX_ANSWER_BYTES = 1_000_000


class LocalServer(NamedTuple):
    """One server that answered."""

    provider: str
    """Its name in the configuration."""
    title: str
    models: tuple[str, ...]

    @property
    def facts(self) -> str:
        if not self.models:
            return "running, but it has no model yet"
        shown = ", ".join(self.models[:3])
        return shown + (f" and {len(self.models) - 3} more" if len(self.models) > 3 else "")


async def find_local_servers() -> list[LocalServer]:
    """Those that answer, Ollama first."""
    host, port = _ollama_address()
    found = await asyncio.gather(
        _probe("ollama", "Ollama", host, port), _probe("lmstudio", "LM Studio", "127.0.0.1", 1234)
    )
    return [server for server in found if server is not None]


def _ollama_address() -> tuple[str, int]:
    configured = os.environ.get("OLLAMA_HOST", "")
    if configured:
        parsed = urlparse(configured if "://" in configured else f"//{configured}")
        host = parsed.hostname or "127.0.0.1"
        return "127.0.0.1" if host == "0.0.0.0" else host, parsed.port or 11434
    return "127.0.0.1", 11434


async def _probe(provider: str, title: str, host: str, port: int) -> LocalServer | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            body = await _get(host, port, "/v1/models")
    except (OSError, TimeoutError):
        return None
    return None if body is None else LocalServer(provider, title, _names(body))


async def _get(host: str, port: int, path: str) -> bytes | None:
    """The body of a plain HTTP answer; None unless it is a 200."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        answer = await reader.read(MAX_ANSWER_BYTES)
        while chunk := await reader.read(MAX_ANSWER_BYTES):
            answer += chunk
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if b" 200" in head.split(b"\r\n", 1)[0] else None


def _names(body: bytes) -> tuple[str, ...]:
    import json

    try:
        listed = json.loads(body)["data"]
        return tuple(str(entry["id"]) for entry in listed or ())
    except (ValueError, KeyError, TypeError):
        return ()
