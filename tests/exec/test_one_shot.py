"""Commands run to their end, with limits."""

import asyncio
from pathlib import Path

import pytest

from app_server.exec.environment import OutputChunk, RunningProcess
from app_server.exec.local import LocalEnvironment
from app_server.exec.one_shot import run_to_end
from tests.exec.commands import eventually, is_running, pids_in, shell, typed

STUBBORN = "trap '' TERM INT HUP; echo $$ >> {file}; while :; do sleep 1; done"


async def test_streams_are_kept_apart_and_told_as_they_come(environment: LocalEnvironment) -> None:
    told: list[OutputChunk] = []
    request = shell("echo out; echo err >&2; exit 3")
    result = await run_to_end(environment, request, on_output=told.append)
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"out\n", b"err\n")
    pieces = sorted((chunk.stream, chunk.data) for chunk in told)
    assert pieces == [("stderr", b"err\n"), ("stdout", b"out\n")]
    assert not result.timed_out


async def test_a_terminals_output_counts_as_stdout(environment: LocalEnvironment) -> None:
    result = await run_to_end(environment, typed("echo out; echo err >&2"))
    assert (result.stdout, result.stderr) == (b"out\r\nerr\r\n", b"")


async def test_a_time_out_answers_124_and_leaves_nothing(
    environment: LocalEnvironment, tmp_path: Path
) -> None:
    started: list[RunningProcess] = []
    result = await run_to_end(
        environment,
        shell(STUBBORN.format(file=tmp_path / "pids")),
        on_started=started.append,
        timeout_seconds=0.5,
    )
    assert (result.exit_code, result.timed_out) == (124, True)
    assert started[0].pid is not None
    assert not is_running(started[0].pid)


async def test_closed_outputs_do_not_end_the_time_limit(environment: LocalEnvironment) -> None:
    request = shell("exec >&- 2>&-; sleep 60")
    assert (await run_to_end(environment, request, timeout_seconds=0.2)).timed_out


async def test_cancelling_ends_the_command(environment: LocalEnvironment, tmp_path: Path) -> None:
    request = shell(f"echo $$ > {tmp_path / 'pids'}; sleep 60")
    running = asyncio.ensure_future(run_to_end(environment, request))
    [pid] = await pids_in(tmp_path / "pids")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await eventually(lambda: not is_running(pid))


async def test_a_cap_keeps_head_and_tail_and_counts_the_rest(environment: LocalEnvironment) -> None:
    request = shell("printf start; head -c 100000 /dev/zero; printf end")
    result = await run_to_end(environment, request, cap_bytes=100)
    assert len(result.stdout) == 100
    assert result.stdout.startswith(b"start")
    assert result.stdout.endswith(b"end")
    assert result.dropped_bytes == 100_008 - 100


async def test_a_running_command_is_written_to(environment: LocalEnvironment) -> None:
    started: list[RunningProcess] = []
    running = asyncio.ensure_future(
        run_to_end(environment, shell("cat", stdin="open"), on_started=started.append)
    )
    process = (await eventually(lambda: started))[0]
    await process.write(b"hello")
    await process.close_stdin()
    assert (await running).stdout == b"hello"
