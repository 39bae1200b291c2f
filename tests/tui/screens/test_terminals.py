"""Commands in the background: counted, listed, looked into, ended one by one or together."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_CLEAN,
    THREAD_BACKGROUND_TERMINALS_TERMINATE,
)
from tests.tui.screens.session import Session, session
from tui.keymap import Keymap


async def serve(s: Session, *commands: str) -> None:
    for command in commands:
        await s.say(f"serve {command}")
        await s.until(lambda: s.app.store.state.thread)
        await s.idle()
        await s.see(f"Started {command}")


async def listed(s: Session) -> None:
    await s.say("/ps")
    await s.see("In the background")


async def test_what_runs_on_is_counted_below_the_composer(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await serve(s, "npm run dev")
        await s.see("1 in background · /ps")


async def test_the_list_shows_age_and_last_lines_and_one_is_ended(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await serve(s, "npm run dev", "make watch")
        s.later(65)
        await listed(s)
        assert "In the background (2)" in s.text
        assert "› 1. npm run dev" in s.text
        assert "1m 05s" in s.text
        assert "ready in 240 ms\n     http://localhost:3000\n     GET / 200\n" in s.text
        assert "     compiling" not in s.text
        await s.press("down", "x")
        await s.see("In the background (1)")
        (asked,) = s.requests(THREAD_BACKGROUND_TERMINALS_TERMINATE.name)
        assert asked.process_id == "2000"
        await s.press("escape")
        await s.see("Stopped make watch (exit 143, 1m 05s)")


async def test_all_are_ended_at_once(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await serve(s, "npm run dev", "make watch")
        await listed(s)
        await s.press("a")
        await s.see("Nothing runs in the background")
        assert len(s.requests(THREAD_BACKGROUND_TERMINALS_CLEAN.name)) == 1
        await s.press("escape")
        await s.type("free again")
        assert s.draft == "free again"


async def test_the_output_of_one_is_seen_in_full(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await serve(s, "npm run dev")
        await listed(s)
        await s.press("enter")
        await s.see("O U T P U T")
        assert "compiling" in s.text
        await s.press("q")
        await s.see("In the background (1)")


async def test_without_any_a_sentence_says_so(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("/ps")
        await s.see("No command runs in the background.")


async def test_a_key_of_the_users_choice_opens_the_list(codex_home: Path) -> None:
    async with session(codex_home) as s:
        s.app.keymap = Keymap({"global.background_terminals": "f2"})
        await serve(s, "npm run dev")
        await s.press("f2")
        await s.see("In the background (1)")


async def test_a_command_nobody_here_saw_begin_is_listed_all_the_same(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await serve(s, "npm run dev")
        turn, item = s.server.background["1000"]
        unseen: Any = {"id": "call-unseen", "command": "bash -lc 'make from-before'"}
        s.server.background["7000"] = (turn, type(item)(**{**fields(item), **unseen}))
        await listed(s)
        assert "In the background (2)" in s.text
        assert "2. make from-before" in s.text
        assert "(nothing written yet)" in s.text


def fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


async def test_what_cannot_be_seen_in_a_command_is_marked_in_the_list(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await serve(s, "npm run dev")
        ((turn, item),) = s.server.background.values()
        # One that began before this session, so that the list alone tells of it.
        hidden = replace(item, id="hidden", process_id="2001", command="npm\u200b run\u202edev")
        s.server.background["2001"] = (turn, hidden)
        await listed(s)
        assert "2. npm⟨U+200B⟩ run⟨U+202E⟩dev" in s.text
