"""The beginning: sign-in, trust, a prompt from the command line, another server."""

from pathlib import Path

from app_server.protocol.config import CONFIG_BATCH_WRITE
from app_server.protocol.thread import THREAD_START
from app_server.protocol.turn import TURN_START
from tests.tui.screens.session import session
from tests.tui.scripted import ScriptedServer


async def test_a_new_folder_is_asked_about_once_and_the_answer_kept(codex_home: Path) -> None:
    server = ScriptedServer(trusted=False)
    async with session(codex_home, server, opened=False) as s:
        await s.see("Do you trust this folder?")
        assert s.requests(THREAD_START.name) == []
        s.later(1)
        await s.press("1")
        await s.until(lambda: s.requests(THREAD_START.name))
        (edit,) = s.requests(CONFIG_BATCH_WRITE.name)[0].edits
        assert edit.key_path == "projects"
        assert edit.value == {"/work/project": {"trust_level": "trusted"}}
        assert edit.merge_strategy == "upsert"


async def test_a_folder_that_is_not_trusted_is_left(codex_home: Path) -> None:
    async with session(codex_home, ScriptedServer(trusted=False), opened=False) as s:
        await s.see("Do you trust this folder?")
        s.later(1)
        await s.press("2")
        await s.until(lambda: s.app._exit)
        assert s.requests(THREAD_START.name) == []


async def test_a_prompt_on_the_command_line_is_sent(codex_home: Path) -> None:
    async with session(codex_home, prompt="from the shell") as s:
        await s.see("You said: from the shell")
        assert len(s.requests(TURN_START.name)) == 1


async def test_typing_goes_on_while_the_server_starts(codex_home: Path) -> None:
    async with session(codex_home, opened=False) as s:
        await s.type("not waiting")
        assert s.draft == "not waiting"
