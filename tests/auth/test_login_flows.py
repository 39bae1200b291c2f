"""Signing in through a browser, against a scripted sign-in service; what holds for every way."""

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app_server.auth import browser_login, device_login
from app_server.auth.browser_login import BrowserLogin, Keep
from app_server.auth.device_login import request_code
from app_server.auth.errors import LoginFailed, StoreFailed, Unreachable
from app_server.auth.exchange import Issuer, challenge_for
from app_server.auth.store import StoredAuth
from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Reply
from app_server.model import http as model_http
from app_server.model.http import HttpClients
from tests.auth.test_tokens import AUTH, jwt

BOUND_SECONDS = 30
TOKENS = {
    "id_token": jwt({"email": "a@b", AUTH: {"chatgpt_account_id": "acct"}}),
    "access_token": "access",
    "refresh_token": "refresh",
}


@pytest.fixture
async def clients(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpClients]:
    monkeypatch.setattr(device_login, "SHORTEST_INTERVAL_SECONDS", 0)
    async with HttpClients({}) as found:
        yield found


@pytest.fixture
def issuer(model: ScriptedModel) -> Issuer:
    model.routes["POST", "/oauth/token"] = Reply(body=TOKENS)
    return Issuer(url=f"http://127.0.0.1:{model.port}")


def browser(
    clients: HttpClients, issuer: Issuer, keep: Keep = lambda stored: None, **options: Any
) -> BrowserLogin:
    return BrowserLogin(clients, issuer, keep, originator="tests", **{"ports": (0,), **options})


async def get(
    login: BrowserLogin, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    """What a browser gets from the loopback server, redirects not followed."""

    def fetch() -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", login.port, timeout=BOUND_SECONDS)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer

    return await asyncio.to_thread(fetch)


def state_of(login: BrowserLogin) -> str:
    return asked_of(login)["state"]


def asked_of(login: BrowserLogin) -> dict[str, str]:
    query = parse_qs(urlsplit(login.auth_url).query)
    return {name: values[0] for name, values in query.items()}


async def test_the_address_asks_for_what_the_service_knows(
    clients: HttpClients, issuer: Issuer
) -> None:
    async with browser(clients, issuer, workspace_id="w") as login:
        asked = asked_of(login)
        assert login.auth_url.startswith(f"{issuer.url}/oauth/authorize?response_type=code&")
        assert len(asked.pop("state")) == 43
        assert len(asked.pop("code_challenge")) == 43
        assert asked == {
            "response_type": "code",
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "redirect_uri": f"http://localhost:{login.port}/auth/callback",
            "scope": (
                "openid profile email offline_access api.connectors.read api.connectors.invoke"
            ),
            "code_challenge_method": "S256",
            "id_token_add_organizations": "true",
            "codex_cli_simplified_flow": "true",
            "originator": "tests",
            "allowed_workspace_id": "w",
        }


async def test_coming_back_with_a_code_signs_in(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    kept: list[StoredAuth] = []
    async with browser(clients, issuer, kept.append) as login:
        waiting = asyncio.create_task(login.wait())
        answer = await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        assert answer.status == 302
        location = urlsplit(answer.headers["location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == (
            f"http://localhost:{login.port}/success"
        )
        page = await get(login, location.path)
        assert "Signed in to Codex" in page.text  # type: ignore[attr-defined]
        async with asyncio.timeout(BOUND_SECONDS):
            stored = await waiting
        challenge = asked_of(login)["code_challenge"]
    assert kept == [stored]
    assert (stored.auth_mode, stored.api_key) == ("chatgpt", "access")
    assert stored.tokens is not None
    assert (stored.tokens.account_id, stored.tokens.refresh_token) == ("acct", "refresh")
    code, key = (parse_qs(request.text) for request in model.requests)
    assert (code["grant_type"], code["code"]) == (["authorization_code"], ["c"])
    assert challenge_for(code["code_verifier"][0]) == challenge
    assert key["requested_token"] == ["openai-api-key"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("error=access_denied", "Sign-in failed: access_denied"),
        ("error=x&error_description=No%20luck", "Sign-in failed: No luck"),
        (
            "error=access_denied&error_description=missing_codex_entitlement",
            browser_login.NOT_ENTITLED,
        ),
        ("", "Missing authorization code. Sign-in could not be completed."),
    ],
)
async def test_coming_back_with_an_error_ends_the_attempt_with_it(
    clients: HttpClients, issuer: Issuer, query: str, problem: str
) -> None:
    async with browser(clients, issuer) as login:
        page = await get(login, f"/auth/callback?state={state_of(login)}&{query}")
        assert page.status == 200
        assert problem in page.text  # type: ignore[attr-defined]
        with pytest.raises(LoginFailed) as failure:
            await login.wait()
        assert str(failure.value) == problem


async def test_an_error_page_shows_no_markup_from_outside(
    clients: HttpClients, issuer: Issuer
) -> None:
    async with browser(clients, issuer) as login:
        query = "error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
        page = await get(login, f"/auth/callback?state={state_of(login)}&{query}")
        assert "<script" not in page.text  # type: ignore[attr-defined]


async def test_a_wrong_state_leaves_the_attempt_open(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    async with browser(clients, issuer) as login:
        for path in ("/auth/callback?code=c", "/auth/callback?code=c&state=wrong"):
            answer = await get(login, path)
            assert (answer.status, answer.text) == (400, "State mismatch")  # type: ignore[attr-defined]
        assert (await get(login, "/favicon.ico")).status == 404
        assert (await get(login, "/success")).status == 404
        assert (await get(login, "/auth/callback", "POST")).status == 404
        assert model.requests == []
        answer = await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        assert answer.status == 302


async def test_a_refused_code_says_what_the_service_said(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    model.routes["POST", "/oauth/token"] = Reply(
        status=400, body={"error": "invalid_grant", "error_description": "code expired"}
    )
    async with browser(clients, issuer) as login:
        await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        with pytest.raises(LoginFailed) as failure:
            await login.wait()
    assert str(failure.value) == (
        "Token exchange failed: token endpoint returned status 400 Bad Request: code expired"
    )


async def test_another_workspace_is_turned_away_and_nothing_is_kept(
    clients: HttpClients, issuer: Issuer
) -> None:
    kept: list[StoredAuth] = []
    async with browser(clients, issuer, kept.append, workspace_id="other") as login:
        waiting = asyncio.create_task(login.wait())
        await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        with pytest.raises(LoginFailed, match="Login is restricted to workspace id other"):
            await waiting
    assert kept == []


async def test_a_sign_in_that_cannot_be_kept_is_a_failure(
    clients: HttpClients, issuer: Issuer
) -> None:
    def full(stored: StoredAuth) -> None:
        raise StoreFailed("write", "auth.json", "No space left on device")

    async with browser(clients, issuer, full) as login:
        waiting = asyncio.create_task(login.wait())
        await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        with pytest.raises(LoginFailed, match="No space left on device"):
            await waiting


async def test_an_attempt_can_be_cancelled_from_inside_and_by_a_newer_one(
    clients: HttpClients, issuer: Issuer
) -> None:
    async with browser(clients, issuer) as login:
        login.cancel()
        with pytest.raises(LoginFailed, match="Login was not completed"):
            await login.wait()
    async with browser(clients, issuer) as login:
        waiting = asyncio.create_task(login.wait())
        answer = await get(login, "/cancel")
        assert (answer.status, answer.text) == (200, "Login cancelled")  # type: ignore[attr-defined]
        with pytest.raises(LoginFailed, match="Login cancelled"):
            await waiting


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_login, "PORT_TRY_SECONDS", 0.01)


async def test_an_older_attempt_gives_its_port_to_a_newer_one(
    clients: HttpClients, issuer: Issuer
) -> None:
    async with asyncio.TaskGroup() as group:
        taken = asyncio.get_running_loop().create_future()

        async def older() -> None:
            async with browser(clients, issuer) as login:
                taken.set_result(login.port)
                with pytest.raises(LoginFailed, match="Login cancelled"):
                    await login.wait()

        group.create_task(older())
        port = await taken
        async with browser(clients, issuer, ports=(port,)) as newer:
            assert newer.port == port


@pytest.mark.usefixtures("impatient")
async def test_a_held_port_leads_to_the_next_and_then_to_an_error(
    clients: HttpClients, issuer: Issuer
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        held = holder.getsockname()[1]
        async with browser(clients, issuer, ports=(held, 0)) as login:
            assert login.port not in (0, held)
        with pytest.raises(LoginFailed, match=f"Port 127.0.0.1:{held} is already in use"):
            async with browser(clients, issuer, ports=(held,)):
                pass


DEVICE = "/api/accounts/deviceauth"


BAD_SERVICES = [
    (Reply(body="<html>a proxy</html>"), "an answer without the three tokens"),
    (Reply(body={"id_token": "x"}), "an answer without the three tokens"),
    (Reply(body=""), "an answer without the three tokens"),
    (Reply(status=500, body="<html>down</html>"), "500 Internal Server Error: a web page"),
    (Reply(status=302, body=""), "returned status 302 Found"),
    (Reply(body={**TOKENS, "id_token": "opaque"}), "invalid ID token format"),
]


@pytest.mark.parametrize(("reply", "words"), BAD_SERVICES, ids=range(len(BAD_SERVICES)))
async def test_a_service_that_answers_nonsense_ends_the_attempt_with_words(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel, reply: Reply, words: str
) -> None:
    kept: list[StoredAuth] = []
    model.routes["POST", "/oauth/token"] = reply
    async with browser(clients, issuer, kept.append) as login:
        page = await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        assert "Signing in did not work" in page.text  # type: ignore[attr-defined]
        with pytest.raises(LoginFailed) as failure:
            await login.wait()
    assert words in str(failure.value)
    assert kept == []


async def test_a_service_that_is_not_there_is_named(clients: HttpClients) -> None:
    nowhere = Issuer(url="http://127.0.0.1:1")
    async with browser(clients, nowhere) as login:
        await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        with pytest.raises(LoginFailed, match=r"cannot reach http://127\.0\.0\.1:1/oauth/token"):
            await login.wait()
    with pytest.raises(Unreachable, match="Connection refused"):
        await request_code(clients, nowhere)


async def test_a_service_that_says_nothing_is_not_waited_for(clients: HttpClients) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(Unreachable, match=r"no answer from http://127\.0\.0\.1:\d+/ in 0\.1 s"):
            await clients.post(address, json={}, timeout_seconds=0.1)


async def test_pages_are_shown_by_the_names_of_this_machine_only(
    clients: HttpClients, issuer: Issuer
) -> None:
    async with browser(clients, issuer) as login:
        for name, status in (("localhost", 404), ("127.0.0.1", 404), ("evil.example", 403)):
            page = await get(login, "/favicon.ico", headers={"host": f"{name}:{login.port}"})
            assert page.status == status
        for header in ("origin", "referer", "sec-fetch-site"):
            page = await get(login, "/cancel", headers={header: "https://evil.example"})
            assert page.status == 403
        answer = await get(login, f"/auth/callback?code=c&state={state_of(login)}")
        assert answer.status == 302


async def test_an_answer_without_end_is_not_taken_in(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_http, "MAX_REPLY_BYTES", 1000)
    model.routes["POST", f"{DEVICE}/usercode"] = Reply(body={"user_code": "x" * 1001})
    with pytest.raises(Unreachable, match="gave an answer of more than"):
        await request_code(clients, issuer)
