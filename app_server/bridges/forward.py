"""Asks the backend in the account's name, and once more with better credentials after a 401.

Only the account's own headers go out, never the plugin's; cookies are neither kept nor sent and
redirects are not followed, since they could lead anywhere. Knows nothing of how plugins ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Protocol

from app_server.auth.errors import AuthError
from app_server.auth.manager import AuthManager
from app_server.auth.needs import OPENAI
from app_server.bridges.errors import failed
from app_server.bridges.held_body import HeldBody
from app_server.model.answer import reason
from app_server.model.http import NetworkSettingsUnusable

if TYPE_CHECKING:
    import httpx

    from app_server.auth.needs import Remedy

NO_COOKIES = DefaultCookiePolicy(allowed_domains=())


class HttpClient(Protocol):
    """Where clients come from; `model.http` has them."""

    async def client(self, url: str) -> httpx.AsyncClient:
        """Raises `NetworkSettingsUnusable`."""
        ...


class Backend:
    """The ChatGPT backend as the signed-in account sees it."""

    def __init__(
        self,
        auth: AuthManager,
        http: HttpClient,
        base_url: str,
        identity: Callable[[], Mapping[str, str]],
    ) -> None:
        """`identity` gives the headers that say which program asks."""
        self.base_url = base_url
        self._auth = auth
        self._http = http
        self._identity = identity

    @asynccontextmanager
    async def ask(self, method: str, url: str, body: HeldBody) -> AsyncIterator[httpx.Response]:
        """The answer, its body not yet read. Raises `BridgeRefusal`."""
        recovery = self._auth.recovery(OPENAI)
        while True:
            async with AsyncExitStack() as stack:
                response = await self._ask_once(method, url, body)
                stack.push_async_callback(response.aclose)
                if response.status_code != 401 or not await _improved(recovery):
                    yield response
                    return

    async def _ask_once(self, method: str, url: str, body: HeldBody) -> httpx.Response:
        import httpx

        headers = {**self._identity(), **await self._account_headers()}
        if body.size_bytes:
            headers["content-type"] = "application/json"
            headers["content-length"] = str(body.size_bytes)
        try:
            client = await self._http.client(url)
            client.cookies.jar.set_policy(NO_COOKIES)
            request = client.build_request(
                method, url, headers=headers, content=body.pieces() if body.size_bytes else None
            )
            return await client.send(request, stream=True, follow_redirects=False)
        except NetworkSettingsUnusable as problem:
            raise failed(str(problem)) from problem
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise failed(f"the backend cannot be reached: {reason(failure)}") from failure

    async def _account_headers(self) -> dict[str, str]:
        before = await self._auth.ready()
        if before is None or not before.uses_chatgpt_backend:
            # somebody may have signed in since, in another terminal, as the refusal asks for
            await asyncio.to_thread(self._auth.reload)
        try:
            headers = await self._auth.headers(OPENAI)
        except AuthError as problem:
            raise failed(str(problem)) from problem
        found = self._auth.credentials
        if found is None:
            raise failed("Sign in to ChatGPT in Codex to use this bridge.")
        if not found.uses_chatgpt_backend:
            raise failed("ChatGPT authentication is required to use this bridge.")
        return headers


async def _improved(recovery: Remedy) -> bool:
    """Whether there is something better to try. Raises `BridgeRefusal`."""
    try:
        return await recovery.improve()
    except AuthError as problem:
        raise failed(str(problem)) from problem
