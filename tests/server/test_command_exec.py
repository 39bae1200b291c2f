"""Commands without a thread, run for real."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.exec.environment import Confiner, Environment, RunningProcess, SpawnRequest
from app_server.protocol.command_exec import (
    COMMAND_EXEC,
    COMMAND_EXEC_OUTPUT_DELTA,
    COMMAND_EXEC_RESIZE,
    COMMAND_EXEC_TERMINATE,
    COMMAND_EXEC_WRITE,
    CommandExecOutputDeltaNotification,
    CommandExecParams,
    CommandExecResizeParams,
    CommandExecResponse,
    CommandExecTerminalSize,
    CommandExecTerminateParams,
    CommandExecWriteParams,
)
from app_server.protocol.errors import INVALID_PARAMS, INVALID_REQUEST, RpcError
from app_server.protocol.method import ClientMethod
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.server.server import Server
from tests.server.connector import Connector

BOUND_SECONDS = 30


@pytest.fixture(autouse=True)
def _unconfined(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('sandbox_mode = "danger-full-access"\n')


@pytest.fixture
async def client(connect: Connector) -> Client:
    return await connect()


async def run(client: Client, *command: str, **params: Any) -> CommandExecResponse:
    async with asyncio.timeout(BOUND_SECONDS):
        return await client.request(
            COMMAND_EXEC, CommandExecParams(command=list(command), **params)
        )


async def output(client: Client) -> CommandExecOutputDeltaNotification:
    async with asyncio.timeout(BOUND_SECONDS):
        async for event in client.events():
            if isinstance(event, Notification) and event.method == COMMAND_EXEC_OUTPUT_DELTA.name:
                assert isinstance(event.params, CommandExecOutputDeltaNotification)
                return event.params
    raise AssertionError


async def test_output_and_exit_code_come_back(client: Client, workspace: Path) -> None:
    script = "echo $GREETING; pwd; echo err >&2; exit 4"
    answer = await run(client, "sh", "-c", script, env={"GREETING": "hello"})
    assert answer == CommandExecResponse(
        exit_code=4, stdout=f"hello\n{workspace}\n", stderr="err\n"
    )


async def test_a_variable_can_be_unset(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETING", "from the server")
    script = 'echo "${GREETING-unset}"'
    assert (await run(client, "sh", "-c", script)).stdout == "from the server\n"
    assert (await run(client, "sh", "-c", script, env={"GREETING": None})).stdout == "unset\n"


async def test_output_beyond_the_cap_is_left_out(client: Client) -> None:
    answer = await run(client, "printf", "0123456789", output_bytes_cap=5)
    assert answer.stdout == "01234"


async def test_a_streamed_piece_that_passes_the_cap_is_cut(client: Client) -> None:
    running = asyncio.create_task(
        run(
            client,
            *("printf", "0123456789"),
            process_id="p",
            stream_stdout_stderr=True,
            output_bytes_cap=5,
        )
    )
    assert await output(client) == CommandExecOutputDeltaNotification(
        process_id="p",
        stream="stdout",
        delta_base64=base64.b64encode(b"01234").decode(),
        cap_reached=True,
    )
    assert (await running).exit_code == 0


async def test_a_command_that_takes_too_long_ends_with_124(client: Client) -> None:
    assert (await run(client, "sleep", "60", timeout_ms=50)).exit_code == 124


async def test_a_program_that_is_not_there_is_told_in_the_systems_words(client: Client) -> None:
    with pytest.raises(RpcError) as refused:
        await run(client, "/no/such/binary")
    assert (refused.value.code, refused.value.message) == (
        -32603,
        "failed to spawn command: No such file or directory (os error 2)",
    )


async def test_a_streamed_command_can_be_written_to_and_repeats_nothing(client: Client) -> None:
    running = asyncio.create_task(
        run(client, "cat", process_id="p", stream_stdin=True, stream_stdout_stderr=True)
    )
    await asyncio.sleep(0)
    write = CommandExecWriteParams(process_id="p", delta_base64=base64.b64encode(b"hi\n").decode())
    await client.request(COMMAND_EXEC_WRITE, write)
    assert await output(client) == CommandExecOutputDeltaNotification(
        process_id="p",
        stream="stdout",
        delta_base64=base64.b64encode(b"hi\n").decode(),
        cap_reached=False,
    )
    with pytest.raises(RpcError, match="duplicate active command/exec process id"):
        await run(client, "true", process_id="p")
    close = CommandExecWriteParams(process_id="p", close_stdin=True)
    await client.request(COMMAND_EXEC_WRITE, close)
    assert await running == CommandExecResponse(exit_code=0, stdout="", stderr="")


async def test_a_terminal_can_be_resized_and_ended(client: Client) -> None:
    running = asyncio.create_task(
        run(client, "sh", "-c", "stty size; read x; stty size; sleep 60", process_id="p", tty=True)
    )
    assert base64.b64decode((await output(client)).delta_base64).strip() == b"24 80"
    size = CommandExecTerminalSize(rows=10, cols=20)
    await client.request(COMMAND_EXEC_RESIZE, CommandExecResizeParams(process_id="p", size=size))
    write = CommandExecWriteParams(process_id="p", delta_base64=base64.b64encode(b"\n").decode())
    await client.request(COMMAND_EXEC_WRITE, write)
    text = b""
    while b"10 20" not in text:
        text += base64.b64decode((await output(client)).delta_base64)
    await client.request(COMMAND_EXEC_TERMINATE, CommandExecTerminateParams(process_id="p"))
    assert (await running).exit_code == -1


async def test_a_command_ends_with_its_connection(connect: Connector, workspace: Path) -> None:
    leaving, staying = await connect("leaving"), await connect("staying")
    script = "echo $$; exec sleep 60"
    running = asyncio.create_task(
        run(leaving, "sh", "-c", script, process_id="p", stream_stdout_stderr=True)
    )
    pid = int(base64.b64decode((await output(leaving)).delta_base64))
    await leaving.__aexit__(None, None, None)
    with pytest.raises(RpcError):
        await running
    wait = f"while kill -0 {pid} 2>/dev/null; do sleep 0.02; done"
    assert (await run(staying, "sh", "-c", wait, disable_timeout=True)).exit_code == 0


class HeldEnvironment:
    """Starts a program only when told to."""

    def __init__(self, real: Environment) -> None:
        self._real = real
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.started: asyncio.Future[RunningProcess] = asyncio.get_running_loop().create_future()

    async def confiner(self) -> Confiner:
        return await self._real.confiner()

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        self.asked.set()
        await self.go_on.wait()
        process = await self._real.spawn(request)
        self.started.set_result(process)
        return process


async def test_a_command_still_being_started_when_its_client_leaves_is_ended(
    connect: Connector, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldEnvironment(await server.services.environment())

    async def environment() -> HeldEnvironment:
        return held

    monkeypatch.setattr(server.services, "environment", environment)
    leaving = await connect("leaving")
    running = asyncio.create_task(run(leaving, "sleep", "600", disable_timeout=True))
    async with asyncio.timeout(BOUND_SECONDS):
        await held.asked.wait()
        await leaving.__aexit__(None, None, None)
        with pytest.raises(RpcError):
            await running
        while server.connections:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)
        held.go_on.set()
        status = await (await held.started).wait()
    assert status.signal is not None


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"command": []}, INVALID_REQUEST, "command must not be empty"),
        (
            {"tty": True},
            INVALID_REQUEST,
            "command/exec tty or streaming requires a client-supplied processId",
        ),
        (
            {"size": CommandExecTerminalSize(rows=1, cols=1)},
            INVALID_PARAMS,
            "command/exec size requires tty: true",
        ),
        (
            {"timeout_ms": -1},
            INVALID_PARAMS,
            "command/exec timeoutMs must be non-negative, got -1",
        ),
        (
            {"timeout_ms": 1, "disable_timeout": True},
            INVALID_PARAMS,
            "command/exec cannot set both timeoutMs and disableTimeout",
        ),
        (
            {"output_bytes_cap": 1, "disable_output_cap": True},
            INVALID_PARAMS,
            "command/exec cannot set both outputBytesCap and disableOutputCap",
        ),
        (
            {"sandbox_policy": WorkspaceWriteSandboxPolicy(writable_roots=["/a", "src"])},
            INVALID_REQUEST,
            "sandboxPolicy.writableRoots: `src` is not an absolute path",
        ),
        (
            {"command": ["a\0b"]},
            INVALID_PARAMS,
            "command/exec command, cwd and env must not contain NUL characters",
        ),
    ],
)
async def test_contradictions_are_refused(
    client: Client, params: dict[str, Any], code: int, message: str
) -> None:
    with pytest.raises(RpcError) as refused:
        await client.request(COMMAND_EXEC, CommandExecParams(**{"command": ["true"], **params}))
    assert (refused.value.code, refused.value.message) == (code, message)


async def test_speaking_to_a_command_that_is_not_there_is_refused(client: Client) -> None:
    calls: list[tuple[ClientMethod[Any, Any], Any]] = [
        (COMMAND_EXEC_WRITE, CommandExecWriteParams(process_id="x", close_stdin=True)),
        (COMMAND_EXEC_TERMINATE, CommandExecTerminateParams(process_id="x")),
    ]
    for row, params in calls:
        with pytest.raises(RpcError) as refused:
            await client.request(row, params)
        assert refused.value.message == 'no active command/exec for process id "x"'


async def test_an_odd_id_stands_in_the_answer_as_json_has_it(client: Client) -> None:
    odd = 'a"\0\nü'
    with pytest.raises(RpcError) as refused:
        await client.request(COMMAND_EXEC_TERMINATE, CommandExecTerminateParams(process_id=odd))
    quoted = r'"a\"\u0000\nü"'
    assert refused.value.message == f"no active command/exec for process id {quoted}"
