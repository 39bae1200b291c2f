"""How much of an account is used, a word to its owner, and no secret in any of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app_server.auth.store import FileStore, StoredAuth
from app_server.client.client import Client
from app_server.protocol.account import (
    ACCOUNT_LOGOUT,
)
from app_server.protocol.errors import InternalError
from app_server.protocol.rate_limits import (
    ACCOUNT_RATE_LIMITS_READ,
    ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL,
    RateLimitSnapshot,
    RateLimitWindow,
    SendAddCreditsNudgeEmailParams,
)
from tests.server.connector import Connector
from tests.server.signing_in import begin, told, visit, welcomed
from tests.support.issuer import Issuer


@pytest.fixture
async def client(connect: Connector) -> AsyncIterator[Client]:
    return await welcomed(await connect())


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
        "rate_limit_reached_type": {"type": "workspace_owner_credits_depleted"},
        "credits": {"has_credits": True, "unlimited": False, "balance": "9.5"},
    }
    answer = await account.request(ACCOUNT_RATE_LIMITS_READ)
    assert answer.rate_limits.limit_id == "codex"
    assert answer.rate_limits.primary == RateLimitWindow(
        used_percent=42, window_duration_mins=300, resets_at=1700000000
    )
    assert answer.rate_limits.plan_type == "pro"
    assert answer.rate_limits.rate_limit_reached_type == "workspace_owner_credits_depleted"
    assert answer.rate_limits_by_limit_id is not None
    assert list(answer.rate_limits_by_limit_id) == ["codex", "other"]
    asked = issuer.asked[-1]
    assert asked.path == "/backend-api/wham/usage"
    assert asked.headers["chatgpt-account-id"] == "acct-1"
    assert asked.headers["authorization"].startswith("Bearer ")


ODD_USAGE: list[Any] = [
    {"plan_type": 5, "rate_limit": [], "credits": "many", "additional_rate_limits": {"a": 1}},
    {"rate_limit": {"primary_window": {"used_percent": "42"}}, "rate_limit_reached_type": "x"},
    {"rate_limit": {"primary_window": {"used_percent": 10**30}}},
    {"rate_limit_reached_type": {"type": "from the future"}, "additional_rate_limits": [5, {}]},
]


@pytest.mark.parametrize("usage", ODD_USAGE)
async def test_what_is_odd_in_an_answer_about_limits_counts_as_not_said(
    account: Client, issuer: Issuer, usage: Any
) -> None:
    issuer.usage = usage
    answer = await account.request(ACCOUNT_RATE_LIMITS_READ)
    assert answer.rate_limits == RateLimitSnapshot(limit_id="codex", plan_type="unknown")


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
