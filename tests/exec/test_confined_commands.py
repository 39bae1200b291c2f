"""Commands as the agent runs them: prepared for the sandbox, then run by the process service."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from app_server.exec.environment import SpawnRequest, TtySize
from app_server.exec.local import LocalEnvironment
from app_server.exec.sessions import LONGEST_POLL_MS, SessionEnd, TerminalSessions
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.sandbox import probe
from app_server.sandbox.launch import prepare
from tests.exec.commands import ENVIRONMENT, eventually, is_running, pids_in

pytestmark = pytest.mark.sandbox


@pytest.fixture(autouse=True)
def _mechanism() -> None:
    facts = probe.facts()
    if "workspace-write" not in facts.keeps:
        pytest.skip(f"workspace-write cannot be kept here: {facts.missing}")


def confined(workspace: Path, line: str, tty: bool = False) -> SpawnRequest:
    """What to spawn so that one line runs in workspace-write, with no other writable place."""
    policy = WorkspaceWriteSandboxPolicy(exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
    command = prepare(policy, ("/bin/sh", "-c", line), workspace, ENVIRONMENT, tty=tty)
    return SpawnRequest(
        argv=command.argv,
        cwd=command.cwd,
        env=command.env,
        tty=TtySize() if tty else None,
        arg0=command.arg0,
        inherited_data=command.inherited_data,
        mount_points=command.mount_points,
        claims_terminal=command.claims_terminal,
    )


async def test_the_workspace_is_writable_the_rest_is_not_and_no_trace_is_left(
    sessions: TerminalSessions, workspace: Path, tmp_path: Path
) -> None:
    line = f"echo in > inside; echo out > {tmp_path}/outside; mkdir .codex/x .git/x; echo done"
    outcome = await sessions.start(confined(workspace, line))
    assert outcome.exit_code == 0
    assert "done\n" in outcome.output
    assert not (tmp_path / "outside").exists()
    assert os.listdir(workspace) == ["inside"]


async def test_exit_codes_and_signals_come_through(
    sessions: TerminalSessions, workspace: Path
) -> None:
    assert (await sessions.start(confined(workspace, "exit 7"))).exit_code == 7
    assert (await sessions.start(confined(workspace, "kill -9 $$"))).exit_code == 137
    assert (await sessions.start(confined(workspace, "no-such-program"))).exit_code == 127


async def test_an_interrupt_ends_the_whole_sandbox_and_leaves_no_mount_point(
    sessions: TerminalSessions, workspace: Path
) -> None:
    ends: list[SessionEnd] = []
    # Inside, process ids are those of the sandbox: the shared folder tells which host pid it is.
    line = "(setsid sh -c \"trap '' TERM; touch up; while :; do sleep 1; done\" &); sleep 60"
    call = asyncio.ensure_future(sessions.start(confined(workspace, line), on_exit=ends.append))
    await eventually(lambda: (workspace / "up").exists())
    inside = _processes_in(workspace)
    assert inside
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [end.reason for end in ends] == ["interrupted"]
    await eventually(lambda: not any(is_running(pid) for pid in inside))
    await eventually(lambda: os.listdir(workspace) == ["up"])


async def test_commands_sharing_a_workspace_do_not_take_each_others_cover_away(
    sessions: TerminalSessions, workspace: Path
) -> None:
    long = "while [ ! -e go ]; do sleep 0.01; done; mkdir .codex/mine || echo refused"
    first = await sessions.start(confined(workspace, long), yield_time_ms=0)
    await sessions.start(confined(workspace, "true"))
    (workspace / "go").touch()
    assert first.session_id is not None
    last = await sessions.write(first.session_id, "", yield_time_ms=LONGEST_POLL_MS)
    assert "refused" in last.output
    assert os.listdir(workspace) == ["go"]


async def test_what_a_killed_server_left_is_cleared_by_the_next_command(
    workspace: Path, sessions: TerminalSessions
) -> None:
    lost = LocalEnvironment()
    started: list[Any] = []
    async with TerminalSessions(lost) as others:
        line = "echo $$ > pids; sleep 60"
        call = asyncio.ensure_future(
            others.start(confined(workspace, line), on_started=lambda *facts: started.append(facts))
        )
        await pids_in(workspace / "pids")
        await eventually(lambda: started)  # it runs before we have been told so
        assert lost.service_pid is not None
        os.kill(lost.service_pid, 9)
        assert (await call).exit_code == -1
    await lost.close()
    pid = started[0][1]
    await eventually(lambda: not is_running(pid))
    await sessions.start(confined(workspace, "true"))
    assert os.listdir(workspace) == ["pids"]


def _processes_in(folder: Path) -> list[int]:
    """Host pids of everything whose working folder is this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "cwd") == str(folder):
                    found.append(int(entry.name))
            except OSError:
                pass
    return found
