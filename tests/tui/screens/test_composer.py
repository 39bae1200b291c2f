"""The composer in the session: popups, pastes, pictures, history, the footer."""

from pathlib import Path

from textual import events

from app_server.protocol.thread_shell import THREAD_SHELL_COMMAND
from app_server.protocol.turn import TURN_START
from app_server.protocol.user_input import LocalImageUserInput
from tests.tui.screens.session import session


async def test_a_slash_offers_commands_and_enter_runs_the_chosen_one(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("/st")
        assert "settings, account and tokens" in s.text
        await s.press("enter")
        await s.see("Permissions:")
        assert s.draft == ""


async def test_the_best_match_of_all_that_was_typed_is_chosen(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("/p")
        await s.type("s")
        await s.press("enter")
        await s.see("No command runs in the background.")


async def test_arrows_move_in_the_popup_and_tab_completes(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("/")
        await s.press("down", "tab")
        assert s.draft == "/permissions "


async def test_escape_closes_the_popup_and_leaves_the_text(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("/mo")
        await s.press("escape")
        assert s.draft == "/mo"
        assert "choose the model" not in s.text


async def test_an_unknown_command_is_not_sent_to_the_model(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("/nonsense")
        await s.press("enter")
        await s.see("There is no command /nonsense")
        assert s.draft == "/nonsense"
        assert s.requests(TURN_START.name) == []


async def test_a_path_at_the_start_is_a_message(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("/etc/hosts is odd")
        await s.see("You said: /etc/hosts is odd")


async def test_a_long_paste_is_a_placeholder_and_sent_in_full(codex_home: Path) -> None:
    async with session(codex_home) as s:
        text = "paste " * 300
        await s.type("look: ")
        s.app.post_message(events.Paste(text))
        await s.see("[Pasted Content 1800 chars]")
        await s.press("enter")
        await s.until(lambda: s.requests(TURN_START.name))
        assert s.requests(TURN_START.name)[0].input[0].text == "look: " + text


async def test_a_paste_with_line_ends_does_not_submit(codex_home: Path) -> None:
    async with session(codex_home) as s:
        s.app.post_message(events.Paste("one\ntwo\n"))
        await s.until(lambda: s.draft == "one\ntwo\n")
        assert s.requests(TURN_START.name) == []


async def test_the_pasted_path_of_a_picture_goes_along_as_one(
    codex_home: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "shot.png"
    picture.write_bytes(b"\x89PNG")
    async with session(codex_home) as s:
        s.app.post_message(events.Paste(str(picture)))
        await s.see("[Image #1]")
        await s.say("what is this?")
        await s.until(lambda: s.requests(TURN_START.name))
        sent = s.requests(TURN_START.name)[0].input
        assert sent[0].text == "[Image #1] what is this?"
        assert sent[1] == LocalImageUserInput(path=str(picture))


async def test_an_exclamation_mark_runs_a_shell_line(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("!ls -l")
        assert "Shell mode" in s.text
        assert "! ls -l" in s.text
        await s.press("enter")
        await s.until(lambda: s.requests(THREAD_SHELL_COMMAND.name))
        assert s.requests(THREAD_SHELL_COMMAND.name)[0].command == "ls -l"


async def test_ctrl_r_finds_an_earlier_message(codex_home: Path) -> None:
    async with session(codex_home) as s:
        for text in ("first parser fix", "something else"):
            await s.say(text)
            await s.see(f"You said: {text}")
            await s.idle()
        await s.press("ctrl+r")
        await s.type("pars")
        assert s.draft == "first parser fix"
        assert "search: pars" in s.text
        await s.press("enter")
        assert s.draft == "first parser fix"
        assert "search:" not in s.text
        await s.press("ctrl+u", "ctrl+r", *"else", "escape")
        assert s.draft == ""


async def test_a_question_mark_shows_the_shortcuts(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.type("?")
        await s.see("earlier messages")
        assert s.draft == ""
        await s.press("escape")
        assert "earlier messages" not in s.text


async def test_keys_can_be_moved_by_the_configuration(codex_home: Path) -> None:
    from tests.tui.scripted import ScriptedServer

    server = ScriptedServer()
    server.config["tui"] = {"keymap": {"composer": {"submit": "ctrl-s"}}}
    async with session(codex_home, server) as s:
        await s.until(lambda: s.app.keymap.overrides)
        await s.type("moved")
        await s.press("enter")
        assert s.draft == "moved"
        await s.press("ctrl+s")
        await s.see("You said: moved")


async def test_messages_of_earlier_sessions_are_within_reach_of_up(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("kept for later")
        await s.see("You said: kept for later")
        history = codex_home / "history.jsonl"
        await s.until(lambda: history.exists() and history.read_text().endswith("\n"))
    async with session(codex_home) as s:
        await s.until(lambda: s.app.chat.composer.history.find("kept"))
        await s.press("up")
        assert s.draft == "kept for later"
