"""Questions from the agent: approvals, keys typed ahead, the full view."""

from pathlib import Path

import pytest

from app_server.protocol.turn import TURN_INTERRUPT
from tests.tui.screens.session import session


@pytest.mark.parametrize(
    ("key", "decision"), [("y", "accept"), ("a", "acceptForSession"), ("d", "decline"),
                          ("n", "cancel"), ("escape", "cancel"), ("1", "accept"), ("4", "decline")],
)  # fmt: skip
async def test_a_key_answers_the_question_about_a_command(
    codex_home: Path, key: str, decision: str
) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask make install")
        await s.see("Run this command?")
        assert "$ make install" in s.text
        s.later(1)
        await s.press(key)
        await s.see(f"The decision was {decision}")
        assert s.server.decisions == [decision]
        assert "Run this command?" not in s.text


async def test_arrows_and_enter_choose_an_answer(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("patch")
        await s.see("Make this change?")
        assert "print('hello')" in s.text
        s.later(1)
        await s.press("down", "down", "enter")
        await s.see("The decision was decline")


async def test_keys_typed_ahead_do_not_answer_and_are_kept(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        await s.press(*"yes", "enter")
        assert s.server.decisions == []
        s.later(1)
        await s.press("n")
        await s.until(lambda: s.server.decisions == ["cancel"])
        await s.idle()
        assert s.draft == "yes"


async def test_an_answer_that_came_too_early_leaves_nothing_in_the_draft(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        await s.press("y", "y")
        assert s.server.decisions == []
        s.later(1)
        await s.press("y")
        await s.see("The decision was accept")
        assert s.draft == ""


async def test_a_prefix_can_be_allowed_for_good(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("always allow commands that start with: rm -rf")
        s.later(1)
        await s.press("p")
        await s.until(lambda: s.server.decisions)
        amendment = s.server.decisions[0].accept_with_execpolicy_amendment
        assert amendment.execpolicy_amendment == ["rm", "-rf"]


async def test_everything_can_be_seen_before_answering(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("patch")
        await s.see("Make this change?")
        s.later(1)
        await s.press("ctrl+a")
        await s.see("A P P R O V A L")
        assert "+print('hello')" in s.text
        await s.press("q")
        await s.see("Make this change?")
        await s.press("y")
        await s.see("The decision was accept")


async def test_a_withdrawn_question_disappears(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        await s.server.interrupt_from_elsewhere()
        await s.until(lambda: "Run this command?" not in s.text)
        assert s.requests(TURN_INTERRUPT.name) == []
        await s.type("free again")
        assert s.draft == "free again"
