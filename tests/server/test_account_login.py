"""Signing in with ChatGPT through the server: browser, device code, a host's tokens."""

import asyncio
import http.client
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from app_server.auth import attempts, browser_login
from app_server.auth.errors import RefreshFailed
from app_server.auth.manager import OPENAI
from app_server.auth.store import FileStore, StoredAuth
from app_server.client.client import Client
from app_server.client.events import Notification, Question
from app_server.protocol.account import (
    ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH,
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETED,
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    ACCOUNT_UPDATED,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ApiKeyLoginAccountParams,
    CancelLoginAccountParams,
    ChatgptAccount,
    ChatgptAuthTokensLoginAccountParams,
    ChatgptAuthTokensRefreshResponse,
    ChatgptDeviceCodeLoginAccountParams,
    ChatgptDeviceCodeLoginAccountResponse,
    ChatgptLoginAccountParams,
    ChatgptLoginAccountResponse,
    GetAccountParams,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.rate_limits import (
    ACCOUNT_RATE_LIMITS_READ,
    ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL,
    RateLimitWindow,
    SendAddCreditsNudgeEmailParams,
)
from app_server.server import lent_tokens
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.test_account import told
from tests.support.issuer import Issuer, jwt

COMPLETED, UPDATED = ACCOUNT_LOGIN_COMPLETED.name, ACCOUNT_UPDATED.name
LENT = ChatgptAuthTokensLoginAccountParams(
    access_token=jwt(n="lent"), chatgpt_account_id="acct-1", chatgpt_plan_type="plus"
)
SIGNED_IN = [
    Notification(UPDATED, AccountUpdatedNotification(auth_mode="chatgpt", plan_type="pro")),
]


@pytest.fixture(autouse=True)
def _free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_login, "PORTS", (0,))


@pytest.fixture
async def client(connect: Connector) -> AsyncIterator[Client]:
    return await connect()


def completed(login_id: str | None, error: str | None = None) -> Notification:
    end = AccountLoginCompletedNotification(login_id=login_id, success=error is None, error=error)
    return Notification(COMPLETED, end)


async def begin(client: Client) -> ChatgptLoginAccountResponse:
    answer = await client.request(ACCOUNT_LOGIN_START, ChatgptLoginAccountParams())
    assert isinstance(answer, ChatgptLoginAccountResponse)
    return answer


async def visit(address: str) -> tuple[int, str]:
    """A browser without the user: one page, redirects to this machine followed."""

    def fetch() -> tuple[int, str]:
        target = address
        while True:
            parts = urlsplit(target)
            connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            if answer.status != 302:
                return answer.status, text
            target = answer.headers["location"]

    return await asyncio.to_thread(fetch)


async def test_a_browser_sign_in_is_stored_and_told_in_order(
    client: Client, issuer: Issuer, codex_home: Path
) -> None:
    started = await begin(client)
    assert started.auth_url.startswith(f"{issuer.url}/oauth/authorize?response_type=code&")
    back = issuer.authorize(started.auth_url)
    status, page = await visit(back)
    assert (status, "Signed in to Codex" in page) == (200, True)
    assert await told(client, 2) == [completed(started.login_id), *SIGNED_IN]
    account = (await client.request(ACCOUNT_READ, GetAccountParams())).account
    assert account == ChatgptAccount(email="user@example.com", plan_type="pro")
    stored = FileStore(codex_home).load()
    assert stored is not None
    assert (stored.auth_mode, stored.api_key) == ("chatgpt", None)
    assert (codex_home / "auth.json").stat().st_mode & 0o777 == 0o600


async def test_coming_back_twice_uses_the_code_once(client: Client, issuer: Issuer) -> None:
    back = issuer.authorize((await begin(client)).auth_url)
    connection = urlsplit(back)
    first, second = await asyncio.gather(visit(back), visit(back), return_exceptions=True)
    answers = [each for each in (first, second) if not isinstance(each, BaseException)]
    assert answers
    assert all(status == 200 for status, _ in answers)
    codes = [each for each in issuer.asked if each.body.get("grant_type") == "authorization_code"]
    assert len(codes) == 1
    assert connection.port


async def test_a_wrong_state_leaves_the_sign_in_open(client: Client, issuer: Issuer) -> None:
    started = await begin(client)
    back = issuer.authorize(started.auth_url)
    assert await visit(back.replace("state=", "state=x")) == (400, "State mismatch")
    await visit(back)
    assert await told(client, 2) == [completed(started.login_id), *SIGNED_IN]


async def test_a_newer_sign_in_ends_the_older_one_before_it_is_answered(
    client: Client, issuer: Issuer
) -> None:
    first = await begin(client)
    second = await begin(client)
    ended = [event for event in client.drain() if event.method == COMPLETED]
    assert ended == [completed(first.login_id, "Login server error: Login cancelled")]
    assert second.login_id != first.login_id


async def test_a_cancelled_sign_in_is_told_after_the_answer(client: Client, issuer: Issuer) -> None:
    started = await begin(client)
    cancel = CancelLoginAccountParams(login_id=started.login_id)
    assert (await client.request(ACCOUNT_LOGIN_CANCEL, cancel)).status == "canceled"
    assert await told(client, 1) == [
        completed(started.login_id, "Login server error: Login was not completed")
    ]
    assert (await client.request(ACCOUNT_LOGIN_CANCEL, cancel)).status == "notFound"


async def test_a_sign_in_nobody_finishes_times_out(
    client: Client, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LIMIT_SECONDS", 0.01)
    started = await begin(client)
    assert await told(client, 1) == [completed(started.login_id, "Login timed out")]


async def test_a_refused_code_is_told_without_secrets(client: Client, issuer: Issuer) -> None:
    started = await begin(client)
    back = issuer.authorize(started.auth_url)
    issuer.refuse("/oauth/token", 500, "<html>down</html>")
    _, page = await visit(back)
    assert "token endpoint returned status 500 Internal Server Error: a web page" in page
    problem = "Token exchange failed: token endpoint returned status 500 Internal Server Error"
    assert await told(client, 1) == [
        completed(started.login_id, f"Login server error: {problem}: a web page")
    ]


async def test_the_forced_workspace_holds_in_the_browser(
    client: Client, issuer: Issuer, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('forced_chatgpt_workspace_id = "other"\n')
    started = await begin(client)
    assert "allowed_workspace_id=other" in started.auth_url
    _, page = await visit(issuer.authorize(started.auth_url))
    assert "Login is restricted to workspace id other." in page
    assert not (codex_home / "auth.json").exists()


async def test_a_replaced_sign_in_is_given_back(
    client: Client, issuer: Issuer, codex_home: Path
) -> None:
    for _ in range(2):
        await visit(issuer.authorize((await begin(client)).auth_url))
        await told(client, 2)
    await client.request(ACCOUNT_LOGOUT)
    revoked = [each.body["token"] for each in issuer.asked if each.path == "/oauth/revoke"]
    assert len(set(revoked)) == 2
    assert not (codex_home / "auth.json").exists()


async def test_a_device_code_is_shown_and_waited_for(client: Client, issuer: Issuer) -> None:
    answer = await client.request(ACCOUNT_LOGIN_START, ChatgptDeviceCodeLoginAccountParams())
    assert isinstance(answer, ChatgptDeviceCodeLoginAccountResponse)
    assert (answer.user_code, answer.verification_url) == (
        "ABCD-1234",
        f"{issuer.url}/codex/device",
    )
    assert await told(client, 2) == [completed(answer.login_id), *SIGNED_IN]


async def test_a_service_without_device_codes_says_so(client: Client, issuer: Issuer) -> None:
    issuer.refuse("/api/accounts/deviceauth/usercode", 404)
    with pytest.raises(InternalError, match=r"^failed to request device code: device code login"):
        await client.request(ACCOUNT_LOGIN_START, ChatgptDeviceCodeLoginAccountParams())


@pytest.mark.parametrize(
    "params", [ChatgptLoginAccountParams(), ChatgptDeviceCodeLoginAccountParams()]
)
async def test_chatgpt_is_refused_where_keys_are_forced(
    client: Client, codex_home: Path, params: Any
) -> None:
    (codex_home / "config.toml").write_text('forced_login_method = "api"\n')
    with pytest.raises(InvalidRequest, match="ChatGPT login is disabled"):
        await client.request(ACCOUNT_LOGIN_START, params)
    with pytest.raises(InvalidRequest, match="External ChatGPT auth is disabled"):
        await client.request(ACCOUNT_LOGIN_START, LENT)


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


async def test_a_host_that_is_silent_is_not_waited_for(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lent_tokens.LIMIT_SECONDS == 10
    monkeypatch.setattr(lent_tokens, "LIMIT_SECONDS", 0.01)
    with pytest.raises(RefreshFailed, match="auth refresh request timed out after"):
        await (await lent(client, server))


async def test_a_host_that_leaves_ends_the_wait(connect: Connector, server: Server) -> None:
    client = await connect()
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


@pytest.fixture
async def account(client: Client, issuer: Issuer, codex_home: Path) -> Client:
    """A client of a server where somebody is signed in, with the backend on loopback."""
    (codex_home / "config.toml").write_text(f'chatgpt_base_url = "{issuer.url}/backend-api"\n')
    await visit(issuer.authorize((await begin(client)).auth_url))
    await told(client, 2)
    return client


async def test_limits_come_from_the_backend(account: Client, issuer: Issuer) -> None:
    window = {"used_percent": 42, "limit_window_seconds": 17941, "reset_at": 1700000000}
    issuer.usage = {
        "plan_type": "pro",
        "rate_limit": {"primary_window": window, "secondary_window": None},
        "additional_rate_limits": [
            {"limit_name": "Other", "metered_feature": "other", "rate_limit": None}
        ],
        "credits": {"has_credits": True, "unlimited": False, "balance": "9.5"},
    }
    answer = await account.request(ACCOUNT_RATE_LIMITS_READ)
    assert answer.rate_limits.limit_id == "codex"
    assert answer.rate_limits.primary == RateLimitWindow(
        used_percent=42, window_duration_mins=300, resets_at=1700000000
    )
    assert answer.rate_limits.plan_type == "pro"
    assert answer.rate_limits_by_limit_id is not None
    assert list(answer.rate_limits_by_limit_id) == ["codex", "other"]
    asked = issuer.asked[-1]
    assert asked.path == "/backend-api/wham/usage"
    assert asked.headers["chatgpt-account-id"] == "acct-1"
    assert asked.headers["authorization"].startswith("Bearer ")


async def test_limits_survive_a_401_by_renewing_the_tokens(account: Client, issuer: Issuer) -> None:
    for _ in range(2):
        issuer.refuse("/backend-api/wham/usage", 401)
    await account.request(ACCOUNT_RATE_LIMITS_READ)
    assert issuer.paths("/backend-api", "/oauth/token")[-4:] == [
        "/backend-api/wham/usage",
        "/backend-api/wham/usage",
        "/oauth/token",
        "/backend-api/wham/usage",
    ]


async def test_limits_that_cannot_be_read_say_why(account: Client, issuer: Issuer) -> None:
    issuer.refuse("/backend-api/wham/usage", 503, {"error": {"message": "busy"}})
    with pytest.raises(InternalError, match=r"^failed to fetch codex rate limits: .* busy$"):
        await account.request(ACCOUNT_RATE_LIMITS_READ)


async def test_an_owner_is_nudged_but_not_too_often(account: Client, issuer: Issuer) -> None:
    nudge = SendAddCreditsNudgeEmailParams(credit_type="credits")
    assert (await account.request(ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL, nudge)).status == "sent"
    path = "/backend-api/wham/accounts/send_add_credits_nudge_email"
    issuer.refuse(path, 429)
    again = await account.request(ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL, nudge)
    assert again.status == "cooldown_active"


async def test_no_secret_reaches_a_log_or_an_error(
    account: Client, issuer: Issuer, codex_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stored = FileStore(codex_home).load()
    assert isinstance(stored, StoredAuth)
    assert stored.tokens is not None
    secrets = (stored.tokens.refresh_token, stored.tokens.access_token, stored.tokens.id_token)
    for _ in range(2):
        issuer.refuse("/backend-api/wham/usage", 401)
    issuer.refuse("/oauth/token", 400, {"error": f"bad token {secrets[0]} {secrets[1]}"})
    with pytest.raises(InternalError) as failure:
        await account.request(ACCOUNT_RATE_LIMITS_READ)
    assert "Failed to refresh token: 400 Bad Request" in str(failure.value)
    await account.request(ACCOUNT_LOGOUT)
    everything = "\n".join([str(failure.value), repr(stored), caplog.text])
    assert [secret for secret in secrets if secret in everything] == []
