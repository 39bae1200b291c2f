"""Signing in through the browser: it comes back to a small server on loopback with a code.

    async with BrowserLogin(http, issuer, keep, originator="codex_cli_rs") as login:
        show(login.auth_url)
        stored = await login.wait()

The state is good for one sign-in: coming back again shows how the first time ended. Where the
browser runs on another machine, the address it was sent to can be handed in with `accept`. What
the browser is shown is drawn by `callback_pages`.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from app_server import clock
from app_server.auth.backend import Http, shown
from app_server.auth.errors import AuthError, LoginFailed
from app_server.auth.exchange import (
    Issuer,
    challenge_for,
    exchange_code,
    obtain_api_key,
    random_text,
    signed_in,
)
from app_server.auth.store import StoredAuth

if TYPE_CHECKING:
    from app_server.loopback_http import LoopbackListener

log = logging.getLogger(__name__)

PORTS = (1455, 1457)
"""Registered with the service as places to come back to."""

PORT_TRIES = 10
PORT_TRY_SECONDS = 0.2
"""An older sign-in that was asked to give way needs a moment."""

PAGES_AND_LISTENER = ("app_server.auth.callback_pages", "app_server.loopback_http")
"""starlette and uvicorn, a sixth of a second: loaded on a thread, since somebody may be typing."""

PAGES_GRACE_SECONDS = 1.0
"""For a page that is on its way to the browser when the attempt ends."""

LAST_PAGE_SECONDS = 2.0
"""How long the success page may take to be fetched before the server closes all the same."""

SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke"

NOT_ENTITLED = (
    "Codex is not enabled for your workspace. Contact your workspace administrator to request "
    "access to Codex."
)

Keep: TypeAlias = Callable[[StoredAuth], None]
"""Stores a sign-in; called on a thread. Raises `StoreFailed`."""

Outcome: TypeAlias = StoredAuth | LoginFailed


class BrowserLogin:
    """One attempt to sign in; an async context manager that owns the loopback server."""

    def __init__(
        self,
        http: Http,
        issuer: Issuer,
        keep: Keep,
        *,
        originator: str,
        workspace_id: str | None = None,
        ports: tuple[int, ...] = PORTS,
        is_streamlined: bool = False,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._keep = keep
        self._originator = originator
        self._workspace_id = workspace_id
        self._ports = ports
        self._is_streamlined = is_streamlined
        self._state = random_text(32)
        self._verifier = random_text(64)
        self._coming_back = asyncio.Lock()
        self._outcome: Outcome | None = None
        self._ended: asyncio.Future[StoredAuth] = asyncio.get_running_loop().create_future()
        self._open = AsyncExitStack()
        self._pasted: set[asyncio.Task[None]] = set()
        self.kept: StoredAuth | None = None
        """The sign-in, from the moment it is stored; the browser may not know it yet."""
        self.port = 0

    async def __aenter__(self) -> BrowserLogin:
        """Raises `LoginFailed` when no port is free."""
        listener = await self._listen()
        self._open.push_async_exit(listener)
        self.port = listener.port
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.cancel()
        for task in self._pasted:
            task.cancel()
        await asyncio.gather(*self._pasted, return_exceptions=True)
        await self._open.aclose()

    @property
    def redirect_uri(self) -> str:
        return self._local_url("/auth/callback")

    @property
    def success_url(self) -> str:
        """The last page; no token travels in its address."""
        facts = {"codex_streamlined_login": "true"} if self._is_streamlined else {}
        return self._local_url(f"/success?{urlencode(facts)}" if facts else "/success")

    @property
    def auth_url(self) -> str:
        """What the browser is to open."""
        asked = {
            "response_type": "code",
            "client_id": self._issuer.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "code_challenge": challenge_for(self._verifier),
            "code_challenge_method": "S256",
            "id_token_add_organizations": "true",
            "codex_cli_simplified_flow": "true",
            "state": self._state,
            "originator": self._originator,
        }
        if self._workspace_id is not None:
            asked["allowed_workspace_id"] = self._workspace_id
        return f"{self._issuer.url.rstrip('/')}/oauth/authorize?{urlencode(asked, quote_via=quote)}"

    async def wait(self) -> StoredAuth:
        """The sign-in, once it is kept and the browser has been told. Raises `LoginFailed`."""
        return await self._ended

    def cancel(self, reason: str = "Login was not completed") -> None:
        """End the attempt; `wait` raises `LoginFailed` with this reason."""
        self._end(LoginFailed(reason))

    def accept(self, address: str) -> bool:
        """Take the address a browser elsewhere was sent to; False if it is not from this attempt.

        How the attempt ends is seen by `wait`.
        """
        query = read_query(address)
        if not self.is_meant(query):
            return False
        task = asyncio.get_running_loop().create_task(self._take(query))
        self._pasted.add(task)
        task.add_done_callback(self._pasted.discard)
        return True

    def is_meant(self, query: Mapping[str, str]) -> bool:
        """Whether this query belongs to this attempt."""
        return query.get("state") == self._state

    async def come_back(self, query: Mapping[str, str]) -> Outcome:
        """Turn the code into a sign-in and keep it; the second time the outcome is the first's."""
        async with self._coming_back:
            if self._outcome is None:
                self._outcome = await self._finish(query)
            return self._outcome

    def page_shown(self) -> None:
        """The browser has seen the last page: the attempt is over."""
        if self._outcome is not None:
            self._end(self._outcome)

    def page_left(self) -> None:
        """The browser has been sent on to the last page, which it may never fetch."""
        asyncio.get_running_loop().call_later(LAST_PAGE_SECONDS, self.page_shown)

    async def _take(self, query: Mapping[str, str]) -> None:
        await self.come_back(query)
        self.page_shown()

    async def _finish(self, query: Mapping[str, str]) -> Outcome:
        if "error" in query:
            return LoginFailed(_refusal(query["error"], query.get("error_description")))
        if not query.get("code"):
            return LoginFailed("Missing authorization code. Sign-in could not be completed.")
        try:
            tokens = await exchange_code(
                self._http,
                self._issuer,
                code=query["code"],
                redirect_uri=self.redirect_uri,
                verifier=self._verifier,
            )
        except AuthError as problem:
            return LoginFailed(f"Token exchange failed: {problem}")
        try:
            stored = signed_in(
                tokens,
                api_key=await obtain_api_key(self._http, self._issuer, tokens.id_token),
                workspace_id=self._workspace_id,
                timestamp=clock.utc_timestamp(),
            )
            if self._ended.done():
                return LoginFailed("Login cancelled")
            await asyncio.to_thread(self._keep_it, stored)
        except AuthError as problem:
            return LoginFailed(str(problem))
        return stored

    def _keep_it(self, stored: StoredAuth) -> None:
        self._keep(stored)
        self.kept = stored

    def _end(self, outcome: Outcome) -> None:
        if self._ended.done():
            return
        if isinstance(outcome, LoginFailed):
            self._ended.set_exception(outcome)
            self._ended.exception()  # nobody may be waiting yet; then nothing is to be warned of
        else:
            self._ended.set_result(outcome)

    def _local_url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    async def _listen(self) -> LoopbackListener:
        for name in PAGES_AND_LISTENER:
            await asyncio.to_thread(import_module, name)
        from app_server.auth.callback_pages import CallbackPages
        from app_server.loopback_http import LoopbackListener, bind_loopback

        for port in self._ports:
            for attempt in range(PORT_TRIES):
                try:
                    listener = LoopbackListener(
                        CallbackPages(self), bind_loopback(port), grace_seconds=PAGES_GRACE_SECONDS
                    )
                    return await listener.__aenter__()
                except OSError as failure:
                    if failure.errno != errno.EADDRINUSE:
                        raise LoginFailed(f"cannot listen on loopback: {failure}") from failure
                if attempt == 0:
                    await _ask_to_give_way(port)
                await asyncio.sleep(PORT_TRY_SECONDS)
        raise LoginFailed(f"Port 127.0.0.1:{self._ports[-1]} is already in use")


def read_query(address: str) -> dict[str, str]:
    """The query of an address, empty if it has none that anybody needs."""
    try:
        query = urlsplit(address.strip()).query
        return {name: values[0] for name, values in parse_qs(query, max_num_fields=50).items()}
    except ValueError:
        return {}


def _refusal(code: str, description: str | None) -> str:
    if code == "access_denied" and "missing_codex_entitlement" in (description or ""):
        return NOT_ENTITLED
    return f"Sign-in failed: {shown(description or code)}"


async def _ask_to_give_way(port: int) -> None:
    """Whoever holds the port may be an older sign-in of ours, which ends when asked."""
    try:
        async with asyncio.timeout(PORT_TRY_SECONDS * 5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /cancel HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n".encode("ascii"))
            await writer.drain()
            writer.close()
    except (OSError, TimeoutError):
        log.info("the holder of port %d did not listen", port)
