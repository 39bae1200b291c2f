"""Renewing tokens, giving them back, and tokens a host application lends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server import clock
from app_server.auth.errors import BadToken, RefreshFailed, Unreachable
from app_server.auth.host_tokens import HostTokens
from app_server.auth.manager import AuthManager
from app_server.auth.refresh import is_due
from app_server.auth.store import FileStore, StoredAuth, Tokens
from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Reply
from app_server.model.http import HttpClients
from app_server.protocol.account import ChatgptAccount
from tests.auth.test_manager import OPENAI, Needs
from tests.auth.test_tokens import AUTH, jwt

NOW = 1_767_607_200  # 2026-01-05T10:00:00Z
TOKEN_PATH = ("POST", "/oauth/token")
FAILED = "Your access token could not be refreshed"


def login(
    access_token: str = "old", account: str = "acct", last_refresh: str = "2026-01-05T10:00:00Z"
) -> StoredAuth:
    claims = {"email": "a@b", AUTH: {"chatgpt_plan_type": "pro"}}
    tokens = Tokens(
        id_token=jwt(claims),
        access_token=access_token,
        refresh_token=f"refresh-{access_token}",
        account_id=account,
    )
    return StoredAuth(auth_mode="chatgpt", tokens=tokens, last_refresh=last_refresh)


class SignIn:
    """A home with a ChatGPT sign-in, its manager, and the scripted service that renews it."""

    def __init__(self, home: Path, service: ScriptedModel, http: HttpClients) -> None:
        self.store = FileStore(home)
        self.store.save(login())
        self.service = service
        environment = {
            "CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"http://127.0.0.1:{service.port}/oauth/token"
        }
        self.auth = AuthManager(home, environment=environment, http=http)
        assert self.auth.mode == "chatgpt"

    def answers(self, body: Any, status: int = 200) -> None:
        self.service.routes[TOKEN_PATH] = Reply(status=status, body=body)

    @property
    def asked(self) -> list[Any]:
        return [request.body for request in self.service.requests]

    async def bearer(self) -> str:
        return (await self.auth.headers(OPENAI))["authorization"]


@pytest.fixture
async def sign_in(
    codex_home: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SignIn]:
    monkeypatch.setattr(clock, "now", lambda: float(NOW))
    async with HttpClients({}) as http:
        yield SignIn(codex_home, model, http)


async def test_new_tokens_are_stored_and_used(sign_in: SignIn) -> None:
    sign_in.answers({"access_token": "new", "refresh_token": "next"})
    assert await sign_in.auth.refresh() is True
    assert sign_in.asked == [
        {
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_token": "refresh-old",
        }
    ]
    old = login()
    assert old.tokens is not None
    renewed = msgspec.structs.replace(old.tokens, access_token="new", refresh_token="next")
    assert sign_in.store.load() == msgspec.structs.replace(
        old, tokens=renewed, last_refresh="2026-01-05T10:00:00.000Z"
    )
    assert await sign_in.bearer() == "Bearer new"


DUE = [
    (jwt({"exp": NOW + 1}), "2020-01-01T00:00:00Z", False),
    (jwt({"exp": NOW}), "2026-01-05T10:00:00Z", True),
    ("no-expiry", "2025-12-29T10:00:00Z", False),
    ("no-expiry", "2025-12-27T10:00:00Z", True),
    ("no-expiry", "2026-01-05T09:59:59.123456Z", False),
    ("no-expiry", "never", True),
]


@pytest.mark.parametrize(("access_token", "last_refresh", "due"), DUE)
def test_renewal_is_due_when_a_token_ends_or_is_old(
    access_token: str, last_refresh: str, due: bool
) -> None:
    assert is_due(login(access_token, last_refresh=last_refresh), NOW) is due


async def test_a_token_that_has_ended_is_renewed_before_it_is_used(sign_in: SignIn) -> None:
    sign_in.store.save(login(jwt({"exp": NOW - 1})))
    sign_in.auth.reload()
    sign_in.answers({"access_token": jwt({"exp": NOW + 9})})
    assert await sign_in.bearer() == f"Bearer {jwt({'exp': NOW + 9})}"
    assert len(sign_in.asked) == 1
    await sign_in.bearer()
    assert len(sign_in.asked) == 1


async def test_when_renewal_fails_the_old_token_goes_out(sign_in: SignIn) -> None:
    ended = jwt({"exp": NOW - 1})
    sign_in.store.save(login(ended))
    sign_in.auth.reload()
    sign_in.answers("down", status=503)
    assert await sign_in.bearer() == f"Bearer {ended}"


async def test_requests_that_need_renewal_at_once_share_one(sign_in: SignIn) -> None:
    sign_in.store.save(login(jwt({"exp": NOW - 1})))
    sign_in.auth.reload()
    sign_in.answers({"access_token": jwt({"exp": NOW + 9})})
    bearers = await asyncio.gather(*(sign_in.bearer() for _ in range(5)))
    assert set(bearers) == {f"Bearer {jwt({'exp': NOW + 9})}"}
    assert len(sign_in.asked) == 1


async def test_tokens_renewed_by_another_process_are_taken_over(sign_in: SignIn) -> None:
    sign_in.store.save(login("from-elsewhere"))
    assert await sign_in.auth.refresh() is True
    assert sign_in.asked == []
    assert await sign_in.bearer() == "Bearer from-elsewhere"


FINAL = [
    ({"error": {"code": "refresh_token_expired"}}, 401, "because your refresh token has expired"),
    ({"error": "refresh_token_reused"}, 401, "because your refresh token was already used"),
    ({"code": "refresh_token_invalidated"}, 400, "because your refresh token was revoked"),
]


@pytest.mark.parametrize(("body", "status", "because"), FINAL)
async def test_a_final_refusal_is_remembered_until_the_tokens_change(
    sign_in: SignIn, body: Any, status: int, because: str
) -> None:
    sign_in.answers(body, status)
    for _ in range(3):
        with pytest.raises(RefreshFailed) as failure:
            await sign_in.auth.refresh()
        assert str(failure.value) == f"{FAILED} {because}. Please log out and sign in again."
        assert failure.value.is_final
    assert len(sign_in.asked) == 1
    sign_in.store.save(login("signed-in-again"))
    sign_in.auth.reload()
    sign_in.answers({"access_token": "new"})
    await sign_in.auth.refresh()
    assert await sign_in.bearer() == "Bearer new"


async def test_a_401_without_a_known_code_is_final_too(sign_in: SignIn) -> None:
    sign_in.answers({}, 401)
    with pytest.raises(RefreshFailed) as failure:
        await sign_in.auth.refresh()
    assert str(failure.value) == f"{FAILED}. Please log out and sign in again."


async def test_other_failures_may_pass(sign_in: SignIn) -> None:
    sign_in.answers("busy", 500)
    for _ in range(2):
        with pytest.raises(RefreshFailed) as failure:
            await sign_in.auth.refresh()
        assert str(failure.value) == "Failed to refresh token: 500 Internal Server Error: busy"
        assert not failure.value.is_final
    assert len(sign_in.asked) == 2
    sign_in.answers("not json")
    with pytest.raises(RefreshFailed, match="not in the form we know"):
        await sign_in.auth.refresh()


async def test_another_account_on_disk_stops_the_renewal(sign_in: SignIn) -> None:
    sign_in.store.save(login("b", account="other"))
    with pytest.raises(RefreshFailed, match="signed in to another account"):
        await sign_in.auth.refresh()
    assert sign_in.asked == []


async def test_after_a_401_tokens_are_looked_up_then_renewed_then_given_up(
    sign_in: SignIn,
) -> None:
    sign_in.answers({"access_token": "new"})
    recovery = sign_in.auth.recovery(OPENAI)
    assert await recovery.improve() is True
    assert (await sign_in.bearer(), len(sign_in.asked)) == ("Bearer old", 0)
    assert await recovery.improve() is True
    assert (await sign_in.bearer(), len(sign_in.asked)) == ("Bearer new", 1)
    assert await recovery.improve() is False
    assert await sign_in.auth.recovery(Needs()).improve() is False


async def test_tokens_are_given_back_when_signing_out(sign_in: SignIn) -> None:
    sign_in.service.routes["POST", "/oauth/revoke"] = Reply(body={})
    await sign_in.auth.revoke()
    assert sign_in.asked == [
        {
            "token": "refresh-old",
            "token_type_hint": "refresh_token",
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        }
    ]
    sign_in.service.routes["POST", "/oauth/revoke"] = Reply(status=500)
    await sign_in.auth.revoke()
    assert sign_in.auth.logout() is True


async def test_a_service_that_is_not_there_is_unreachable() -> None:
    async with HttpClients({}) as http:
        with pytest.raises(Unreachable, match="Connection refused"):
            await http.post("http://127.0.0.1:1/oauth/token", json={})
        with pytest.raises(Unreachable):
            await http.post("nonsense", form={"a": "b"})


LENT = HostTokens(
    access_token=jwt({"email": "host@b", AUTH: {"chatgpt_plan_type": "plus"}}), account_id="acct"
)


async def test_a_hosts_tokens_win_over_the_stored_login_and_are_not_written(
    sign_in: SignIn,
) -> None:
    sign_in.auth.login_with_host_tokens(LENT)
    assert sign_in.auth.is_lent
    assert sign_in.auth.plan_type == "plus"
    assert sign_in.auth.account(requires_openai_auth=True).account == ChatgptAccount(
        email="host@b", plan_type="plus"
    )
    assert await sign_in.auth.headers(OPENAI) == {
        "authorization": f"Bearer {LENT.access_token}",
        "chatgpt-account-id": "acct",
    }
    assert sign_in.store.load() == login()
    assert await sign_in.auth.refresh() is False
    assert sign_in.auth.logout() is True
    assert sign_in.auth.credentials is None


def test_the_plan_a_host_names_wins_over_the_tokens(codex_home: Path) -> None:
    auth = AuthManager(codex_home, environment={})
    auth.login_with_host_tokens(msgspec.structs.replace(LENT, plan="pro"))
    assert auth.plan_type == "pro"
    bare = HostTokens(access_token=jwt({"email": "a@b"}), account_id="x")
    auth.login_with_host_tokens(bare)
    assert auth.plan_type == "unknown"


def test_a_host_must_lend_a_token_one_can_read(codex_home: Path) -> None:
    auth = AuthManager(codex_home, environment={})
    with pytest.raises(BadToken, match=r"^failed to set external auth: invalid ID token format$"):
        auth.login_with_host_tokens(HostTokens(access_token="opaque", account_id="x"))


async def test_a_host_is_asked_once_for_new_tokens_after_a_401(codex_home: Path) -> None:
    asked: list[str | None] = []
    fresh = HostTokens(access_token=jwt({"email": "a@b", "n": 2}), account_id="acct")

    async def ask_host(account_id: str | None) -> HostTokens:
        asked.append(account_id)
        return fresh

    auth = AuthManager(codex_home, environment={}, ask_host=ask_host)
    auth.login_with_host_tokens(LENT)
    recovery = auth.recovery(OPENAI)
    assert await recovery.improve() is True
    assert await recovery.improve() is False
    assert asked == ["acct"]
    assert (await auth.headers(OPENAI))["authorization"] == f"Bearer {fresh.access_token}"
    auth.ask_host = None
    assert await auth.recovery(OPENAI).improve() is False
