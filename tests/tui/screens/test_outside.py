"""What reaches the user outside the window: notes, the title, the clipboard."""

import base64
from pathlib import Path

import pytest

from tests.tui.screens.session import Session, session
from tests.tui.scripted import ScriptedServer
from tui.state.select import window_title
from tui.terminal.clipboard import in_tmux, osc52
from tui.terminal.notify import notification, title


def listen(s: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Escape codes the session writes beside its frames."""
    written: list[str] = []
    monkeypatch.setattr(s.app, "write_terminal", written.append)
    return written


async def test_a_turn_that_ends_out_of_sight_rings(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with session(codex_home) as s:
        written = listen(s, monkeypatch)
        await s.say("hello")
        await s.idle()
        assert "\x07" not in written
        await s.say("hold")
        await s.see("holding on")
        s.app.app_focus = False
        s.server.end_turn()
        await s.until(lambda: "\x07" in written)


async def test_notes_can_be_switched_off(codex_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ScriptedServer()
    server.config["tui"] = {"notifications": False}
    async with session(codex_home, server) as s:
        written = listen(s, monkeypatch)
        await s.say("hold")
        await s.see("holding on")
        s.app.app_focus = False
        s.server.end_turn()
        await s.idle()
        assert written == []


async def test_only_the_notes_that_are_wanted_come_and_also_to_whoever_looks_if_wanted(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ScriptedServer()
    server.config["tui"] = {
        "notifications": ["agent-turn-complete"],
        "notification_condition": "always",
    }
    async with session(codex_home, server) as s:
        written = listen(s, monkeypatch)
        await s.say("ask")
        await s.see("Run this command?")
        assert "\x07" not in written
        s.server.end_turn()
        await s.until(lambda: "\x07" in written)


async def test_the_footer_and_the_title_show_what_the_settings_name(
    codex_home: Path,
) -> None:
    server = ScriptedServer(cwd="/work/project")
    server.config["tui"] = {
        "status_line": ["project-name", "codex-version", "nonsense"],
        "terminal_title": ["model", "project-name"],
    }
    async with session(codex_home, server) as s:
        await s.see("project · ")
        assert window_title(s.app.store.state).endswith(" · project")


async def test_the_last_answer_is_copied_as_the_model_wrote_it(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with session(codex_home) as s:
        written = listen(s, monkeypatch)
        await s.say("hello")
        await s.idle()
        await s.press("ctrl+o")
        await s.see("Copied the last answer")
        text = base64.b64encode(b"You said: hello").decode()
        assert written == [f"\x1b]52;c;{text}\x07"]


def test_a_note_is_a_desktop_note_where_the_terminal_knows_them() -> None:
    assert notification("done\n\x1b", "auto", "ghostty") == "\x1b]9;done  \x07"
    assert notification("done", "auto", "Apple_Terminal") == "\x07"
    assert notification("done", "bel", "ghostty") == "\x07"
    assert title("a\x07b") == "\x1b]0;a b\x07"


def test_codes_for_the_terminal_outside_pass_through_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/socket")
    assert in_tmux("\x1b]9;x\x07") == "\x1bPtmux;\x1b\x1b]9;x\x07\x1b\\"
    assert osc52("x" * 1_000_000) == ""


def test_half_a_character_is_copied_as_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert osc52("a\udcffb") == "\x1b]52;c;YT9i\x07"
