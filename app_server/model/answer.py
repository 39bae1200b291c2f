"""A streamed answer being read: bytes become events, silence and cuts become errors.

Owns one open response. What the headers tell comes first, then the events in order; after
`Completed` nothing follows. Knows nothing of requests and retries.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING

from app_server.model.errors import StreamBroken
from app_server.model.events import (
    Completed,
    ModelsEtag,
    RateLimits,
    ReasoningIncluded,
    ResponseEvent,
    ServerModel,
    decode_event,
)
from app_server.model.rate_limits import snapshots
from app_server.model.sse import SseParser

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

DRAIN_SECONDS = 0.05
"""How long the end of a whole answer may take; a connection read to its end can be used again."""


class Answer:
    """Read `events` once, then `aclose`."""

    def __init__(self, response: httpx.Response, idle_timeout_seconds: float) -> None:
        self._response = response
        self._idle_timeout_seconds = idle_timeout_seconds
        is_packed = "content-encoding" in response.headers
        self._pieces = response.aiter_bytes() if is_packed else response.aiter_raw()
        self._is_complete = False

    async def events(self) -> AsyncGenerator[ResponseEvent, None]:
        """The events of the answer. Raises `ModelError` where it breaks."""
        for told in _told_by_headers(self._response.headers):
            yield told
        parser = SseParser()
        while True:
            piece = await self._next_piece()
            for data in parser.finish() if piece is None else parser.feed(piece):
                event = decode_event(data)
                if event is None:
                    continue
                if type(event) is Completed:
                    self._is_complete = True
                    yield event
                    return
                yield event
            if piece is None:
                raise StreamBroken("stream closed before response.completed")

    async def aclose(self) -> None:
        """Give the connection back after a whole answer, close it after any other."""
        import httpx

        if self._is_complete:
            with suppress(TimeoutError, httpx.TransportError, httpx.DecodingError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    while await anext(self._pieces, None) is not None:
                        pass
        await self._response.aclose()

    async def _next_piece(self) -> bytes | None:
        """More of the stream; None at its end."""
        import httpx

        try:
            async with asyncio.timeout(self._idle_timeout_seconds):
                return await anext(self._pieces, None)
        except TimeoutError:
            raise StreamBroken("idle timeout waiting for SSE") from None
        except (httpx.TransportError, httpx.DecodingError) as failure:
            log.info("stream cut: %s", reason(failure))
            raise StreamBroken(
                "Transport error: network error: error decoding response body"
            ) from failure


def reason(failure: BaseException) -> str:
    """What the operating system said, where it said something; else the library's words."""
    seen: BaseException | None = failure
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {seen.verify_message}"
        if isinstance(seen, ssl.SSLError):
            return getattr(seen, "reason", None) or seen.strerror or str(seen)
        if isinstance(seen, OSError) and seen.errno is not None:
            # asyncio words refused connections its own way; name lookups have numbers below 0
            return os.strerror(seen.errno) if seen.errno > 0 else str(seen.strerror)
        nested = getattr(seen, "exceptions", None)
        seen = nested[0] if nested else seen.__cause__ or seen.__context__
    return str(failure) or type(failure).__name__


def _told_by_headers(headers: httpx.Headers) -> list[ResponseEvent]:
    told: list[ResponseEvent] = []
    if slug := headers.get("openai-model"):
        told.append(ServerModel(slug))
    told.extend(RateLimits(snapshot) for snapshot in snapshots(headers))
    if etag := headers.get("x-models-etag"):
        told.append(ModelsEtag(etag))
    if "x-reasoning-included" in headers:
        told.append(ReasoningIncluded())
    return told
