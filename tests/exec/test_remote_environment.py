"""A process service behind a URL is used like the one of this machine."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator

import pytest
from websockets.asyncio.server import ServerConnection, serve

from app_server.exec import service
from app_server.exec.environment import Environment, ExitStatus, RunningProcess
from app_server.exec.errors import CommandNotStarted, EnvironmentLost
from app_server.exec.local import LocalEnvironment
from app_server.exec.remote import RemoteEnvironment
from app_server.exec.sessions import TerminalSessions
from tests.exec.commands import LONGEST_WAIT_SECONDS, eventually, everything, shell, typed
from tests.support.process_service import process_service


@pytest.fixture
def url() -> Iterator[str]:
    with process_service() as url:
        yield url


async def heard(environment: Environment) -> list[object]:
    """What a caller sees of a command, a failure and a terminal there."""
    told: list[object] = []
    async with TerminalSessions(environment) as sessions:
        for request in (shell("echo out; exit 3"), typed("stty size"), shell("kill -9 $$")):
            outcome = await sessions.start(request, on_output=told.append)
            told += [outcome.exit_code, outcome.output]
        with pytest.raises(CommandNotStarted) as refused:
            await sessions.start(shell("true", cwd="/no/such/folder"))
        told.append(str(refused.value))
    return told


async def test_commands_look_the_same_here_and_there(url: str) -> None:
    here, there = LocalEnvironment(), RemoteEnvironment(url)
    assert await heard(there) == await heard(here)
    await there.close()
    await here.close()


async def test_a_flood_from_a_service_that_cannot_hold_one_command_up_arrives_whole() -> None:
    pieces = 200

    async def converse(socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            method = message["method"]
            answer: dict[str, object] = {"result": {"processId": "1"}}
            if method == "initialize":
                answer = {"result": {"protocolVersion": "exec-server.v0"}}
            elif method == "process/holdOutput":
                refusal = {"code": -32600, "message": f"unknown method: {method}"}
                answer = {"error": refusal}
            elif method != "process/start":
                continue
            await socket.send(json.dumps({"id": message["id"], **answer}))
            if method == "process/start":
                flooding.append(asyncio.ensure_future(flood(socket)))

    async def flood(socket: ServerConnection) -> None:
        chunk = b64encode(b"x" * 100_000).decode()
        for seq in range(pieces):
            params = {"processId": "1", "stream": "stdout", "chunk": chunk, "seq": seq + 1}
            await socket.send(json.dumps({"method": "process/output", "params": params}))
        for method, more in (("exited", {"exitCode": 0}), ("closed", {})):
            note = {"method": f"process/{method}", "params": {"processId": "1", **more}}
            await socket.send(json.dumps(note))

    flooding: list[asyncio.Future[None]] = []
    async with serve(converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        environment = RemoteEnvironment(f"ws://127.0.0.1:{port}")
        process = await environment.spawn(shell("anything"))
        await eventually(lambda: environment.is_held_up)
        assert not flooding[0].done()
        assert await everything(process) == b"x" * 100_000 * pieces
        await environment.close()


async def test_closing_the_environment_ends_what_it_runs(url: str) -> None:
    environment = RemoteEnvironment(url)
    process = await environment.spawn(shell("sleep 60"))
    await environment.close()
    assert await process.wait() == ExitStatus()
    assert await everything(process) == b""
    with pytest.raises(EnvironmentLost):
        await environment.spawn(shell("true"))


async def test_a_service_that_is_not_there_is_said_so() -> None:
    environment = RemoteEnvironment("ws://127.0.0.1:1")
    await environment.prewarm()
    with pytest.raises(EnvironmentLost, match="failed to connect to exec-server websocket"):
        await environment.spawn(shell("true"))
    await environment.close()


async def test_a_service_whose_output_is_no_base64_is_left() -> None:
    async def converse(socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message["method"] == "initialize":
                result = {"protocolVersion": "exec-server.v0"}
            elif message["method"] == "process/start":
                params = {"processId": "1", "stream": "stdout", "chunk": "a", "seq": 1}
                await socket.send(json.dumps({"method": "process/output", "params": params}))
                result = {"processId": "1"}
            else:
                continue
            await socket.send(json.dumps({"id": message["id"], "result": result}))

    async with serve(converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        environment = RemoteEnvironment(f"ws://127.0.0.1:{port}")
        with pytest.raises(EnvironmentLost):
            await environment.spawn(shell("true"))
        await environment.close()


@pytest.mark.parametrize(
    "settle",
    [
        lambda process: process.terminate(),
        lambda process: process.close_stdin(),
        lambda process: process.resize(24, 80),
    ],
)
async def test_a_service_that_stops_answering_is_given_up_and_replaced(
    monkeypatch: pytest.MonkeyPatch, settle: Callable[[RunningProcess], Awaitable[None]]
) -> None:
    monkeypatch.setattr(service, "LONGEST_START_SECONDS", 0.05)
    connections = 0

    async def converse(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        async for text in socket:
            message = json.loads(text)
            if message["method"] == "initialize":
                result: dict[str, object] = {"protocolVersion": "exec-server.v0"}
            elif message["method"] == "process/start" and connections > 1:
                result = {"processId": "1"}
            else:
                continue  # as one does that was stopped
            await socket.send(json.dumps({"id": message["id"], "result": result}))

    async with serve(converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        environment = RemoteEnvironment(f"ws://127.0.0.1:{port}")
        with pytest.raises(EnvironmentLost, match=r"has not answered for .* and was given up"):
            await environment.spawn(shell("true"))
        monkeypatch.setattr(service, "LONGEST_START_SECONDS", LONGEST_WAIT_SECONDS)
        process = await environment.spawn(shell("sleep 60"))
        monkeypatch.setattr(service, "LONGEST_ANSWER_SECONDS", 0.05)
        await settle(process)
        assert await process.wait() == ExitStatus()
        assert not environment.is_connected
        await environment.close()
