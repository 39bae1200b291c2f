"""Signing in: the ways offered, the way there, how it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETE,
    ACCOUNT_LOGIN_START,
    ACCOUNT_READ,
    ChatgptDeviceCodeLoginAccountParams,
    ChatgptLoginAccountParams,
    CompleteLoginAccountParams,
)
from tests.tui.screens.session import Session, session
from tests.tui.scripted import ScriptedServer
from tests.tui.scripted_account import AUTH_URL
from tui.local_models import LocalServer
from tui.screens import onboarding
from tui.screens.onboarding import LOOKING_SECONDS


@pytest.fixture(autouse=True)
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser can open here."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")


def nobody() -> ScriptedServer:
    server = ScriptedServer()
    server.requires_auth = True
    return server


@asynccontextmanager
async def first_run(
    codex_home: Path, server: ScriptedServer, **options: Any
) -> AsyncIterator[Session]:
    async with session(codex_home, server, opened=False, size=(80, 40), **options) as s:
        await s.see("Welcome to Codex")
        s.later(1)
        yield s


async def opened(s: Session) -> None:
    await s.until(lambda: s.app.store.state.thread)


async def test_over_ssh_the_code_comes_first(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        assert "1. Sign in with a code" in s.text
        assert "2. Sign in with ChatGPT" in s.text
        assert "3. Paste an OpenAI API key" in s.text


async def test_where_a_browser_can_open_it_comes_first(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_CONNECTION")
    monkeypatch.setenv("DISPLAY", ":0")
    async with first_run(codex_home, nobody()) as s:
        assert "1. Sign in with ChatGPT" in s.text


@pytest.mark.parametrize(
    ("forced", "offered", "hidden"),
    [("api", "Paste an OpenAI", "Sign in with"), ("chatgpt", "Sign in with", "Paste an OpenAI")],
)
async def test_only_what_the_configuration_allows_is_offered(
    codex_home: Path, forced: str, offered: str, hidden: str
) -> None:
    server = nobody()
    server.config["forced_login_method"] = forced
    async with first_run(codex_home, server) as s:
        assert offered in s.text
        assert hidden not in s.text


async def test_a_pasted_key_is_looked_at_hidden_and_kept(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("3")
        await s.see("API key")
        await s.press("enter")
        await s.see("API key cannot be empty")
        await s.type("sk-1")
        await s.press("enter")
        await s.see("too short")
        await s.press("ctrl+u")
        await s.type("export OPENAI_API_KEY='sk-planted-secret'")
        assert "planted" not in s.text
        assert "•••••••••" in s.text
        await s.press("enter")
        await opened(s)
        (asked,) = s.requests(ACCOUNT_LOGIN_START.name)
        assert asked.api_key == "sk-planted-secret"
        await s.see("Signed in: with an API key.")


async def test_an_unusual_key_is_taken_when_it_is_given_twice(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("3")
        await s.see("API key")
        await s.type("another-kind-of-key")
        await s.press("enter")
        await s.see("Enter once more to use this one all the same.")
        assert s.requests(ACCOUNT_LOGIN_START.name) == []
        await s.press("enter")
        await opened(s)


async def test_a_key_goes_over_an_open_network_only_when_it_is_given_twice(
    codex_home: Path,
) -> None:
    async with first_run(codex_home, nobody(), remote=True, in_the_open=True) as s:
        await s.press("3")
        await s.see("API key")
        await s.type("sk-planted-secret")
        await s.press("enter")
        await s.see("others can read the key on it")
        assert s.requests(ACCOUNT_LOGIN_START.name) == []
        await s.press("enter")
        await opened(s)
        assert len(s.requests(ACCOUNT_LOGIN_START.name)) == 1


async def test_at_a_server_elsewhere_it_is_said_whom_a_sign_in_concerns(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def find_one() -> list[LocalServer]:
        return [LocalServer("ollama", "Ollama", ["qwen"])]

    monkeypatch.setattr(onboarding, "find_local_servers", find_one)
    options = {"remote": True, "cwd": "ws://10.0.0.7:4000"}
    async with first_run(codex_home, nobody(), **options) as s:
        assert "This signs in the server at ws://10.0.0.7:4000, for all who use it." in s.text
        assert "kept by that server" in s.text
        assert "1. Sign in with a code" in s.text
        assert "on this machine" not in s.text
        s.later(1)
        await s.press("escape")
        await s.until(lambda: s.app._exit)
    assert "Nobody is signed in at that server." in s.app._farewell[0]


async def test_there_is_nothing_to_ask_once_somebody_has_signed_in_elsewhere(
    codex_home: Path,
) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.server.end_login("of another client")
        await opened(s)
        await s.see("Signed in: me@example.com (pro plan), with ChatGPT.")
        assert "Welcome to Codex" not in s.text


async def test_a_code_is_shown_with_its_page_picture_and_time(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("1")
        await s.see("ABCD-1234")
        (asked,) = s.requests(ACCOUNT_LOGIN_START.name)
        assert isinstance(asked, ChatgptDeviceCodeLoginAccountParams)
        assert "https://auth.openai.com/codex/device" in s.text
        assert "15:00 left" in s.text
        assert "█ ▄▄▄▄▄ █" in s.text
        await s.server.end_login("login-1")
        await opened(s)
        await s.see("Signed in: me@example.com (pro plan), with ChatGPT.")


async def test_without_room_for_the_picture_the_words_are_there(codex_home: Path) -> None:
    server = nobody()
    async with session(codex_home, server, opened=False, size=(40, 10)) as s:
        await s.see("Sign in with a code")
        s.later(1)
        await s.press("1")
        await s.see("ABCD-1234")
        assert "▄▄" not in s.text
        assert "left" in s.text


async def test_a_sign_in_that_fails_says_why_and_can_be_begun_again(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("1")
        await s.see("ABCD-1234")
        await s.server.end_login("login-1", "device auth timed out after 15 minutes")
        await s.see("It did not work: device auth timed out after 15 minutes")
        await s.press("enter")
        await s.see("ABCD-1234")
        assert len(s.requests(ACCOUNT_LOGIN_START.name)) == 2
        await s.server.end_login("login-2")
        await opened(s)


async def test_a_sign_in_that_cannot_begin_says_why_and_another_way_can_be_gone(
    codex_home: Path,
) -> None:
    server = nobody()
    server.login_refusal = "failed to start login server: Port 127.0.0.1:1457 is already in use"
    async with first_run(codex_home, server) as s:
        await s.press("2")
        await s.see("It did not work: failed to start login server")
        await s.press("escape")
        await s.see("Welcome to Codex")
        assert "The sign-in did not work: failed to start login server" in s.text


async def test_a_sign_in_is_given_up_with_escape_and_taken_back(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("2")
        await s.see("Open this address in a browser")
        await s.press("escape")
        await s.see("The sign-in was given up.")
        (cancelled,) = s.requests(ACCOUNT_LOGIN_CANCEL.name)
        assert cancelled.login_id == "login-1"


async def test_a_sign_in_that_does_not_begin_is_given_up_all_the_same(codex_home: Path) -> None:
    server = nobody()
    server.begins_logins.clear()
    async with first_run(codex_home, server) as s:
        await s.press("1")
        await s.see("Starting…")
        await s.press("escape")
        await s.see("The sign-in was given up.")
        server.begins_logins.set()
        await s.until(lambda: s.requests(ACCOUNT_LOGIN_CANCEL.name))
        (taken_back,) = s.requests(ACCOUNT_LOGIN_CANCEL.name)
        assert taken_back.login_id == "login-1"


async def test_a_sign_in_can_be_started_over_while_it_waits(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("2")
        await s.see("Open this address in a browser")
        await s.press("ctrl+r")
        await s.until(lambda: len(s.requests(ACCOUNT_LOGIN_START.name)) == 2)
        await s.see("10:00 left")
        await s.server.end_login("login-1", "Login server error: Login cancelled")
        await s.server.end_login("login-2")
        await opened(s)


async def test_the_address_the_browser_ends_at_is_handed_in(codex_home: Path) -> None:
    ended_at = "http://localhost:1455/auth/callback?code=abc&state=af0ifjsldkj"
    async with first_run(codex_home, nobody()) as s:
        await s.press("2")
        await s.see("Paste the address it ends at:")
        await s.type("https://example.com/elsewhere")
        await s.press("enter")
        await s.see("This is not the address")
        await s.press("ctrl+u")
        await s.type(ended_at)
        await s.press("enter")
        await s.until(lambda: len(s.requests(ACCOUNT_LOGIN_COMPLETE.name)) == 2)
        assert "This is not the address" not in s.text
        _, handed_in = s.requests(ACCOUNT_LOGIN_COMPLETE.name)
        assert handed_in == CompleteLoginAccountParams(login_id="login-1", callback_url=ended_at)
        await s.server.end_login("login-1")
        await opened(s)


async def test_a_browser_sign_in_asks_for_that(codex_home: Path) -> None:
    async with first_run(codex_home, nobody()) as s:
        await s.press("2")
        await s.see("Open this address in a browser")
        (asked,) = s.requests(ACCOUNT_LOGIN_START.name)
        assert isinstance(asked, ChatgptLoginAccountParams)
        assert "".join(AUTH_URL.split()) in "".join(s.text.split())


async def test_the_demo_can_be_chosen_in_place_of_an_account(codex_home: Path) -> None:
    demo = ScriptedServer("/tmp/demo-folder")
    async with session(codex_home, nobody(), opened=False, connect_demo=demo.connect) as s:
        await s.see("4. See the offline demo")
        s.later(1)
        await s.press("4")
        await opened(s)
        assert s.app.store.state.demo
        await s.say("hello")
        await s.see("You said: hello")
        assert "scripted, no model" in s.text


async def test_on_a_busy_machine_the_file_is_waited_for_and_every_way_is_offered(
    codex_home: Path,
) -> None:
    server = nobody()
    server.knows_account.clear()
    options = {"opened": False, "connect_demo": server.connect, "size": (80, 40)}
    async with session(codex_home, server, **options) as s:
        await s.until(lambda: len(s.requests(ACCOUNT_READ.name)) == 2)
        s.later(2 * LOOKING_SECONDS)
        await s.settle()
        assert "Looking for" not in s.text
        server.knows_account.set()
        await s.see("4. See the offline demo")
