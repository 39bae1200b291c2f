"""One bridge as an ASGI application: the checks on a request, in their order, and its answer.

Token, method, path, body, prefix, account: the first that does not hold is answered as JSON, and
nothing behind it is looked at. A plugin that leaves ends what was asked for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from app_server.bridges.backend_url import backend_path, backend_url
from app_server.bridges.errors import (
    BridgeRefusal,
    unauthorized,
    unknown_path,
    unreadable_body,
    unsupported_method,
)
from app_server.bridges.forward import Backend
from app_server.bridges.held_body import HeldBody, held
from app_server.bridges.settings import Bridge

if TYPE_CHECKING:
    import httpx
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

BODY_SILENCE_SECONDS = 60.0
"""How long the next piece of a body may take; its sender is on this machine."""


class BridgeEndpoint:
    """Answers a plugin that knows the token."""

    def __init__(self, bridge: Bridge, token: str, backend: Backend) -> None:
        self._bridge = bridge
        self._expected = f"Bearer {token}".encode("ascii")
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            path = self._asked_path(request)
            async with aclosing(_arriving(request)) as arriving, held(arriving) as body:
                url = self._url(request, path)
                await _unless_it_leaves(request, self._pass_on(request.method, url, body, send))
        except BridgeRefusal as refusal:
            answer = JSONResponse({"detail": refusal.detail}, refusal.status)
            await answer(scope, receive, send)

    def _asked_path(self, request: Request) -> str:
        """The backend's path that is asked for. Raises `BridgeRefusal`."""
        given = request.headers.get("authorization", "").encode("latin-1")
        if not secrets.compare_digest(given, self._expected):
            raise unauthorized()
        if request.method not in ("GET", "POST"):
            raise unsupported_method()
        # raw, since what is quoted in it stays quoted
        path = backend_path(self._bridge, request.scope["raw_path"].decode("latin-1"))
        if path is None:
            raise unknown_path()
        return path

    def _url(self, request: Request, path: str) -> str:
        query = request.scope["query_string"].decode("latin-1") or None
        return backend_url(self._backend.base_url, path, query, self._bridge)

    async def _pass_on(self, method: str, url: str, body: HeldBody, send: Send) -> None:
        async with self._backend.ask(method, url, body) as response:
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": _shown_headers(response),
                }
            )
            if await self._send_body(response, send):
                await send({"type": "http.response.body", "body": b""})

    async def _send_body(self, response: httpx.Response, send: Send) -> bool:
        """Whether it came whole; a body cut short is left unfinished, so that it shows as that."""
        import httpx

        try:
            async for piece in response.aiter_bytes():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except httpx.HTTPError as failure:
            log.warning("bridge %s: the backend's answer broke off: %r", self._bridge.id, failure)
            return False
        return True


def _shown_headers(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    """The kind of the content; its length too, where it is passed on as it comes."""
    names = [b"content-type"]
    if "content-encoding" not in response.headers:
        names.append(b"content-length")
    return [(name.lower(), value) for name, value in response.headers.raw if name.lower() in names]


async def _arriving(request: Request) -> AsyncGenerator[bytes, None]:
    """The request's body, piece by piece. Raises `BridgeRefusal` where it does not come."""
    pieces = request.stream()
    while True:
        try:
            async with asyncio.timeout(BODY_SILENCE_SECONDS):
                piece = await anext(pieces, None)
        except ClientDisconnect as gone:
            raise unreadable_body("the connection was closed before its end") from gone
        except TimeoutError:
            raise unreadable_body(f"nothing came for {BODY_SILENCE_SECONDS:g} s") from None
        if piece is None:
            return
        yield piece


async def _unless_it_leaves(request: Request, work: Coroutine[None, None, None]) -> None:
    """Do the work, and stop in the middle of it when the plugin is no longer there."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_has_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait((working, leaving))
    if not working.cancelled():
        working.result()


async def _has_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
