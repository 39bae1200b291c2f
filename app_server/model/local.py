"""Model services on this machine: which of Ollama and LM Studio are running, and what they offer.

Asked once at first run, for the chooser. Short deadlines and the standard library only: nothing
may be listening, or something else may, and the HTTP client is not loaded yet.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from app_server.model.providers import LOCAL_PORTS, local_url

PROBE_TIMEOUT_SECONDS = 0.5
"""A loopback service answers in milliseconds; a port that swallows connections never does."""

MAX_ANSWER_BYTES = 1 << 20

NAMES = {"ollama": "Ollama", "lmstudio": "LM Studio"}


class LocalService(msgspec.Struct, frozen=True, kw_only=True):
    """A running service and the models it can load."""

    provider_id: str
    name: str
    url: str
    models: list[str]


async def running_services(environment: Mapping[str, str] | None = None) -> list[LocalService]:
    """Those that answer, Ollama first. Takes half a second at most and never fails."""
    variables = os.environ if environment is None else environment
    found = await asyncio.gather(*(_probe(name, variables) for name in LOCAL_PORTS))
    return [service for service in found if service is not None]


async def _probe(provider_id: str, environment: Mapping[str, str]) -> LocalService | None:
    url = local_url(provider_id, environment)
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname is None:
        return None
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            content = await _get(
                address.hostname, address.port or 80, f"{address.path.rstrip('/')}/models"
            )
        listed = msgspec.json.decode(content, type=_Listing)
    except (OSError, TimeoutError, EOFError, ValueError, msgspec.MsgspecError):
        return None
    models = sorted(model.id for model in listed.data or [])
    return LocalService(provider_id=provider_id, name=NAMES[provider_id], url=url, models=models)


class _ListedModel(msgspec.Struct, frozen=True):
    id: str


class _Listing(msgspec.Struct, frozen=True):
    data: list[_ListedModel] | None = None


async def _get(host: str, port: int, path: str) -> bytes:
    """The body of a plain HTTP/1.0 answer, so that it ends where the connection does."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(
            f"GET {path} HTTP/1.0\r\nhost: {host}:{port}\r\naccept: application/json\r\n"
            "connection: close\r\n\r\n".encode("ascii")
        )
        await writer.drain()
        status_line = await reader.readline()
        if b" 200 " not in status_line:
            raise ValueError("not a list of models")
        length: int | None = None
        while (line := await reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        if length is not None and length <= MAX_ANSWER_BYTES:
            return await reader.readexactly(length)
        content = b""
        while len(content) < MAX_ANSWER_BYTES and (piece := await reader.read(1 << 16)):
            content += piece
        return content
    finally:
        writer.close()
