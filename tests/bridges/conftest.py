"""A backend on loopback, and bridges to it with an account signed in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app_server.auth.manager import AuthManager
from app_server.auth.store import MemoryStore, StoredAuth, Tokens
from app_server.bridges.bridges import Bridges
from app_server.bridges.forward import Backend
from app_server.loopback_http import LoopbackListener, bind_loopback
from app_server.model.http import HttpClients
from tests.support.issuer import jwt

BOUND_SECONDS = 30
NOTES = {"local_path_prefix": "/local/notes/", "backend_path_prefix": "/api/codex/notes/"}


class Seen(msgspec.Struct):
    """One request as the backend got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request], Awaitable[Response]]


class FakeBackend:
    """Answers as told, in order; afterwards an empty 200."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: list[Response | Answer] = []
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode()
        query = scope["query_string"].decode()
        body = await request.body()
        headers = dict(request.headers)
        whole = f"{path}?{query}" if query else path
        self.seen.append(Seen(request.method, whole, headers, body))
        answer = self.answers.pop(0) if self.answers else Response()
        response = answer if isinstance(answer, Response) else await answer(request)
        await response(scope, receive, send)


class Plugin(msgspec.Struct):
    """A program that has read the state file."""

    base_url: str
    token: str
    client: httpx.AsyncClient

    async def ask(self, path: str, *, method: str = "GET", **sent: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", **sent.pop("headers", {})}
        async with asyncio.timeout(BOUND_SECONDS):
            return await self.client.request(
                method, f"{self.base_url}{path}", headers=headers, **sent
            )

    async def ask_raw(self, target: str, more: str = "", body: bytes = b"") -> bytes:
        """A request that nobody tidies up on its way; everything that comes back."""
        async with asyncio.timeout(BOUND_SECONDS):
            port = int(self.base_url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
            head += f"authorization: Bearer {self.token}\r\n{more}\r\n"
            writer.write(head.encode() + body)
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer


def signed_in(access_token: str = "own-access-secret", **changed: Any) -> StoredAuth:
    """A ChatGPT sign-in of the account acct-1."""
    tokens = Tokens(
        id_token=jwt(), access_token=access_token, refresh_token="refresh-1", account_id="acct-1"
    )
    fields = {"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2999-01-01T00:00:00Z"}
    return StoredAuth(**{**fields, **changed})


class World:
    """One home with its sign-in, its bridges and the backend behind them."""

    def __init__(self, codex_home: Path, backend: FakeBackend, stack: AsyncExitStack) -> None:
        self.codex_home = codex_home
        self.backend = backend
        self.store = MemoryStore()
        self.store.kept = signed_in()
        self._stack = stack
        self.client: httpx.AsyncClient | None = None
        self.http: HttpClients | None = None
        self.auth: AuthManager | None = None

    def account(self) -> AuthManager:
        if self.auth is None:
            self.auth = AuthManager(self.codex_home, store=self.store, http=self.http)
        return self.auth

    def bridges(self, configured: Mapping[str, Mapping[str, str]]) -> Bridges:
        assert self.http is not None
        backend = Backend(
            self.account(),
            self.http,
            f"{self.backend.url}/backend-api/",
            lambda: {"originator": "me"},
        )
        return Bridges(self.codex_home, configured, backend)

    async def open(self, **configured: Mapping[str, str]) -> Plugin:
        """Bridges as configured (`notes` without any); what a plugin knows of the first."""
        configured = configured or {"notes": NOTES}
        await self._stack.enter_async_context(self.bridges(configured))
        return self.plugin(next(iter(configured)))

    def plugin(self, bridge_id: str = "notes") -> Plugin:
        assert self.client is not None
        state = msgspec.json.decode(self.state_path(bridge_id).read_bytes())
        return Plugin(state["base_url"], state["token"], self.client)

    def state_path(self, bridge_id: str = "notes") -> Path:
        return self.codex_home / f"plugin-backend-bridge.{bridge_id}.json"


@pytest.fixture
async def world(codex_home: Path) -> AsyncIterator[World]:
    backend = FakeBackend()
    async with (
        LoopbackListener(backend, bind_loopback(), grace_seconds=0) as listener,
        AsyncExitStack() as stack,
    ):
        backend.url = listener.base_url
        world = World(codex_home, backend, stack)
        world.client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        world.http = await stack.enter_async_context(HttpClients())
        yield world
