"""Renewing when something is in the way: another process, a full disk, a silent service."""

import asyncio
import errno
import fcntl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app_server import clock
from app_server.auth import manager
from app_server.auth.backend import MAX_SHOWN_CHARACTERS
from app_server.auth.errors import RefreshFailed, StoreFailed
from app_server.auth.host_tokens import HostTokens
from app_server.auth.manager import AuthManager
from app_server.auth.needs import OPENAI
from app_server.auth.renewal_lock import renewal_lock
from app_server.auth.store import FileStore, StoredAuth, Tokens
from app_server.model.http import HttpClients
from tests.support.issuer import Issuer, jwt


@pytest.fixture
async def http() -> AsyncIterator[HttpClients]:
    async with HttpClients({}) as clients:
        yield clients


@pytest.fixture
def signed_in(codex_home: Path) -> FileStore:
    tokens = Tokens(
        id_token=jwt(),
        access_token=jwt(exp=1),
        refresh_token="planted-refresh-secret-0",
        account_id="acct-1",
    )
    store = FileStore(codex_home)
    store.save(
        StoredAuth(auth_mode="chatgpt", tokens=tokens, last_refresh="2026-01-01T00:00:00.000Z")
    )
    return store


async def test_processes_that_share_a_home_renew_once(
    codex_home: Path, signed_in: FileStore, http: HttpClients, issuer: Issuer
) -> None:
    managers = [AuthManager(codex_home, http=http) for _ in range(3)]
    headers = await asyncio.gather(*(manager.headers(OPENAI) for manager in managers))
    assert issuer.paths("/oauth/token") == ["/oauth/token"]
    assert len({each["authorization"] for each in headers}) == 1


async def test_a_home_is_locked_by_one_at_a_time(codex_home: Path) -> None:
    order: list[str] = []

    async def hold(name: str) -> None:
        async with renewal_lock(codex_home):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(hold("a"), hold("b"))
    assert order in (["a in", "a out", "b in", "b out"], ["b in", "b out", "a in", "a out"])


async def test_renewed_tokens_that_cannot_be_stored_are_used_all_the_same(
    codex_home: Path,
    signed_in: FileStore,
    http: HttpClients,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full_disk(store: FileStore, auth: StoredAuth) -> None:
        raise StoreFailed("write", store.path, "No space left on device")

    monkeypatch.setattr(FileStore, "save", full_disk)
    auth = AuthManager(codex_home, http=http)
    old = (await auth.ready()).bearer.reveal()  # type: ignore[union-attr]
    assert await auth.refresh() is True
    renewed = (await auth.headers(OPENAI))["authorization"]
    assert renewed != f"Bearer {old}"
    auth.reload()
    assert (await auth.headers(OPENAI))["authorization"] == renewed


async def test_a_service_that_cannot_be_reached_leaves_the_old_tokens_in_use(
    codex_home: Path,
    signed_in: FileStore,
    http: HttpClients,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "http://127.0.0.1:1/oauth/token")
    auth = AuthManager(codex_home, http=http)
    with pytest.raises(RefreshFailed, match="cannot reach") as failure:
        await auth.refresh()
    assert not failure.value.is_final
    assert (await auth.headers(OPENAI))["authorization"] == f"Bearer {jwt(exp=1)}"


async def test_signing_out_elsewhere_leaves_nothing_to_send(
    codex_home: Path, signed_in: FileStore, http: HttpClients, issuer: Issuer
) -> None:
    auth = AuthManager(codex_home, http=http)
    await auth.ready()
    signed_in.delete()
    assert await auth.headers(OPENAI) == {}
    assert issuer.asked == []


@pytest.fixture
async def slow_service(issuer: Issuer) -> AsyncIterator[Issuer]:
    """A service that answers a renewal only when `issuer.go_on` is set."""
    issuer.waits_at("/oauth/token")
    yield issuer
    issuer.go_on.set()


async def test_a_renewal_goes_on_when_the_turn_that_needed_it_is_interrupted(
    codex_home: Path, signed_in: FileStore, http: HttpClients, slow_service: Issuer
) -> None:
    auth = AuthManager(codex_home, http=http)
    turn = asyncio.create_task(auth.headers(OPENAI))
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    slow_service.go_on.set()
    await auth.close()
    kept = signed_in.load()
    assert kept is not None
    assert kept.tokens is not None
    assert kept.tokens.refresh_token != "planted-refresh-secret-0"


async def test_those_who_wait_for_a_renewal_share_its_failure(
    codex_home: Path, signed_in: FileStore, http: HttpClients, slow_service: Issuer
) -> None:
    slow_service.refuse("/oauth/token", 500, "down")
    auth = AuthManager(codex_home, http=http)
    first = asyncio.create_task(auth.refresh())
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    second = asyncio.create_task(auth.refresh())
    await asyncio.sleep(0)
    slow_service.go_on.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RefreshFailed, RefreshFailed]
    assert slow_service.paths("/oauth/token") == ["/oauth/token"]


async def test_signing_out_during_a_renewal_stays_signed_out(
    codex_home: Path, signed_in: FileStore, http: HttpClients, slow_service: Issuer
) -> None:
    auth = AuthManager(codex_home, http=http)
    renewal = asyncio.create_task(auth.refresh())
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    auth.logout()
    slow_service.go_on.set()
    await renewal
    assert auth.credentials is None
    assert signed_in.load() is None


async def test_signing_out_in_another_process_waits_for_a_renewal_and_stays_signed_out(
    codex_home: Path,
    signed_in: FileStore,
    http: HttpClients,
    slow_service: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manager, "SIGN_OUT_WAIT_SECONDS", 30)
    here, elsewhere = (AuthManager(codex_home, http=http) for _ in range(2))
    renewal = asyncio.create_task(here.refresh())
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    signing_out = asyncio.create_task(elsewhere.sign_out())
    slow_service.go_on.set()
    assert await asyncio.gather(renewal, signing_out) == [True, True]
    assert signed_in.load() is None
    given_back = [each.body["token"] for each in slow_service.asked if "revoke" in each.path]
    assert given_back == ["planted-refresh-secret-2"]


async def test_a_host_that_lends_tokens_during_a_renewal_takes_nothing_from_the_store(
    codex_home: Path, signed_in: FileStore, http: HttpClients, slow_service: Issuer
) -> None:
    auth = AuthManager(codex_home, http=http)
    renewal = asyncio.create_task(auth.refresh())
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    auth.login_with_host_tokens(HostTokens(access_token=jwt(n="lent"), account_id="acct-1"))
    slow_service.go_on.set()
    await renewal
    assert auth.is_lent
    kept = signed_in.load()
    assert kept is not None
    assert kept.tokens is not None
    assert kept.tokens.refresh_token != "planted-refresh-secret-0"


async def test_a_clock_that_is_ahead_does_not_renew_before_every_request(
    codex_home: Path,
    signed_in: FileStore,
    http: HttpClients,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: 5_000_000_000.0)
    auth = AuthManager(codex_home, http=http)
    for _ in range(3):
        assert await auth.headers(OPENAI)
    assert issuer.paths("/oauth/token") == ["/oauth/token"]
    assert "by this machine's clock" in caplog.text


async def test_renewed_tokens_of_another_workspace_are_not_taken(
    codex_home: Path, signed_in: FileStore, http: HttpClients, issuer: Issuer
) -> None:
    issuer.account = "acct-2"
    auth = AuthManager(codex_home, http=http)
    with pytest.raises(RefreshFailed, match="signed in to another account") as failure:
        await auth.refresh()
    assert failure.value.is_final
    kept = signed_in.load()
    assert kept is not None
    assert kept.tokens is not None
    assert kept.tokens.refresh_token == "planted-refresh-secret-0"


BAD_ANSWERS = ["<html>proxy</html>", "", "[" * 100_000, "null", '{"access_token": 5}']


@pytest.mark.parametrize("answer", BAD_ANSWERS, ids=range(len(BAD_ANSWERS)))
async def test_an_answer_that_is_none_leaves_the_old_tokens(
    codex_home: Path, signed_in: FileStore, http: HttpClients, issuer: Issuer, answer: str
) -> None:
    issuer.refuse("/oauth/token", 200, answer)
    auth = AuthManager(codex_home, http=http)
    with pytest.raises(RefreshFailed, match="not in the form we know") as failure:
        await auth.refresh()
    assert not failure.value.is_final
    assert await auth.refresh() is True


async def test_tokens_of_another_issuer_are_renewed_and_given_back_there(
    codex_home: Path,
    signed_in: FileStore,
    http: HttpClients,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CODEX_REFRESH_TOKEN_URL_OVERRIDE")
    monkeypatch.setenv("CODEX_APP_SERVER_LOGIN_CLIENT_ID", "app_tests")
    auth = AuthManager(codex_home, http=http)
    await auth.refresh()
    await auth.revoke()
    assert [(each.path, each.body["client_id"]) for each in issuer.asked] == [
        ("/oauth/token", "app_tests"),
        ("/oauth/revoke", "app_tests"),
    ]


async def test_a_sign_in_made_elsewhere_during_a_renewal_is_not_overwritten(
    codex_home: Path, signed_in: FileStore, http: HttpClients, slow_service: Issuer
) -> None:
    auth = AuthManager(codex_home, http=http)
    renewal = asyncio.create_task(auth.refresh())
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    elsewhere = StoredAuth(auth_mode="apikey", api_key="sk-of-another-terminal")
    AuthManager(codex_home).keep(elsewhere)
    slow_service.go_on.set()
    await renewal
    assert signed_in.load() == elsewhere


async def test_signing_out_elsewhere_that_does_not_wait_stays_signed_out(
    codex_home: Path, signed_in: FileStore, http: HttpClients, slow_service: Issuer
) -> None:
    auth = AuthManager(codex_home, http=http)
    renewal = asyncio.create_task(auth.refresh())
    await asyncio.to_thread(slow_service.wait_until_asked, "/oauth/token")
    AuthManager(codex_home).logout()
    slow_service.go_on.set()
    await renewal
    assert signed_in.load() is None


async def test_a_home_that_knows_no_locks_keeps_nobody_waiting(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    async with asyncio.timeout(30), renewal_lock(codex_home):
        pass


async def test_tokens_that_a_service_repeats_are_not_shown_however_long_its_answer(
    codex_home: Path, signed_in: FileStore, http: HttpClients, issuer: Issuer
) -> None:
    echoed = "x" * (MAX_SHOWN_CHARACTERS - 12) + "planted-refresh-secret-0"
    issuer.refuse("/oauth/token", 500, echoed)
    with pytest.raises(RefreshFailed, match="xxx") as failure:
        await AuthManager(codex_home, http=http).refresh()
    assert "planted" not in str(failure.value)
