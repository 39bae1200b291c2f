"""Signing in with a key, reading who is signed in, signing out."""

import stat
from pathlib import Path

import pytest

from app_server.client.events import Notification
from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETED,
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    ACCOUNT_UPDATED,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ApiKeyAccount,
    ApiKeyLoginAccountParams,
    ApiKeyLoginAccountResponse,
    CancelLoginAccountParams,
    CancelLoginAccountResponse,
    GetAccountParams,
    GetAccountResponse,
)
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.legacy import GET_AUTH_STATUS, GetAuthStatusParams, GetAuthStatusResponse
from app_server.protocol.rate_limits import ACCOUNT_RATE_LIMITS_READ
from tests.server.connector import Connector
from tests.server.signing_in import told, welcomed

KEY = ApiKeyLoginAccountParams(api_key="sk-test")


async def test_signing_in_with_a_key_answers_then_tells_everyone(
    connect: Connector, codex_home: Path
) -> None:
    client = await welcomed(await connect())
    other = await welcomed(await connect("other"))
    assert await client.request(ACCOUNT_READ, GetAccountParams()) == GetAccountResponse(
        account=None, requires_openai_auth=True
    )
    assert await client.request(ACCOUNT_LOGIN_START, KEY) == ApiKeyLoginAccountResponse()
    expected = [
        Notification(ACCOUNT_LOGIN_COMPLETED.name, AccountLoginCompletedNotification(success=True)),
        Notification(ACCOUNT_UPDATED.name, AccountUpdatedNotification(auth_mode="apikey")),
    ]
    assert await told(client, 2) == expected
    assert await told(other, 2) == expected
    assert await client.request(ACCOUNT_READ, GetAccountParams()) == GetAccountResponse(
        account=ApiKeyAccount(), requires_openai_auth=True
    )
    assert stat.S_IMODE((codex_home / "auth.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", " \n", "two words", "sk-planted\nx: y", "sk-ключ"])
async def test_what_is_no_key_is_refused_and_not_stored(
    connect: Connector, codex_home: Path, key: str
) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest, match="is not an API key") as failure:
        await client.request(ACCOUNT_LOGIN_START, ApiKeyLoginAccountParams(api_key=key))
    assert "planted" not in str(failure.value)
    assert not (codex_home / "auth.json").exists()


async def test_signing_out_forgets_the_key(connect: Connector, codex_home: Path) -> None:
    client = await welcomed(await connect())
    await client.request(ACCOUNT_LOGIN_START, KEY)
    await told(client, 2)
    await client.request(ACCOUNT_LOGOUT)
    assert await told(client, 1) == [
        Notification(ACCOUNT_UPDATED.name, AccountUpdatedNotification())
    ]
    assert not (codex_home / "auth.json").exists()


async def test_the_key_is_given_out_only_when_asked_for(connect: Connector) -> None:
    client = await connect()
    await client.request(ACCOUNT_LOGIN_START, KEY)
    assert await client.request(GET_AUTH_STATUS, GetAuthStatusParams()) == GetAuthStatusResponse(
        auth_method="apikey", requires_openai_auth=True
    )
    with_token = GetAuthStatusParams(include_token=True)
    assert (await client.request(GET_AUTH_STATUS, with_token)).auth_token == "sk-test"


async def test_a_provider_without_openai_sign_in_has_no_account(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('model_provider = "ollama"\n')
    client = await connect()
    await client.request(ACCOUNT_LOGIN_START, KEY)
    assert await client.request(ACCOUNT_READ, GetAccountParams()) == GetAccountResponse(
        account=None, requires_openai_auth=False
    )
    assert await client.request(GET_AUTH_STATUS, GetAuthStatusParams()) == GetAuthStatusResponse(
        requires_openai_auth=False
    )


async def test_keys_are_refused_where_the_administrator_forces_chatgpt(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('forced_login_method = "chatgpt"\n')
    client = await connect()
    with pytest.raises(InvalidRequest, match="API key login is disabled"):
        await client.request(ACCOUNT_LOGIN_START, KEY)


async def test_cancelling_a_sign_in_that_is_not_there(connect: Connector) -> None:
    client = await connect()
    unknown = CancelLoginAccountParams(login_id="5f7e9a70-52a5-4f0e-8b2a-0d5b6c3f1a11")
    assert await client.request(ACCOUNT_LOGIN_CANCEL, unknown) == CancelLoginAccountResponse(
        status="notFound"
    )
    with pytest.raises(InvalidRequest, match="invalid login id: zz"):
        await client.request(ACCOUNT_LOGIN_CANCEL, CancelLoginAccountParams(login_id="zz"))


async def test_rate_limits_need_a_chatgpt_account(connect: Connector) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest, match=r"^codex account authentication required"):
        await client.request(ACCOUNT_RATE_LIMITS_READ)
    await client.request(ACCOUNT_LOGIN_START, KEY)
    with pytest.raises(InvalidRequest, match=r"^chatgpt authentication required"):
        await client.request(ACCOUNT_RATE_LIMITS_READ)
