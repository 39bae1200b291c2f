"""What a browser is shown when it comes back from signing in.

GET only, nothing but our own paths, by the names of this machine only. The query of a request is
never logged, no token travels in an address, and no page has scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Protocol

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from app_server.auth.browser_login import read_query
from app_server.auth.errors import LoginFailed
from app_server.auth.store import StoredAuth

OUR_NAMES = ("localhost", "127.0.0.1")

_SAFE = {
    "cache-control": "no-store",
    "connection": "close",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32em; margin: 20vh auto; padding: 0 1em }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
</body>
</html>
"""


class Attempt(Protocol):
    """The sign-in the pages belong to."""

    @property
    def success_url(self) -> str: ...

    @property
    def kept(self) -> StoredAuth | None: ...

    def is_meant(self, query: Mapping[str, str]) -> bool: ...

    async def come_back(self, query: Mapping[str, str]) -> StoredAuth | LoginFailed: ...

    def page_left(self) -> None: ...

    def page_shown(self) -> None: ...

    def cancel(self, reason: str = ...) -> None: ...


class CallbackPages:
    """The pages of one attempt, as an ASGI application."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        response = await self._answer(request)
        response.headers.update(_SAFE)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if (request.url.hostname or "") not in OUR_NAMES:
            return PlainTextResponse("Forbidden", 403)
        match (request.method, request.url.path):
            case ("GET", "/auth/callback"):
                return await self._callback(read_query(str(request.url)))
            case ("GET", "/success") if self._attempt.kept is not None:
                ended = BackgroundTask(_soon, self._attempt.page_shown)
                return HTMLResponse(success_page(), background=ended)
            case ("GET", "/cancel") if _is_from_another_page(request.headers):
                return PlainTextResponse("Forbidden", 403)
            case ("GET", "/cancel"):
                self._attempt.cancel("Login cancelled")
                return PlainTextResponse("Login cancelled")
            case _:
                return PlainTextResponse("Not Found", 404)

    async def _callback(self, query: Mapping[str, str]) -> Response:
        if not self._attempt.is_meant(query):
            return PlainTextResponse("State mismatch", 400)
        outcome = await self._attempt.come_back(query)
        if isinstance(outcome, LoginFailed):
            ended = BackgroundTask(_soon, self._attempt.page_shown)
            return HTMLResponse(error_page(str(outcome)), background=ended)
        left = BackgroundTask(_soon, self._attempt.page_left)
        return RedirectResponse(self._attempt.success_url, 302, background=left)


def success_page() -> str:
    """Shown when the sign-in is stored."""
    return _PAGE.format(
        title="Signed in to Codex",
        text="You can close this page and go back to your terminal.",
    )


def error_page(problem: str) -> str:
    """Shown when it is not; the problem may come from outside and is escaped."""
    return _PAGE.format(title="Signing in did not work", text=escape(problem))


async def _soon(tell: Callable[[], None]) -> None:
    """Starlette runs what is no coroutine on a thread of its own."""
    tell()


def _is_from_another_page(headers: Headers) -> bool:
    """Whether a page in a browser asks; programs that ask us to give way say none of this."""
    return any(name in headers for name in ("origin", "referer", "sec-fetch-site"))
