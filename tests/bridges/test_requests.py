"""A plugin's requests: what is refused, what is passed on, and in whose name."""

import logging
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from app_server.auth.errors import RefreshFailed
from app_server.auth.host_tokens import HostTokens
from app_server.auth.store import StoredAuth
from app_server.loopback_http import bind_loopback
from tests.bridges.conftest import NOTES, World, signed_in
from tests.support.issuer import Issuer, jwt

UNAUTHORIZED = (401, {"detail": "Unauthorized plugin backend bridge request."})
NO_METHOD = (405, {"detail": "Unsupported plugin backend bridge method."})
NO_PATH = (404, {"detail": "Unknown plugin backend bridge path."})
FAILED = "Plugin backend bridge request failed: "


def told(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


async def test_the_backend_is_asked_in_the_accounts_name(world: World) -> None:
    plugin = await world.open()
    world.backend.answers = [JSONResponse({"job": 7}, 201)]
    answer = await plugin.ask("/local/notes/jobs/7?x=1&y=%2F")
    assert told(answer) == (201, {"job": 7})
    (seen,) = world.backend.seen
    assert (seen.method, seen.path, seen.body) == ("GET", "/api/codex/notes/jobs/7?x=1&y=%2F", b"")
    assert seen.headers["authorization"] == "Bearer own-access-secret"
    assert seen.headers["chatgpt-account-id"] == "acct-1"
    assert "content-type" not in seen.headers


async def test_nothing_else_of_the_plugin_reaches_the_backend(world: World) -> None:
    plugin = await world.open()
    planted = {
        "x-plugin": "planted",
        "cookie": "planted=1",
        "content-type": "text/planted",
        "chatgpt-account-id": "planted",
        "user-agent": "planted",
        "accept-language": "planted",
    }
    await plugin.ask("/local/notes/x", method="POST", headers=planted, content=b"hello")
    (seen,) = world.backend.seen
    assert "planted" not in str(seen.headers)
    assert plugin.token not in str(seen.headers)
    assert set(seen.headers) == {
        "accept",
        "authorization",
        "chatgpt-account-id",
        "connection",
        "content-length",
        "content-type",
        "host",
        "originator",
        "user-agent",
    }
    assert (seen.headers["content-type"], seen.body) == ("application/json", b"hello")


async def test_of_the_answer_the_status_the_kind_and_the_body_come_back(world: World) -> None:
    plugin = await world.open()
    world.backend.answers = [
        Response(
            b"\x00\xff" * 10,
            418,
            {"x-secret": "1", "set-cookie": "session=1", "content-type": "image/png"},
        )
    ]
    answer = await plugin.ask("/local/notes/x")
    assert answer.status_code == 418
    assert answer.content == b"\x00\xff" * 10
    assert dict(answer.headers) == {"content-type": "image/png", "content-length": "20"}
    await plugin.ask("/local/notes/x")
    assert "cookie" not in world.backend.seen[1].headers


@pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
async def test_the_backends_refusals_pass_through_unchanged(world: World, status: int) -> None:
    plugin = await world.open()
    world.backend.answers = [Response(b"" if status == 204 else b"its own words", status)]
    answer = await plugin.ask("/local/notes/x")
    assert answer.status_code == status
    assert answer.text == ("" if status == 204 else "its own words")


async def test_a_redirect_is_not_followed_and_does_not_say_where_to(world: World) -> None:
    plugin = await world.open()
    world.backend.answers = [Response(status_code=302, headers={"location": "/api/codex/admin"})]
    answer = await plugin.ask("/local/notes/x")
    assert answer.status_code == 302
    assert "location" not in answer.headers
    assert len(world.backend.seen) == 1


async def test_a_get_with_a_body_is_passed_on_with_it(world: World) -> None:
    plugin = await world.open()
    await plugin.ask("/local/notes/x", content=b'{"q":1}')
    assert [(seen.method, seen.body) for seen in world.backend.seen] == [("GET", b'{"q":1}')]


@pytest.mark.parametrize(
    "given",
    [None, b"", b"Bearer", b"Bearer wrong", b"bearer TOKEN", b"Basic TOKEN", b"TOKEN",
     b"Bearer  TOKEN", b"Bearer TOKENx", b"Bearer \xff"],
)  # fmt: skip
async def test_without_the_exact_token_nothing_is_looked_at(
    world: World, given: bytes | None
) -> None:
    plugin = await world.open()
    headers = {} if given is None else {"authorization": given}
    named = {
        name: value.replace(b"TOKEN", plugin.token.encode()) for name, value in headers.items()
    }
    assert world.client is not None
    for method, path in (("GET", "/local/notes/x"), ("DELETE", "/elsewhere")):
        request = httpx.Request(method, f"{plugin.base_url}{path}", headers=named)
        assert told(await world.client.send(request)) == UNAUTHORIZED
    assert world.backend.seen == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "ANY"])
async def test_other_methods_are_refused_before_the_path_is_looked_at(
    world: World, method: str
) -> None:
    plugin = await world.open()
    assert told(await plugin.ask("/elsewhere", method=method)) == NO_METHOD
    assert told(await plugin.ask("/local/notes/x", method=method)) == NO_METHOD


async def test_a_head_request_is_refused_too(world: World) -> None:
    plugin = await world.open()
    assert (await plugin.ask("/local/notes/x", method="HEAD")).status_code == 405


@pytest.mark.parametrize("path", ["/", "/local/notes", "/local/other/x", "/api/codex/notes/x"])
async def test_a_path_outside_the_local_prefix_is_unknown(world: World, path: str) -> None:
    plugin = await world.open()
    world.store.kept = None  # looked at later
    assert told(await plugin.ask(path)) == NO_PATH


@pytest.mark.parametrize(
    "target",
    ["/local/notes/../x", "/local/notes/%2e%2e/x", "/local/notes/.%2E/x", "/local/notes/..\\x"],
)
async def test_what_climbs_out_is_refused_before_the_account_is_looked_at(
    world: World, target: str
) -> None:
    plugin = await world.open()
    world.store.kept = None
    answer = await plugin.ask_raw(target)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(
        b'{"detail":"Plugin backend bridge request failed: Plugin backend bridge request escaped '
        b'its configured backend path prefix."}'
    )
    assert world.backend.seen == []


async def test_what_is_sent_is_what_was_checked(world: World) -> None:
    plugin = await world.open()
    await plugin.ask_raw("/local/notes/a/%2E%2e/b\\c?q=%2e%2e/")
    assert [seen.path for seen in world.backend.seen] == ["/api/codex/notes/b/c?q=%2e%2e/"]


@pytest.mark.parametrize(
    ("kept", "detail"),
    [
        (None, "Sign in to ChatGPT in Codex to use this bridge."),
        (
            StoredAuth(auth_mode="apikey", api_key="sk-planted"),
            "ChatGPT authentication is required to use this bridge.",
        ),
    ],
)
async def test_only_a_chatgpt_account_is_lent(
    world: World, kept: StoredAuth | None, detail: str
) -> None:
    plugin = await world.open()
    world.store.kept = kept
    assert told(await plugin.ask("/local/notes/x")) == (500, {"detail": FAILED + detail})
    assert world.backend.seen == []


async def test_signing_in_and_out_counts_from_the_next_request(world: World) -> None:
    world.store.kept = None
    plugin = await world.open()
    assert (await plugin.ask("/local/notes/x")).status_code == 500
    world.store.kept = signed_in()  # as another process does
    assert (await plugin.ask("/local/notes/x")).status_code == 200
    world.account().logout()
    assert (await plugin.ask("/local/notes/x")).status_code == 500


async def test_a_backend_that_is_not_there_is_told_with_the_reason(world: World) -> None:
    with bind_loopback() as nobody_listens:
        world.backend.url = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"
        plugin = await world.open()
        assert told(await plugin.ask("/local/notes/x")) == (
            500,
            {"detail": FAILED + "the backend cannot be reached: Connection refused"},
        )


async def test_after_a_401_a_hosts_tokens_are_asked_for_once(world: World) -> None:
    stale, fresh = jwt(n="stale"), jwt(n="fresh")
    questions: list[str | None] = []

    async def host(account_id: str | None) -> HostTokens:
        questions.append(account_id)
        return HostTokens(access_token=fresh, account_id="acct-1")

    world.account().ask_host = host
    world.account().login_with_host_tokens(HostTokens(access_token=stale, account_id="acct-1"))
    plugin = await world.open()
    world.backend.answers = [Response(status_code=401)]
    answer = await plugin.ask("/local/notes/x", method="POST", content=b"again")
    assert answer.status_code == 200
    assert [(seen.headers["authorization"], seen.body) for seen in world.backend.seen] == [
        (f"Bearer {stale}", b"again"),
        (f"Bearer {fresh}", b"again"),
    ]
    assert questions == ["acct-1"]

    world.backend.answers = [Response(b"no", 401), Response(b"still no", 401)]
    answer = await plugin.ask("/local/notes/x")
    assert (answer.status_code, answer.text) == (401, "still no")
    assert len(world.backend.seen) == 4


async def test_after_a_401_own_tokens_are_looked_up_again_then_renewed(
    world: World, issuer: Issuer
) -> None:
    plugin = await world.open()
    world.backend.answers = [Response(status_code=401), Response(status_code=401)]
    assert (await plugin.ask("/local/notes/x")).status_code == 200
    tokens = [seen.headers["authorization"] for seen in world.backend.seen]
    assert tokens[:2] == ["Bearer own-access-secret"] * 2
    assert tokens[2] not in tokens[:2]
    world.backend.answers = [Response(status_code=401)] * 3
    assert (await plugin.ask("/local/notes/x")).status_code == 401
    assert len(world.backend.seen) == 6


async def test_a_recovery_that_fails_is_told_without_the_tokens(world: World) -> None:
    async def host(_account_id: str | None) -> HostTokens:
        raise RefreshFailed("auth refresh request timed out after 10s", is_final=False)

    world.account().ask_host = host
    world.account().login_with_host_tokens(HostTokens(access_token=jwt(), account_id="acct-1"))
    plugin = await world.open()
    world.backend.answers = [Response(status_code=401)]
    assert told(await plugin.ask("/local/notes/x")) == (
        500,
        {"detail": FAILED + "auth refresh request timed out after 10s"},
    )


async def test_neither_token_nor_account_shows_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    plugin = await world.open(notes=NOTES)
    world.backend.answers = [Response(status_code=401), Response(status_code=500)]
    await plugin.ask("/local/notes/x")
    await plugin.ask("/elsewhere")
    ours = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("app_server", "uvicorn"))
    )
    assert "bridge notes listens" in ours
    assert plugin.token not in ours
    assert "own-access-secret" not in ours
