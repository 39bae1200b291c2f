"""Pickers and overlays: model, permissions, earlier messages, the transcript."""

from pathlib import Path

from app_server.protocol.permissions import DangerFullAccessSandboxPolicy
from app_server.protocol.turn import TURN_START
from tests.tui.screens.session import session


async def test_the_model_and_its_effort_are_chosen_and_used(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("/model")
        await s.see("Choose a model")
        await s.press("2")
        await s.see("How much should gpt-5.5-mini think?")
        await s.press("3")
        await s.see("gpt-5.5-mini high ·")
        await s.say("hello")
        await s.until(lambda: s.requests(TURN_START.name))
        sent = s.requests(TURN_START.name)[0]
        assert (sent.model, sent.effort) == ("gpt-5.5-mini", "high")


async def test_escape_steps_back_from_the_effort_to_the_models(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("/model")
        await s.press("1")
        await s.see("How much")
        await s.press("escape")
        await s.see("Choose a model")
        await s.press("escape")
        await s.type("back")
        assert s.draft == "back"


async def test_full_access_is_confirmed_before_it_is_given(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("/permissions")
        await s.press("3")
        await s.see("Give full access?")
        assert not isinstance(s.app.store.state.settings.sandbox, DangerFullAccessSandboxPolicy)
        await s.press("2")
        await s.see("Permissions are now Full access")
        assert isinstance(s.app.store.state.settings.sandbox, DangerFullAccessSandboxPolicy)


async def test_a_command_that_changes_the_session_waits_for_the_turn(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("hold")
        await s.see("holding on")
        await s.say("/new")
        await s.see("/new has to wait")


async def test_the_transcript_opens_at_its_end_and_can_be_searched(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("lines 60")
        await s.idle()
        await s.press("ctrl+t")
        await s.see("line 0059")
        await s.press("slash", *"0007", "enter")
        await s.see("line 0007")
        assert "line 0059" not in s.text
        await s.press("q")
        await s.see("line 0059")


async def test_pages_of_the_conversation_scroll_in_full_screen(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("lines 60")
        await s.idle()
        await s.see("line 0059")
        await s.press("pageup")
        await s.until(lambda: "line 0059" not in s.text)
        await s.say("hello")
        await s.press("pagedown", "pagedown")
        await s.see("You said: hello")


async def test_escape_twice_offers_the_earlier_messages(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        for text in ("one", "two"):
            await s.say(text)
            await s.see(f"You said: {text}")
            await s.idle()
        await s.press("escape")
        await s.see("esc again")
        await s.press("escape")
        await s.see("Go back to before one of your messages")
        assert "1. two" in s.text


async def test_plan_mode_goes_on_and_off_where_the_server_has_it(codex_home: Path) -> None:
    async with session(codex_home) as s:
        s.server.modes = ["plan", "default"]
        await s.press("shift+tab")
        await s.see("Plan mode (shift+tab to cycle)")
        await s.say("/plan")
        await s.see("Plan mode is off.")
        assert "shift+tab to cycle" not in s.text


async def test_plan_mode_stays_off_where_the_server_has_none(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("/plan")
        await s.see("this server does not have it yet")
        await s.say("do it")
        await s.see("You said: do it")
        (turn,) = s.requests(TURN_START.name)
        assert turn.collaboration_mode is None
