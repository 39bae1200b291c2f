"""Commands of a thread: windows, polling, input, interrupts, caps."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app_server.exec import sessions as sessions_module
from app_server.exec import terminal as terminal_module
from app_server.exec.errors import CommandNotStarted, StdinClosed, UnknownSession
from app_server.exec.local import LocalEnvironment
from app_server.exec.sessions import LONGEST_POLL_MS, SessionEnd, TerminalSessions
from tests.exec.commands import eventually, is_running, pids_in, shell, typed

STUBBORN = "trap '' TERM INT HUP; echo $$ >> {file}; while :; do sleep 1; done"


class Told:
    """What the callbacks of a command heard, in order."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @property
    def callbacks(self) -> dict[str, Any]:
        return {
            "on_started": lambda session_id, pid: self.heard.append("started"),
            "on_output": self.heard.append,
            "on_exit": self.heard.append,
        }

    @property
    def output(self) -> bytes:
        return b"".join(item for item in self.heard if isinstance(item, bytes))

    @property
    def end(self) -> SessionEnd | None:
        return next((item for item in self.heard if isinstance(item, SessionEnd)), None)


async def test_a_command_that_ends_in_time_reports_everything(sessions: TerminalSessions) -> None:
    told = Told()
    outcome = await sessions.start(shell("echo hello; exit 3"), **told.callbacks)
    assert (outcome.exit_code, outcome.session_id, outcome.output) == (3, None, "hello\n")
    assert outcome.original_token_count == 2
    assert len(outcome.chunk_id) == 6
    assert told.heard[:2] == ["started", b"hello\n"]
    assert told.end is not None
    assert (told.end.exit_code, told.end.output, told.end.reason) == (3, "hello\n", "exited")
    assert sessions.running() == []


async def test_no_output_of_fast_commands_is_ever_lost(sessions: TerminalSessions) -> None:
    for number in range(60):
        request = typed("echo hello") if number % 2 else shell("echo hello")
        outcome = await sessions.start(request)
        assert (outcome.output.strip(), outcome.exit_code) == ("hello", 0)


async def test_a_command_killed_by_a_signal_reports_128_and_the_signal(
    sessions: TerminalSessions,
) -> None:
    assert (await sessions.start(shell("kill -15 $$"))).exit_code == 143


async def test_a_command_that_takes_longer_goes_on_as_a_session(
    sessions: TerminalSessions, tmp_path: Path
) -> None:
    told, go = Told(), tmp_path / "go"
    line = f"echo one; while [ ! -e {go} ]; do sleep 0.01; done; echo two"
    sessions.pause_clock()  # the window is over once the first line is here, however long it took
    call = asyncio.ensure_future(sessions.start(shell(line), yield_time_ms=0, **told.callbacks))
    await eventually(lambda: told.output)
    sessions.resume_clock()
    first = await call
    assert (first.exit_code, first.output) == (None, "one\n")
    assert first.session_id is not None
    assert 1000 <= first.session_id <= 99_999
    [running] = sessions.running()
    assert (running.session_id, running.last_lines) == (first.session_id, ("one",))
    go.touch()
    second = await sessions.write(first.session_id, "", yield_time_ms=LONGEST_POLL_MS)
    assert (second.exit_code, second.session_id, second.output) == (0, None, "two\n")
    assert told.end is not None
    assert told.end.output == "one\ntwo\n"
    with pytest.raises(UnknownSession, match=f"Unknown process id {first.session_id}"):
        await sessions.write(first.session_id, "")


async def test_the_end_of_a_background_command_is_told_when_it_happens_and_polled_later(
    sessions: TerminalSessions, tmp_path: Path
) -> None:
    told, go = Told(), tmp_path / "go"
    line = f"while [ ! -e {go} ]; do sleep 0.01; done; echo late; exit 4"
    first = await sessions.start(shell(line), yield_time_ms=0, **told.callbacks)
    go.touch()
    await eventually(lambda: told.end)
    assert sessions.running() == []
    assert first.session_id is not None
    late = await sessions.write(first.session_id, "")
    assert (late.exit_code, late.output) == (4, "late\n")


async def test_a_terminal_is_typed_into(sessions: TerminalSessions) -> None:
    first = await sessions.start(typed("read line; echo got $line"), yield_time_ms=0)
    assert first.session_id is not None
    second = await sessions.write(first.session_id, "abc\n", yield_time_ms=30_000)
    assert (second.exit_code, second.output) == (0, "abc\r\ngot abc\r\n")


async def test_control_c_ends_what_runs_in_a_terminal(sessions: TerminalSessions) -> None:
    first = await sessions.start(typed("sleep 60"), yield_time_ms=0)
    assert first.session_id is not None
    second = await sessions.write(first.session_id, "\x03", yield_time_ms=30_000)
    assert second.exit_code == 130


async def test_a_command_without_terminal_takes_no_input(sessions: TerminalSessions) -> None:
    first = await sessions.start(shell("sleep 60"), yield_time_ms=0)
    assert first.session_id is not None
    with pytest.raises(StdinClosed, match="rerun exec_command with tty=true"):
        await sessions.write(first.session_id, "hello")


async def test_what_cannot_be_started_is_refused_and_told_to_nobody(
    sessions: TerminalSessions,
) -> None:
    told = Told()
    with pytest.raises(CommandNotStarted):
        await sessions.start(shell("true", cwd="/no/such/folder"), **told.callbacks)
    assert told.heard == []


async def test_characters_are_never_passed_on_in_halves(sessions: TerminalSessions) -> None:
    told = Told()
    half = "printf '\\303'"
    line = f"for i in 1 2 3 4 5 6 7 8; do {half}; sleep 0.01; printf '\\244'; done; {half}"
    await sessions.start(shell(line), **told.callbacks)
    pieces = [item for item in told.heard if isinstance(item, bytes)]
    assert b"".join(pieces).decode(errors="replace") == "ä" * 8 + "\ufffd"
    for piece in pieces[:-1]:
        piece.decode()


async def test_a_flood_keeps_head_and_tail(sessions: TerminalSessions) -> None:
    told = Told()
    line = "printf start; head -c 3000000 /dev/zero; printf end"
    outcome = await sessions.start(shell(line), yield_time_ms=30_000, **told.callbacks)
    assert outcome.original_token_count == 262_144
    assert outcome.output.startswith("start")
    assert outcome.output.endswith("end")
    assert len(told.output) == 3_000_008
    assert told.end is not None
    assert len(told.end.output) == 1_048_576


async def test_of_a_large_flood_only_the_beginning_is_told_as_it_comes(
    sessions: TerminalSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_module, "LIVE_OUTPUT_BYTES", 1_000_000)
    told = Told()
    line = "head -c 9000000 /dev/zero; printf end"
    outcome = await sessions.start(shell(line), yield_time_ms=30_000, **told.callbacks)
    assert outcome.output.endswith("end")
    assert 1_000_000 <= len(told.output) < 2_000_000
    assert told.end is not None
    assert told.end.output.endswith("end")


async def test_cancelling_the_start_ends_the_whole_tree(
    sessions: TerminalSessions, tmp_path: Path
) -> None:
    told, file = Told(), tmp_path / "pids"
    line = f'(setsid sh -c "echo \\$\\$ >> {file}; exec sleep 60" &); echo $$ >> {file}; sleep 60'
    call = asyncio.ensure_future(sessions.start(shell(line), **told.callbacks))
    pids = await pids_in(file, 2)
    await eventually(lambda: told.heard)  # it runs before we have been told so
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert told.end is not None
    assert told.end.reason == "interrupted"
    await eventually(lambda: not any(is_running(pid) for pid in pids))


async def test_cancelling_does_not_wait_for_what_ignores_it_but_ends_it(
    sessions: TerminalSessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_module, "INTERRUPT_GRACE_SECONDS", 0.3)
    told, file = Told(), tmp_path / "pids"
    call = asyncio.ensure_future(
        sessions.start(shell(STUBBORN.format(file=file)), **told.callbacks)
    )
    [pid] = await pids_in(file)
    await eventually(lambda: told.heard)  # it runs before we have been told so
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert told.end is not None
    heard = len(told.heard)
    await eventually(lambda: not is_running(pid))
    assert len(told.heard) == heard, "the end was told once and nothing after it"


async def test_cancelling_a_poll_leaves_the_command_running(sessions: TerminalSessions) -> None:
    first = await sessions.start(shell("sleep 60"), yield_time_ms=0)
    assert first.session_id is not None
    poll = asyncio.ensure_future(sessions.write(first.session_id, ""))
    await asyncio.sleep(0)
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert [info.session_id for info in sessions.running()] == [first.session_id]


async def test_a_session_is_terminated_by_its_id(sessions: TerminalSessions) -> None:
    told = Told()
    first = await sessions.start(shell("sleep 60"), yield_time_ms=0, **told.callbacks)
    assert first.session_id is not None
    assert await sessions.terminate(first.session_id)
    await eventually(lambda: told.end)
    assert told.end is not None
    assert (told.end.reason, told.end.exit_code) == ("terminated", 143)
    assert not await sessions.terminate(first.session_id)
    assert not await sessions.terminate(1)


async def test_closing_ends_everything_and_tells_every_end(
    environment: LocalEnvironment, tmp_path: Path
) -> None:
    told, file = Told(), tmp_path / "pids"
    async with TerminalSessions(environment) as sessions:
        await sessions.start(shell(STUBBORN.format(file=file)), yield_time_ms=0, **told.callbacks)
        [pid] = await pids_in(file)
    assert told.end is not None
    assert told.end.reason == "closed"
    await eventually(lambda: not is_running(pid))


async def test_the_least_recently_used_session_makes_room(
    sessions: TerminalSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_module, "MOST_SESSIONS", 3)
    monkeypatch.setattr(sessions_module, "PROTECTED_SESSIONS", 1)
    ids: list[int] = []
    ends: list[SessionEnd] = []
    for _ in range(3):
        outcome = await sessions.start(shell("sleep 60"), yield_time_ms=0, on_exit=ends.append)
        assert outcome.session_id is not None
        ids.append(outcome.session_id)
    with pytest.raises(StdinClosed):
        await sessions.write(ids[0], "used again")
    await sessions.start(shell("true"))
    await eventually(lambda: ends)
    assert [(end.session_id, end.reason) for end in ends] == [(ids[1], "pruned")]
    assert not sessions.knows(ids[1])


async def test_an_ended_session_makes_room_before_a_running_one(
    sessions: TerminalSessions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sessions_module, "MOST_SESSIONS", 2)
    monkeypatch.setattr(sessions_module, "PROTECTED_SESSIONS", 0)
    go = tmp_path / "go"
    ends: list[SessionEnd] = []
    running = await sessions.start(shell("sleep 60"), yield_time_ms=0)
    line = f"while [ ! -e {go} ]; do sleep 0.01; done"
    ended = await sessions.start(shell(line), yield_time_ms=0, on_exit=ends.append)
    go.touch()
    await eventually(lambda: ends)
    await sessions.start(shell("true"))
    assert running.session_id is not None
    assert ended.session_id is not None
    assert sessions.knows(running.session_id)
    assert not sessions.knows(ended.session_id)


async def test_waiting_time_stands_still_while_a_question_is_open(
    sessions: TerminalSessions,
) -> None:
    sessions.pause_clock()
    call = asyncio.ensure_future(sessions.start(shell("echo x; sleep 60"), yield_time_ms=0))
    await eventually(lambda: sessions.running() and sessions.running()[0].last_lines)
    assert sessions.running()[0].running_seconds >= 0
    done, _ = await asyncio.wait({call}, timeout=2 * sessions_module.SHORTEST_YIELD_MS / 1000)
    assert not done
    sessions.resume_clock()
    assert (await call).output == "x\n"


async def test_the_loss_of_the_service_is_told(
    sessions: TerminalSessions, environment: LocalEnvironment
) -> None:
    told = Told()
    first = await sessions.start(shell("sleep 60"), yield_time_ms=0, **told.callbacks)
    await environment.close()
    await eventually(lambda: told.end)
    assert told.end is not None
    assert (told.end.reason, told.end.exit_code) == ("lost", -1)
    assert first.session_id is not None
    assert (await sessions.write(first.session_id, "")).exit_code == -1
