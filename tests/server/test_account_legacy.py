"""Signing in by the names of the first generation, beside a client that knows none of them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.protocol.account import (
    ACCOUNT_LOGIN_START,
    ApiKeyLoginAccountParams,
)
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.legacy import (
    AUTH_STATUS_CHANGE,
    CANCEL_LOGIN_CHAT_GPT,
    LOGIN_API_KEY,
    LOGIN_CHAT_GPT,
    LOGIN_CHAT_GPT_COMPLETE,
    LOGOUT_CHAT_GPT,
    USER_INFO,
    AuthStatusChangeNotification,
    CancelLoginChatGptParams,
    LoginApiKeyParams,
    LoginApiKeyResponse,
    LoginChatGptCompleteNotification,
    LogoutChatGptResponse,
    UserInfoResponse,
)
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.signing_in import visit
from tests.support.issuer import Issuer

OLDER = (AUTH_STATUS_CHANGE.name, LOGIN_CHAT_GPT_COMPLETE.name)
KEY = LoginApiKeyParams(api_key="sk-test")


async def heard(client: Client, count: int) -> list[Any]:
    events: list[Any] = []
    async with asyncio.timeout(30):
        while len(events) < count:
            await client.arrival()
            events += [event for event in client.drain() if event.method in OLDER]
    return events


def changed(method: Any) -> Notification:
    return Notification(AUTH_STATUS_CHANGE.name, AuthStatusChangeNotification(auth_method=method))


def ended(login_id: str, error: str | None = None) -> Notification:
    end = LoginChatGptCompleteNotification(login_id=login_id, success=error is None, error=error)
    return Notification(LOGIN_CHAT_GPT_COMPLETE.name, end)


async def test_a_key_signs_in_and_logging_out_forgets_it(
    connect: Connector, codex_home: Path
) -> None:
    older, newer = await connect(), await connect("newer")
    assert await older.request(LOGIN_API_KEY, KEY) == LoginApiKeyResponse()
    assert await heard(older, 1) == [changed("apikey")]
    assert await older.request(LOGOUT_CHAT_GPT) == LogoutChatGptResponse()
    assert await heard(older, 1) == [changed(None)]
    assert not (codex_home / "auth.json").exists()
    await newer.request(ACCOUNT_LOGIN_START, ApiKeyLoginAccountParams(api_key="sk-other"))
    assert await heard(older, 1) == [changed("apikey")]
    assert [event.method for event in newer.drain() if event.method in OLDER] == []


async def test_the_browser_signs_in_and_the_email_can_be_asked_for(
    connect: Connector, issuer: Issuer
) -> None:
    client = await connect()
    assert await client.request(USER_INFO) == UserInfoResponse(alleged_user_email=None)
    begun = await client.request(LOGIN_CHAT_GPT)
    await visit(issuer.authorize(begun.auth_url))
    assert await heard(client, 2) == [ended(begun.login_id), changed("chatgpt")]
    assert await client.request(USER_INFO) == UserInfoResponse(
        alleged_user_email="user@example.com"
    )


async def test_a_second_sign_in_ends_the_first_and_a_cancelled_one_says_so(
    connect: Connector, issuer: Issuer
) -> None:
    client = await connect()
    first = await client.request(LOGIN_CHAT_GPT)
    second = await client.request(LOGIN_CHAT_GPT)
    assert await heard(client, 1) == [ended(first.login_id, "Login server error: Login cancelled")]
    await client.request(CANCEL_LOGIN_CHAT_GPT, CancelLoginChatGptParams(login_id=second.login_id))
    assert await heard(client, 1) == [
        ended(second.login_id, "Login server error: Login was not completed")
    ]
    with pytest.raises(InvalidRequest, match=f"login id not found: {second.login_id}"):
        await client.request(
            CANCEL_LOGIN_CHAT_GPT, CancelLoginChatGptParams(login_id=second.login_id)
        )


async def test_a_client_that_has_left_is_forgotten(connect: Connector, server: Server) -> None:
    client = await connect()
    await client.request(LOGIN_API_KEY, KEY)
    gone = asyncio.Event()

    async def tell() -> None:
        gone.set()

    server.connections[0].when_closed(tell)
    await connect.leave()
    async with asyncio.timeout(30):
        await gone.wait()
    assert server.broadcast_listeners == []
