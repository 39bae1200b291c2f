"""Signing in through the browser: it comes back to a small server on loopback with a code.

    async with BrowserLogin(http, issuer, originator="codex_cli_rs") as login:
        show(login.auth_url)
        stored = await login.wait(keep)

GET only, nothing but our own paths; the query of a request is never logged. The state is good for
one sign-in: coming back again shows how the first time ended. Where the browser runs on another
machine, the address it was sent to can be handed in with `come_back`.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from types import TracebackType
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from app_server import clock
from app_server.auth.backend import Http
from app_server.auth.errors import AuthError, LoginFailed
from app_server.auth.exchange import (
    Issuer,
    challenge_for,
    exchange_code,
    obtain_api_key,
    random_text,
    signed_in,
)
from app_server.auth.login_pages import error_page, success_page
from app_server.auth.store import StoredAuth
from app_server.auth.tokens import read_claims

log = logging.getLogger(__name__)

PORTS = (1455, 1457)
"""Registered with the service as places to come back to."""

PORT_TRIES = 10
PORT_TRY_SECONDS = 0.2
"""An older sign-in that was asked to give way needs a moment."""

REQUEST_TIMEOUT_SECONDS = 10.0
MAX_HEAD_BYTES = 64 * 1024

LAST_PAGE_SECONDS = 2.0
"""How long the success page may take to be fetched before the server closes all the same."""

SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke"

NOT_ENTITLED = (
    "Codex is not enabled for your workspace. Contact your workspace administrator to request "
    "access to Codex."
)

Keep = Callable[[StoredAuth], None]
"""Stores a sign-in; called on a thread. Raises `StoreFailed`."""


class BrowserLogin:
    """One attempt to sign in; an async context manager that owns the loopback server."""

    def __init__(
        self,
        http: Http,
        issuer: Issuer,
        *,
        originator: str,
        workspace_id: str | None = None,
        ports: tuple[int, ...] = PORTS,
        is_streamlined: bool = False,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._originator = originator
        self._workspace_id = workspace_id
        self._ports = ports
        self._is_streamlined = is_streamlined
        self._coming_back = asyncio.Lock()
        self._state = random_text(32)
        self._verifier = random_text(64)
        self._server: asyncio.Server | None = None
        self._pages: set[asyncio.Task[None]] = set()
        self._keep: Keep | None = None
        self._ended: asyncio.Future[StoredAuth] = asyncio.get_running_loop().create_future()
        self._stored: StoredAuth | None = None
        self._problem: str | None = None
        self.port = 0

    async def __aenter__(self) -> BrowserLogin:
        """Raises `LoginFailed` when no port is free."""
        self._server = await self._listen()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for page in self._pages:
            page.cancel()
        await asyncio.gather(*self._pages, return_exceptions=True)
        self._ended.cancel()

    @property
    def redirect_uri(self) -> str:
        return self._local_url("/auth/callback")

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

    async def wait(self, keep: Keep) -> StoredAuth:
        """The sign-in, stored by `keep` before the browser is told. Raises `LoginFailed`."""
        self._keep = keep
        return await self._ended

    def cancel(self, reason: str = "Login was not completed") -> None:
        """End the attempt; `wait` raises `LoginFailed` with this reason."""
        self._fail(reason)

    async def come_back(self, address: str) -> bool:
        """Take the address a browser elsewhere was sent to; False if it is not from this attempt.

        How the attempt ends is seen by `wait`.
        """
        try:
            query = _query(urlsplit(address.strip()).query)
        except ValueError:
            return False
        if query.get("state") != self._state:
            return False
        await self._callback(query)
        self._end_without_last_page()
        return True

    async def _listen(self) -> asyncio.Server:
        for port in self._ports:
            for attempt in range(PORT_TRIES):
                try:
                    return await asyncio.start_server(
                        self._connected, "127.0.0.1", port, limit=MAX_HEAD_BYTES
                    )
                except OSError as failure:
                    if failure.errno != errno.EADDRINUSE:
                        raise LoginFailed(f"cannot listen on loopback: {failure}") from failure
                if attempt == 0:
                    await _ask_to_give_way(port)
                await asyncio.sleep(PORT_TRY_SECONDS)
        raise LoginFailed(f"Port 127.0.0.1:{self._ports[-1]} is already in use")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        page = asyncio.current_task()
        assert page is not None
        self._pages.add(page)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status, headers, body = await self._page(head.decode("latin-1"))
            writer.write(_response(status, headers, body))
            await writer.drain()
            self._after_page(status)
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            log.info("a request to the sign-in page did not come to its end")
        finally:
            self._pages.discard(page)
            writer.close()

    async def _page(self, head: str) -> tuple[str, dict[str, str], str]:
        request_line, *fields = head.split("\r\n")
        method, _, rest = request_line.partition(" ")
        try:
            target = urlsplit(rest.partition(" ")[0])
            query = _query(target.query)
        except ValueError:
            return "400 Bad Request", {}, "Bad Request"
        match (method, target.path):
            case ("GET", "/auth/callback"):
                return await self._callback(query)
            case (_, "/cancel") if _is_from_another_page(fields):
                return "403 Forbidden", {}, "Forbidden"
            case ("GET", "/success"):
                return "200 OK", {}, success_page()
            case ("GET", "/cancel"):
                self._fail("Login cancelled")
                return "200 OK", {}, "Login cancelled"
            case _:
                return "404 Not Found", {}, "Not Found"

    async def _callback(self, query: dict[str, str]) -> tuple[str, dict[str, str], str]:
        if query.get("state") != self._state:
            return "400 Bad Request", {}, "State mismatch"
        async with self._coming_back:
            if self._stored is not None:
                return self._welcome(self._stored)
            if self._problem is not None:
                return "200 OK", {}, error_page(self._problem)
            return await self._first_callback(query)

    async def _first_callback(self, query: dict[str, str]) -> tuple[str, dict[str, str], str]:
        if "error" in query:
            return self._refused(_refusal(query["error"], query.get("error_description")))
        if not query.get("code"):
            return self._refused("Missing authorization code. Sign-in could not be completed.")
        try:
            tokens = await exchange_code(
                self._http,
                self._issuer,
                code=query["code"],
                redirect_uri=self.redirect_uri,
                verifier=self._verifier,
            )
        except AuthError as problem:
            return self._refused(f"Token exchange failed: {problem}")
        try:
            api_key = await obtain_api_key(self._http, self._issuer, tokens.id_token)
            stored = signed_in(
                tokens,
                api_key=api_key,
                workspace_id=self._workspace_id,
                timestamp=clock.utc_timestamp(),
            )
            if self._keep is not None:
                await asyncio.to_thread(self._keep, stored)
        except AuthError as problem:
            return self._refused(str(problem))
        self._stored = stored
        return self._welcome(stored)

    def _welcome(self, stored: StoredAuth) -> tuple[str, dict[str, str], str]:
        """On to the last page; no token travels in its address."""
        assert stored.tokens is not None
        facts = {"plan_type": read_claims(stored.tokens.id_token).plan or ""}
        if self._is_streamlined:
            facts["codex_streamlined_login"] = "true"
        return "302 Found", {"location": self._local_url(f"/success?{urlencode(facts)}")}, ""

    def _local_url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    def _after_page(self, status: str) -> None:
        """Once the browser has its page: the attempt ends with the last of them."""
        if self._stored is None or self._ended.done():
            return
        if status == "200 OK":
            self._ended.set_result(self._stored)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(LAST_PAGE_SECONDS, self._end_without_last_page)

    def _end_without_last_page(self) -> None:
        if self._stored is not None and not self._ended.done():
            self._ended.set_result(self._stored)

    def _refused(self, problem: str) -> tuple[str, dict[str, str], str]:
        self._problem = problem
        self._fail(problem)
        return "200 OK", {}, error_page(problem)

    def _fail(self, problem: str) -> None:
        if not self._ended.done():
            self._ended.set_exception(LoginFailed(problem))
            self._ended.exception()  # nobody may be waiting yet; then nothing is to be warned of


def _query(text: str) -> dict[str, str]:
    """Raises `ValueError` for more fields than anybody needs."""
    return {name: values[0] for name, values in parse_qs(text, max_num_fields=50).items()}


def _is_from_another_page(fields: list[str]) -> bool:
    """Whether a page in a browser asks; programs that ask us to give way say none of this."""
    names = {field.partition(":")[0].strip().lower() for field in fields}
    return bool(names & {"origin", "referer", "sec-fetch-site"})


def _refusal(code: str, description: str | None) -> str:
    if code == "access_denied" and "missing_codex_entitlement" in (description or ""):
        return NOT_ENTITLED
    return f"Sign-in failed: {description or code}"


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


def _response(status: str, headers: dict[str, str], body: str) -> bytes:
    content = body.encode()
    kind = "text/html" if body.startswith("<!doctype") else "text/plain"
    lines = {
        "content-type": f"{kind}; charset=utf-8",
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + content
