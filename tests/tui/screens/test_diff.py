"""/diff: git's own output, and nothing a repository's settings would have run for it."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app_server.protocol.command_exec import COMMAND_EXEC, CommandExecResponse
from app_server.rpc.frames import RequestFrame, ResultFrame
from tests.tui.screens.session import session
from tests.tui.scripted import ScriptedServer
from tui.commands import view


class GitServer(ScriptedServer):
    """Runs the commands it is asked to run."""

    def __init__(self, cwd: str) -> None:
        super().__init__(cwd)
        self.running = self.most_at_once = 0

    async def _answer(self, frame: RequestFrame) -> None:
        if frame.method != COMMAND_EXEC.name:
            await super()._answer(frame)
            return
        task = asyncio.create_task(self._run(frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, frame: RequestFrame) -> None:
        params: Any = frame.params
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        process = await asyncio.create_subprocess_exec(
            *params.command, cwd=params.cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        self.running -= 1
        result = CommandExecResponse(
            exit_code=process.returncode or 0, stdout=out.decode(), stderr=err.decode()
        )
        await self._channel.send(ResultFrame(frame.id, result))


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "kept.txt").write_text("before\n")
    (folder / ".gitattributes").write_text("*.txt diff=shouting\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "kept.txt").write_text("after\n")
    return folder


async def test_no_program_from_the_settings_of_a_repository_is_run(
    codex_home: Path, repository: Path
) -> None:
    mark = repository.parent / "was-run"
    git(repository, "config", "diff.external", f"touch {mark} #")
    git(repository, "config", "diff.shouting.textconv", f"touch {mark}; cat")
    (repository / "new.txt").write_text("fresh\n")
    async with session(codex_home, GitServer(str(repository)), cwd=str(repository)) as s:
        await s.say("/diff")
        await s.see("+fresh")
        assert "-before" in s.text
        assert "+after" in s.text
        assert not mark.exists()


async def test_many_new_files_are_read_a_few_at_a_time_and_shown_in_order(
    codex_home: Path, repository: Path
) -> None:
    for number in range(view.NEW_FILES_SHOWN + 3):
        (repository / f"new-{number:02d}").write_text(f"content {number}\n")
    server = GitServer(str(repository))
    async with session(codex_home, server, size=(80, 240), cwd=str(repository)) as s:
        await s.say("/diff")
        await s.see("content 49")
        assert 1 < server.most_at_once <= view.AT_ONCE
        assert len(s.requests(COMMAND_EXEC.name)) == view.NEW_FILES_SHOWN + 3
        positions = [s.text.index(f"+content {n}\n") for n in range(view.NEW_FILES_SHOWN)]
        assert positions == sorted(positions)
