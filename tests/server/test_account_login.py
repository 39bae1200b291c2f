"""Signing in with ChatGPT through the server: by browser and by device code."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app_server.auth import attempts
from app_server.auth.errors import RefreshFailed
from app_server.auth.needs import OPENAI
from app_server.auth.store import FileStore, StoredAuth
from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETE,
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    AccountUpdatedNotification,
    ApiKeyAccount,
    CancelLoginAccountParams,
    ChatgptAccount,
    ChatgptDeviceCodeLoginAccountParams,
    ChatgptDeviceCodeLoginAccountResponse,
    ChatgptLoginAccountParams,
    CompleteLoginAccountParams,
    GetAccountParams,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.signing_in import (
    COMPLETED,
    LENT,
    SIGNED_IN,
    UPDATED,
    begin,
    completed,
    told,
    visit,
    welcomed,
)
from tests.support.issuer import Issuer

BOUND_SECONDS = 30


@pytest.fixture
async def client(connect: Connector) -> AsyncIterator[Client]:
    return await welcomed(await connect())


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


async def test_the_address_a_browser_elsewhere_ended_on_can_be_handed_in(
    client: Client, issuer: Issuer
) -> None:
    started = await begin(client)
    back = issuer.authorize(started.auth_url)
    foreign = back.replace("state=", "state=x")
    for address in (foreign, "http://[", "not an address", ""):
        wrong = CompleteLoginAccountParams(login_id=started.login_id, callback_url=address)
        with pytest.raises(InvalidRequest, match="not the address that this sign-in ends on"):
            await client.request(ACCOUNT_LOGIN_COMPLETE, wrong)
    pasted = CompleteLoginAccountParams(login_id=started.login_id, callback_url=f" {back}\n")
    await client.request(ACCOUNT_LOGIN_COMPLETE, pasted)
    assert await told(client, 2) == [completed(started.login_id), *SIGNED_IN]
    with pytest.raises(InvalidRequest):
        await client.request(ACCOUNT_LOGIN_COMPLETE, pasted)


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


async def test_a_sign_in_that_is_kept_already_cannot_be_cancelled_any_more(
    client: Client, issuer: Issuer
) -> None:
    started = await begin(client)
    assert await visit(issuer.authorize(started.auth_url), follow=False) == (302, "")
    cancel = CancelLoginAccountParams(login_id=started.login_id)
    await client.request(ACCOUNT_LOGIN_CANCEL, cancel)
    assert await told(client, 2) == [completed(started.login_id), *SIGNED_IN]


class SlowWrite:
    """A place that takes its time with the first sign-in it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        save = FileStore.save

        def slow(store: FileStore, auth: StoredAuth) -> None:
            if not self.has_begun.is_set():
                self.has_begun.set()
                assert self.may_end.wait(BOUND_SECONDS)
            save(store, auth)

        monkeypatch.setattr(FileStore, "save", slow)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.has_begun.wait, BOUND_SECONDS)


@pytest.mark.parametrize("before", [None, StoredAuth(auth_mode="apikey", api_key="sk-before")])
@pytest.mark.parametrize("way", ["browser", "code"])
async def test_a_sign_in_given_up_while_it_is_stored_leaves_all_as_it_was(
    connect: Connector,
    issuer: Issuer,
    codex_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    before: StoredAuth | None,
) -> None:
    if before is not None:
        FileStore(codex_home).save(before)
    client = await welcomed(await connect())
    writing = SlowWrite(monkeypatch)
    started: Any
    visiting: list[Any] = []
    if way == "browser":
        started = await begin(client)
        visiting.append(asyncio.create_task(visit(issuer.authorize(started.auth_url))))
    else:
        started = await client.request(ACCOUNT_LOGIN_START, ChatgptDeviceCodeLoginAccountParams())
    await writing.begun()
    cancel = CancelLoginAccountParams(login_id=started.login_id)
    assert (await client.request(ACCOUNT_LOGIN_CANCEL, cancel)).status == "canceled"
    (ended,) = await told(client, 1)
    assert not ended.params.success
    writing.may_end.set()
    await asyncio.to_thread(issuer.wait_until_asked, "/oauth/revoke")
    await asyncio.gather(*visiting, return_exceptions=True)
    account = (await client.request(ACCOUNT_READ, GetAccountParams())).account
    assert account == (None if before is None else ApiKeyAccount())
    assert FileStore(codex_home).load() == before


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
    await asyncio.to_thread(issuer.wait_until_asked, "/oauth/revoke", 2)
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


async def test_signed_out_the_next_request_finds_a_sign_in_made_elsewhere(
    client: Client, server: Server, codex_home: Path
) -> None:
    auth = server.services.auth
    assert await auth.headers(OPENAI) == {}
    FileStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="sk-elsewhere"))
    assert await auth.headers(OPENAI) == {"authorization": "Bearer sk-elsewhere"}
    changed = AccountUpdatedNotification(auth_mode="apikey")
    assert await told(client, 1) == [Notification(UPDATED, changed)]


async def test_a_sign_in_by_another_process_is_told_when_it_is_found(
    client: Client, server: Server, issuer: Issuer, codex_home: Path
) -> None:
    await visit(issuer.authorize((await begin(client)).auth_url))
    await told(client, 2)
    FileStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="sk-other"))
    with pytest.raises(RefreshFailed, match="signed in to another account"):
        await server.services.auth.recovery(OPENAI).improve()
    changed = AccountUpdatedNotification(auth_mode="apikey")
    assert await told(client, 1) == [Notification(UPDATED, changed)]
