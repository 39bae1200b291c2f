"""What comes up by itself: it takes no key meant for the draft, and pushes nothing aside."""

from pathlib import Path

from app_server.protocol.account import ACCOUNT_READ
from app_server.protocol.approvals import (
    ToolRequestUserInputOption,
    ToolRequestUserInputParams,
    ToolRequestUserInputQuestion,
)
from app_server.protocol.config import CONFIG_BATCH_WRITE
from tests.tui.screens.session import Session, session
from tests.tui.scripted import ScriptedServer
from tui.screens.onboarding import LOOKING_SECONDS
from tui.state.events import Asked

LARGE = (80, 40)


def slow_keyring(*, trusted: bool = True) -> ScriptedServer:
    """Nobody is signed in, which is known only once `knows_account` is set."""
    server = ScriptedServer(trusted=trusted)
    server.requires_auth = True
    server.config["cli_auth_credentials_store"] = "keyring"
    server.knows_account.clear()
    return server


async def begin_without_account(s: Session) -> None:
    await s.until(lambda: len(s.requests(ACCOUNT_READ.name)) == 2)
    s.later(LOOKING_SECONDS)


async def test_a_line_typed_as_the_first_question_comes_up_does_not_answer_it(
    codex_home: Path,
) -> None:
    async with session(codex_home, ScriptedServer(trusted=False), opened=False) as s:
        await s.see("Do you trust this folder?")
        await s.type("2 files are wrong")
        await s.press("enter", "escape")
        assert "Do you trust this folder?" in s.text
        assert s.requests(CONFIG_BATCH_WRITE.name) == []
        s.later(1)
        await s.press("1")
        await s.open()
        assert s.draft == "2 files are wrong"


async def test_an_answer_given_too_early_is_given_again_and_leaves_nothing_in_the_draft(
    codex_home: Path,
) -> None:
    async with session(codex_home, ScriptedServer(trusted=False), opened=False) as s:
        await s.see("Do you trust this folder?")
        await s.press("1", "1")
        assert s.requests(CONFIG_BATCH_WRITE.name) == []
        s.later(1)
        await s.press("1")
        await s.open()
        assert s.draft == ""


async def test_what_is_asked_about_the_sign_in_waits_for_the_question_on_the_screen(
    codex_home: Path,
) -> None:
    server = slow_keyring(trusted=False)
    async with session(codex_home, server, opened=False, size=LARGE) as s:
        await begin_without_account(s)
        await s.see("Do you trust this folder?")
        server.knows_account.set()
        await s.until(lambda: s.app.store.state.account.details)
        assert "Do you trust this folder?" in s.text
        s.later(1)
        await s.press("1")
        await s.see("Welcome to Codex")
        await s.open()
        s.later(1)
        await s.press("1")
        await s.see("ABCD-1234")
        await server.end_login("login-1")
        await s.see("Signed in: me@example.com")
        await s.say("hello")
        await s.see("You said: hello")


async def test_once_a_conversation_is_open_its_question_comes_first_and_no_demo_is_offered(
    codex_home: Path,
) -> None:
    server = slow_keyring()
    options = {"opened": False, "connect_demo": server.connect, "size": LARGE}
    async with session(codex_home, server, **options) as s:
        await begin_without_account(s)
        await s.open()
        await s.say("ask")
        await s.see("Run this command?")
        server.knows_account.set()
        await s.until(lambda: s.app.store.state.account.details)
        assert "Run this command?" in s.text
        s.later(1)
        await s.press("y")
        await s.see("Welcome to Codex")
        assert server.decisions == ["accept"]
        assert "4. Leave" in s.text


async def test_signing_in_before_the_keyring_has_answered_is_enough(codex_home: Path) -> None:
    server = slow_keyring()
    async with session(codex_home, server, opened=False, size=LARGE) as s:
        await begin_without_account(s)
        await s.see("Looking for your sign-in in the keyring")
        await s.say("/login")
        await s.see("Sign in with a code")
        await s.press("1")
        await s.see("ABCD-1234")
        server.knows_account.set()
        await s.until(lambda: "Looking for" not in s.text)
        await server.end_login("login-1")
        await s.see("Signed in: me@example.com")
        await s.until(lambda: len(s.requests(ACCOUNT_READ.name)) == 5)
        await s.settle()
        assert not s.app.chat.has_panel


async def test_a_question_with_choices_takes_no_key_of_the_draft(codex_home: Path) -> None:
    options = [ToolRequestUserInputOption(label=word, description="") for word in ("Red", "Blue")]
    questions = [
        ToolRequestUserInputQuestion(id="a", header="Colour", question="Which?", options=options)
    ]
    params = ToolRequestUserInputParams(
        thread_id="thread-1", turn_id="turn-1", item_id="call-1", questions=questions
    )
    async with session(codex_home, size=LARGE) as s:
        s.app.take([Asked(id="colour", params=params)])
        await s.see("Which?")
        await s.type("12 lines")
        assert "Which?" in s.text
        s.later(1)
        await s.press("2")
        await s.until(lambda: "1. Red" not in s.text)
        assert "Blue" in s.text
        assert s.draft == "12 lines"
