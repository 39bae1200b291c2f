"""Signing in and out while a session goes on."""

from pathlib import Path

from app_server.protocol.account import ACCOUNT_LOGOUT, ACCOUNT_READ, ApiKeyAccount, ChatgptAccount
from app_server.protocol.approvals import CommandExecutionRequestApprovalParams
from app_server.protocol.rate_limits import RateLimitSnapshot, RateLimitWindow
from app_server.protocol.turn import TURN_START
from tests.tui.screens.session import session
from tests.tui.screens.test_sign_in import far_away, nobody
from tests.tui.scripted import ScriptedServer
from tui.screens.onboarding import LOOKING_SECONDS
from tui.state.events import Asked

__all__ = ["far_away"]


ME = ChatgptAccount(email="me@example.com", plan_type="pro")


def signed_in() -> ScriptedServer:
    server = nobody()
    server.account = ME
    return server


async def test_a_slow_keyring_is_named_and_holds_nothing_up(codex_home: Path) -> None:
    server = signed_in()
    server.config["cli_auth_credentials_store"] = "keyring"
    server.knows_account.clear()
    async with session(codex_home, server, opened=False) as s:
        await s.until(lambda: len(s.requests(ACCOUNT_READ.name)) == 2)
        s.later(LOOKING_SECONDS)
        await s.open()
        await s.see("Looking for your sign-in in the keyring")
        await s.type("meanwhile")
        assert s.draft == "meanwhile"
        server.knows_account.set()
        await s.until(lambda: "Looking for" not in s.text)
        assert "Welcome to Codex" not in s.text


async def test_a_keyring_without_a_sign_in_asks_once_that_is_known(codex_home: Path) -> None:
    server = nobody()
    server.config["cli_auth_credentials_store"] = "keyring"
    server.knows_account.clear()
    async with session(codex_home, server, opened=False, size=(80, 40)) as s:
        await s.until(lambda: len(s.requests(ACCOUNT_READ.name)) == 2)
        s.later(LOOKING_SECONDS)
        await s.see("Looking for your sign-in")
        server.knows_account.set()
        await s.see("Welcome to Codex")
        s.later(1)
        await s.press("1")
        await s.see("ABCD-1234")
        await s.server.end_login("login-1")
        await s.see("Signed in: me@example.com")


async def test_signing_in_is_possible_at_any_time(codex_home: Path) -> None:
    server = nobody()
    server.account = ApiKeyAccount()
    async with session(codex_home, server, size=(80, 40)) as s:
        await s.say("/login")
        await s.see("Signed in now: with an API key.")
        await s.press("1")
        await s.see("ABCD-1234")
        await s.server.end_login("login-1")
        await s.see("Signed in: me@example.com (pro plan), with ChatGPT.")
        await s.type("and on")
        assert s.draft == "and on"


async def test_a_question_waits_until_the_sign_in_is_over(codex_home: Path) -> None:
    async with session(codex_home, signed_in(), size=(80, 40)) as s:
        await s.say("/login")
        await s.see("Sign in with a code")
        await s.press("1")
        await s.see("ABCD-1234")
        params = CommandExecutionRequestApprovalParams(
            thread_id="thread-1", turn_id="turn-1", item_id="call-1", command="make"
        )
        s.app.take([Asked(id="meanwhile", params=params)])
        await s.settle()
        assert "ABCD-1234" in s.text
        await s.server.end_login("login-1")
        await s.see("Run this command?")


async def test_signing_out_is_asked_about_once(codex_home: Path) -> None:
    async with session(codex_home, signed_in(), size=(80, 40)) as s:
        await s.say("/logout")
        await s.see("Signed in now: me@example.com")
        await s.press("enter")
        assert s.requests(ACCOUNT_LOGOUT.name) == []
        await s.until(lambda: "Sign out?" not in s.text)
        await s.say("/logout")
        await s.see("Sign out?")
        await s.press("2")
        await s.until(lambda: s.app._exit)
        assert len(s.requests(ACCOUNT_LOGOUT.name)) == 1


async def test_a_message_that_fails_for_want_of_a_sign_in_goes_out_after_it(
    codex_home: Path,
) -> None:
    async with session(codex_home, signed_in(), size=(80, 40)) as s:
        await s.say("expire please")
        await s.see("Your sign-in no longer works")
        s.later(1)
        assert "Your access token could not be refreshed." in s.text
        assert "Your message is kept" in s.text
        await s.press("1")
        await s.see("ABCD-1234")
        await s.server.end_login("login-1")
        await s.until(lambda: len(s.requests(TURN_START.name)) == 2)
        first, second = s.requests(TURN_START.name)
        assert second.input[0].text == first.input[0].text == "expire please"


async def test_without_signing_in_again_the_message_is_back_in_the_composer(
    codex_home: Path,
) -> None:
    async with session(codex_home, signed_in(), size=(80, 40)) as s:
        await s.say("expire please")
        await s.see("Your sign-in no longer works")
        s.later(1)
        await s.press("escape")
        await s.until(lambda: s.draft == "expire please")
        assert len(s.requests(TURN_START.name)) == 1


async def test_the_status_says_who_is_signed_in_and_how_much_is_left(codex_home: Path) -> None:
    server = signed_in()
    at = 1_770_000_000
    server.limits = RateLimitSnapshot(
        primary=RateLimitWindow(used_percent=25, window_duration_mins=300, resets_at=at + 3600),
        secondary=RateLimitWindow(used_percent=60, window_duration_mins=10_080, resets_at=at - 1),
    )
    async with session(codex_home, server, size=(100, 40)) as s:
        await s.say("/status")
        await s.see("me@example.com (pro plan), with ChatGPT")
        assert "5 h limit:" in s.text
        assert "████████░░ 75% left, anew at " in s.text
        assert "████░░░░░░ 40% left " in s.text
        assert "Weekly limit:" in s.text
