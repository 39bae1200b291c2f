"""Programs run through the process service of this machine."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from app_server.exec.environment import ExitStatus, SpawnRequest, TtySize
from app_server.exec.errors import CommandNotStarted, EnvironmentLost, StdinClosed
from app_server.exec.local import LocalEnvironment
from app_server.exec.service import UNREAD_HIGH_BYTES
from tests.exec.commands import ENVIRONMENT, eventually, everything, is_running, shell


async def test_nothing_is_started_until_the_first_command(environment: LocalEnvironment) -> None:
    assert environment.service_pid is None
    await environment.spawn(shell("true"))
    assert environment.service_pid is not None


async def test_prewarming_starts_the_service_once(environment: LocalEnvironment) -> None:
    await asyncio.gather(environment.prewarm(), environment.prewarm())
    pid = environment.service_pid
    await environment.spawn(shell("true"))
    assert environment.service_pid == pid is not None


async def test_a_program_runs_and_ends_with_its_code(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("echo out; echo err >&2; exit 3"))
    chunks = {chunk.stream: chunk.data async for chunk in process.output()}
    assert chunks == {"stdout": b"out\n", "stderr": b"err\n"}
    assert await process.wait() == ExitStatus(code=3)


async def test_a_killed_program_ends_with_its_signal(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("kill -9 $$"))
    status = await process.wait()
    assert status == ExitStatus(signal=signal.SIGKILL)
    assert status.shell_code == 137


async def test_input_is_written_and_closed(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("cat", stdin="open"))
    await process.write(b"hello")
    await process.close_stdin()
    assert await everything(process) == b"hello"
    assert await process.wait() == ExitStatus(code=0)


async def test_closed_input_refuses_to_be_written(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("sleep 60"))
    with pytest.raises(StdinClosed):
        await process.write(b"hello")


async def test_a_terminal_has_the_size_asked_for(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("stty size", tty=TtySize(rows=30, cols=90)))
    assert await everything(process) == b"30 90\r\n"


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (("no-such-program",), "/", "No such file or directory (os error 2)"),
        (("true",), "/no/such/folder", "No such file or directory (os error 2)"),
        ((), "/", "argv must not be empty"),
        (("a\udcffb",), "/", "the command is not valid UTF-8"),
    ],
)
async def test_what_cannot_be_started_says_why(
    environment: LocalEnvironment, argv: tuple[str, ...], cwd: str, message: str
) -> None:
    with pytest.raises(CommandNotStarted) as caught:
        await environment.spawn(SpawnRequest(argv=argv, cwd=cwd, env=ENVIRONMENT))
    assert str(caught.value) == message
    process = await environment.spawn(shell("echo still here"))
    assert await everything(process) == b"still here\n"


async def test_variables_that_are_not_text_are_left_out(environment: LocalEnvironment) -> None:
    env = ENVIRONMENT | {"BROKEN": "\udcff", "FINE": "é"}
    process = await environment.spawn(shell("echo $BROKEN$FINE", env=env))
    assert await everything(process) == "é\n".encode()


async def test_fifty_programs_write_a_megabyte_each_without_losing_a_byte(
    environment: LocalEnvironment,
) -> None:
    async def run() -> int:
        process = await environment.spawn(shell("head -c 1000000 /dev/zero"))
        size = len(await everything(process))
        assert await process.wait() == ExitStatus(code=0)
        return size

    assert await asyncio.gather(*(run() for _ in range(50))) == [1_000_000] * 50


async def test_a_reader_that_waits_holds_the_program_up_and_loses_nothing(
    environment: LocalEnvironment,
) -> None:
    size = 16 * UNREAD_HIGH_BYTES
    process = await environment.spawn(shell(f"head -c {size} /dev/zero; echo $? >&2"))
    await eventually(lambda: process.is_held_up)
    # Others are not held up with it.
    assert await everything(await environment.spawn(shell("echo other"))) == b"other\n"
    assert process.pid is not None
    assert is_running(process.pid), "it cannot have written everything yet"
    assert len(await everything(process)) == size + 2


async def test_commands_whose_output_waits_are_read_in_any_order(
    environment: LocalEnvironment,
) -> None:
    size = UNREAD_HIGH_BYTES * 3 // 2
    command = shell(f"head -c {size} /dev/zero")
    processes = [await environment.spawn(command) for _ in range(5)]
    await eventually(lambda: all(process.is_held_up for process in processes))
    for process in reversed(processes):
        assert len(await everything(process)) == size


async def test_discarded_output_does_not_hold_a_program_up(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("head -c 50000000 /dev/zero"))
    process.discard_output()
    assert await process.wait() == ExitStatus(code=0)


async def test_a_lost_service_ends_its_processes_and_is_replaced(
    environment: LocalEnvironment,
) -> None:
    process = await environment.spawn(shell("sleep 60"))
    assert environment.service_pid is not None
    os.kill(environment.service_pid, signal.SIGKILL)
    assert await process.wait() == ExitStatus()
    assert await everything(process) == b""
    assert process.pid is not None
    await eventually(lambda: process.pid and not is_running(process.pid))
    again = await environment.spawn(shell("echo back"))
    assert await everything(again) == b"back\n"


async def test_closing_ends_what_runs_and_refuses_more(environment: LocalEnvironment) -> None:
    process = await environment.spawn(shell("sleep 60"))
    await environment.close()
    assert process.pid is not None
    assert not is_running(process.pid)
    with pytest.raises(EnvironmentLost):
        await environment.spawn(shell("true"))


async def test_a_start_that_is_given_up_leaves_nothing(
    environment: LocalEnvironment, tmp_path: Path
) -> None:
    await environment.prewarm()
    mark = tmp_path / "mark"
    starting = asyncio.ensure_future(
        environment.spawn(shell(f"echo $$ > {mark}; while :; do sleep 1; done"))
    )
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    # Commands are started in order: once this one has run the other one is over, too.
    process = await environment.spawn(shell("true"))
    await process.wait()
    if mark.exists() and mark.read_text().strip():
        pid = int(mark.read_text())
        await eventually(lambda: not is_running(pid))
