"""Talking, steering, queueing, interrupting and leaving, by keys."""

from pathlib import Path

from app_server.protocol.turn import TURN_INTERRUPT, TURN_START, TURN_STEER
from tests.tui.screens.session import session


async def test_a_message_is_sent_and_its_answer_shown(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("hello there")
        await s.see("You said: hello there")
        assert s.draft == ""
        assert [part.text for part in s.requests(TURN_START.name)[0].input] == ["hello there"]


async def test_what_is_sent_before_the_thread_is_open_is_sent_then(codex_home: Path) -> None:
    async with session(codex_home, opened=False) as s:
        await s.say("early bird")
        await s.see("You said: early bird")


async def test_keys_typed_in_one_go_keep_their_order(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.press(*"one", "enter", *"two", "ctrl+j", *"three", "left", "left", "X")
        assert s.draft == "two\nthrXee"
        await s.see("You said: one")


async def test_enter_during_a_turn_steers_it_and_tab_queues(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("hold")
        await s.see("holding on")
        await s.say("go left")
        await s.until(lambda: s.requests(TURN_STEER.name))
        await s.type("then right")
        await s.press("tab")
        await s.see("Waits for the next turn")
        assert "↳ then right" in s.text
        assert "↳ go left" in s.text


async def test_alt_up_takes_a_queued_message_back(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("hold")
        await s.see("holding on")
        await s.type("later")
        await s.press("tab")
        await s.see("↳ later")
        await s.press("alt+up")
        await s.until(lambda: s.draft == "later")
        assert "↳ later" not in s.text


async def test_escape_interrupts_and_keeps_the_draft(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("hold")
        await s.see("esc to interrupt")
        await s.type("unfinished")
        await s.press("escape")
        await s.see("Interrupted")
        await s.idle()
        assert len(s.requests(TURN_INTERRUPT.name)) == 1
        assert s.draft == "unfinished"


async def test_ctrl_c_clears_the_draft_and_up_brings_it_back(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("almost sent")
        await s.press("ctrl+c")
        assert s.draft == ""
        await s.press("up")
        assert s.draft == "almost sent"


async def test_one_ctrl_c_asks_and_a_second_one_leaves(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.press("ctrl+c")
        await s.see("ctrl + c again to quit")
        assert s.app.is_running
        await s.press("ctrl+c")
        assert s.app._exit


async def test_a_late_second_ctrl_c_only_asks_again(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.press("ctrl+c")
        s.later(5)
        await s.press("ctrl+c")
        assert not s.app._exit


async def test_ctrl_d_leaves_only_from_an_empty_composer(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("ab")
        await s.press("left", "ctrl+d")
        assert s.draft == "a"
        await s.press("backspace", "ctrl+d")
        await s.until(lambda: s.app._exit)


async def test_a_failed_turn_says_why_and_the_next_one_works(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("fail")
        await s.see("the model is not there")
        await s.idle()
        await s.say("again")
        await s.see("You said: again")


async def test_a_lost_server_is_told_and_the_text_kept(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("still here")
        await s.server.hang_up()
        await s.see("The connection to the server was lost")
        assert s.draft == "still here"


async def test_every_word_of_a_flood_is_shown(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 60)) as s:
        await s.say("words 600")
        await s.idle()
        await s.see("w0599")
        assert [n for n in range(600) if f"w{n:04d}" not in s.text] == []
