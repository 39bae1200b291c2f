"""Tokens that a host application lends the server, and asking it for new ones."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app_server.auth.errors import RefreshFailed
from app_server.auth.needs import OPENAI
from app_server.client.client import Client
from app_server.client.events import Notification, Question
from app_server.protocol.account import (
    ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH,
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    AccountUpdatedNotification,
    ApiKeyLoginAccountParams,
    ChatgptAuthTokensRefreshResponse,
    ChatgptLoginAccountParams,
    GetAccountParams,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.server import lent_tokens
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.signing_in import (
    LENT,
    UPDATED,
    completed,
    told,
    welcomed,
)
from tests.support.issuer import jwt


@pytest.fixture
async def client(connect: Connector) -> AsyncIterator[Client]:
    return await welcomed(await connect())


async def test_a_hosts_tokens_stay_in_memory_and_keep_others_out(
    client: Client, codex_home: Path
) -> None:
    await client.request(ACCOUNT_LOGIN_START, LENT)
    updated = AccountUpdatedNotification(auth_mode="chatgptAuthTokens", plan_type="plus")
    assert await told(client, 2) == [completed(None), Notification(UPDATED, updated)]
    assert not (codex_home / "auth.json").exists()
    for other in (ApiKeyLoginAccountParams(api_key="sk-x"), ChatgptLoginAccountParams()):
        with pytest.raises(InvalidRequest, match="External auth is active"):
            await client.request(ACCOUNT_LOGIN_START, other)
    await client.request(ACCOUNT_LOGOUT)
    assert (await client.request(ACCOUNT_READ, GetAccountParams())).account is None


async def test_a_host_must_lend_a_token(client: Client) -> None:
    opaque = msgspec.structs.replace(LENT, access_token="opaque")
    with pytest.raises(InternalError, match="failed to set external auth: invalid ID token format"):
        await client.request(ACCOUNT_LOGIN_START, opaque)


async def question(client: Client) -> Question:
    async with asyncio.timeout(30):
        while True:
            await client.arrival()
            for event in client.drain():
                if event.method == ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH.name:
                    assert isinstance(event, Question)
                    return event


async def lent(client: Client, server: Server) -> asyncio.Task[bool]:
    """A recovery that is waiting for the host."""
    await client.request(ACCOUNT_LOGIN_START, LENT)
    return asyncio.create_task(server.services.auth.recovery(OPENAI).improve())


async def bearer(server: Server) -> str:
    return (await server.services.auth.headers(OPENAI))["authorization"]


async def test_a_host_hands_over_new_tokens(client: Client, server: Server) -> None:
    recovery = await lent(client, server)
    fresh = ChatgptAuthTokensRefreshResponse(
        access_token=jwt(n="fresh"), chatgpt_account_id="acct-1"
    )
    await client.answer((await question(client)).id, fresh)
    assert await recovery is True
    assert await bearer(server) == f"Bearer {fresh.access_token}"


async def test_requests_that_need_the_host_at_once_share_one_question(
    client: Client, server: Server
) -> None:
    recoveries = [await lent(client, server), await lent(client, server)]
    fresh = ChatgptAuthTokensRefreshResponse(
        access_token=jwt(n="fresh"), chatgpt_account_id="acct-1"
    )
    await client.answer((await question(client)).id, fresh)
    assert await asyncio.gather(*recoveries) == [True, True]
    assert not [event for event in client.drain() if isinstance(event, Question)]


async def test_a_host_that_refuses_leaves_the_old_tokens(client: Client, server: Server) -> None:
    recovery = await lent(client, server)
    await client.refuse((await question(client)).id, InvalidRequest("not now"))
    with pytest.raises(RefreshFailed, match=r"failed: code=-32600 message=not now$"):
        await recovery
    assert await bearer(server) == f"Bearer {LENT.access_token}"


async def test_a_client_that_cannot_answer_leaves_the_question_to_the_others(
    client: Client, connect: Connector, server: Server
) -> None:
    other = await welcomed(await connect("other"))
    recovery = await lent(client, server)
    await other.refuse((await question(other)).id, InvalidRequest("not mine"))
    fresh = ChatgptAuthTokensRefreshResponse(
        access_token=jwt(n="fresh"), chatgpt_account_id="acct-1"
    )
    await client.answer((await question(client)).id, fresh)
    assert await recovery is True
    last = asyncio.create_task(server.services.auth.recovery(OPENAI).improve())
    for each in (client, other):
        await each.refuse((await question(each)).id, InvalidRequest("nobody can"))
    with pytest.raises(RefreshFailed, match="message=nobody can"):
        await last


async def test_a_host_that_is_silent_is_not_waited_for(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lent_tokens.LIMIT_SECONDS == 10
    monkeypatch.setattr(lent_tokens, "LIMIT_SECONDS", 0.01)
    with pytest.raises(RefreshFailed, match="auth refresh request timed out after"):
        await (await lent(client, server))


async def test_a_host_that_leaves_ends_the_wait(connect: Connector, server: Server) -> None:
    client = await welcomed(await connect())
    recovery = await lent(client, server)
    await question(client)
    await connect.leave()
    with pytest.raises(RefreshFailed, match="auth refresh request canceled"):
        await recovery


async def test_a_host_must_stay_in_the_forced_workspace(
    client: Client, server: Server, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('forced_chatgpt_workspace_id = "acct-1"\n')
    elsewhere = msgspec.structs.replace(LENT, chatgpt_account_id="acct-2")
    with pytest.raises(InvalidRequest, match='must use workspace acct-1, but received "acct-2"'):
        await client.request(ACCOUNT_LOGIN_START, elsewhere)
    recovery = await lent(client, server)
    moved = ChatgptAuthTokensRefreshResponse(
        access_token=jwt("acct-2"), chatgpt_account_id="acct-2"
    )
    await client.answer((await question(client)).id, moved)
    with pytest.raises(RefreshFailed, match=r'workspace "acct-2", expected one of \["acct-1"\]'):
        await recovery
    assert await bearer(server) == f"Bearer {LENT.access_token}"
