"""The client over a launched service, and the handler without any wire."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app_server.exec_server import protocol
from app_server.exec_server.client import (
    CallRejected,
    ExecServerClient,
    ExecServerError,
    PipeTransport,
    TransportClosed,
)
from app_server.exec_server.handler import ExecHandler
from app_server.exec_server.launch import LaunchedService, launch
from app_server.exec_server.limits import Limits
from app_server.exec_server.output import RETAINED_BYTES, RetainedOutput
from app_server.exec_server.protocol import Notification, ServiceError
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS, PATH, is_running


@pytest.fixture
async def service() -> AsyncIterator[LaunchedService]:
    launched = await launch(RETAINED_BYTES)
    yield launched
    await launched.close()


def start(line: str, process_id: str = "proc-1", **more: Any) -> protocol.StartParams:
    argv = ["/bin/sh", "-c", line]
    fields: dict[str, Any] = {"argv": argv, "cwd": "/", "env": PATH, "tty": False}
    return protocol.StartParams(process_id=process_id, **(fields | more))


async def test_exec_server_client_streams_output_and_accepts_writes(
    service: LaunchedService,
) -> None:
    told: list[Notification] = []
    ended = asyncio.Event()

    def hear(event: Notification) -> None:
        told.append(event)
        if isinstance(event, protocol.ExitedNotification):
            ended.set()

    service.client.listen(hear, lambda: None)
    await service.client.start(start("read line; echo echo:$line", tty=True))
    await service.client.write("proc-1", b"hello\n")
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        await ended.wait()
    output = [event for event in told if isinstance(event, protocol.ReceivedOutput)]
    assert b"".join(event.chunk for event in output).endswith(b"echo:hello\r\n")
    assert {event.stream for event in output} == {"pty"}
    assert told[-1] == protocol.ExitedNotification(process_id="proc-1", exit_code=0)


async def test_communicating_gives_input_and_returns_what_came_out(
    service: LaunchedService,
) -> None:
    await service.client.start(start("cat; echo done >&2", io=protocol.PipeIo(stdin="open")))
    result = await service.client.communicate("proc-1", b"some input")
    assert (result.stdout, result.stderr, result.exit_code) == (b"some input", b"done\n", 0)


async def test_closing_the_handle_ends_the_service(service: LaunchedService) -> None:
    started = await service.client.start(start("exec sleep 60"))
    await service.close()
    assert not is_running(service.pid)
    assert started.pid is not None
    assert not is_running(started.pid)
    with pytest.raises(TransportClosed):
        await service.client.start(start("true", "proc-2"))


async def test_a_command_that_stops_the_whole_service_outlives_it_no_longer(
    service: LaunchedService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app_server.exec_server.launch.CLOSE_TIMEOUT_SECONDS", 0.2)
    told = tmp_path / "told"  # a service that is stopped tells of no start any more
    stop = f"until [ -e {told} ]; do sleep 0.01; done; "
    stop += "keeper=$PPID; service=$(cut -d ' ' -f 4 /proc/$keeper/stat); "
    stop += f"kill -STOP $keeper $service {service.pid}; exec sleep 60"
    started = await service.client.start(start(stop))
    told.touch()
    await eventually(lambda: b"\nState:\tT" in Path(f"/proc/{service.pid}/status").read_bytes())
    await service.close()
    assert not is_running(service.pid)
    assert started.pid is not None
    pid = started.pid
    await eventually(lambda: not is_running(pid))


async def test_a_service_that_cannot_be_started_is_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(ExecServerError, match=r"failed to spawn exec-server: .*No such file"):
        await launch(0)


async def test_a_service_that_ends_during_the_handshake_is_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/true")
    with pytest.raises(ExecServerError, match="exec-server transport closed"):
        await launch(0)


async def eventually(condition: Callable[[], bool]) -> None:
    """Poll until it holds, bounded. No thread, because the handler forks in this process."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


async def test_the_handler_is_used_without_a_wire() -> None:
    told: list[Notification] = []
    answers: list[protocol.Body | ServiceError] = []
    limits = Limits(max_processes_per_connection=1)
    handler = ExecHandler(asyncio.get_running_loop(), told.append, limits)
    answer = handler.initialize(protocol.InitializeParams(client_name="test"))
    assert answer.protocol_version == "exec-server.v0"
    handler.initialized()
    handler.handle(start("read line", tty=True), answers.append)
    handler.handle(start("true", "proc-2"), answers.append)
    [refused] = answers
    assert isinstance(refused, ServiceError)
    assert refused.message == "too many processes: 1 are running"
    await eventually(lambda: len(answers) == 2)
    write = protocol.WriteParams(process_id="proc-1", chunk=b"\n")
    handler.handle(write, answers.append)
    await eventually(lambda: any(isinstance(event, protocol.ExitedNotification) for event in told))
    handler.close()
    await eventually(lambda: handler.has_ended)


@pytest.mark.parametrize(
    ("line", "breach"),
    [
        (
            b'{"id":5,"method":"process/ask","params":{}}\n',
            "unexpected exec-server request from remote server: process/ask",
        ),
        (b"not-json\n", "JSON is malformed"),
        (b'{"method":"process/output","params":{"processId":1}}\n', "Expected `str`, got `int`"),
    ],
)
async def test_a_service_that_breaks_the_rules_is_left(line: bytes, breach: str) -> None:
    (to_read, to_write), (nobody, unread) = os.pipe(), os.pipe()
    client = ExecServerClient(PipeTransport(to_read, unread))
    closed = asyncio.Event()
    client.listen(lambda event: None, closed.set)
    os.write(to_write, line)
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        await closed.wait()
    assert client.breach is not None
    assert breach in client.breach
    with pytest.raises(TransportClosed):
        await client.wait("proc-1")
    await client.close()
    for descriptor in (to_write, nobody):
        os.close(descriptor)


async def test_an_unknown_notification_is_passed_over(service: LaunchedService) -> None:
    service.client._receive(b'{"method":"process/unheardOf","params":{}}')
    assert (await service.client.start(start("true"))).process_id == "proc-1"


async def test_an_error_names_its_code(service: LaunchedService) -> None:
    with pytest.raises(CallRejected) as caught:
        await service.client.start(start("", argv=[]))
    assert (caught.value.code, caught.value.message) == (-32602, "argv must not be empty")


def test_dropped_output_leaves_a_gap_in_the_numbers() -> None:
    retained = RetainedOutput(limit_bytes=10)
    for data in (b"aaaa", b"bbbb", b"cccc"):
        retained.add("stdout", data)
    assert [chunk.seq for chunk in retained.after(0)] == [2, 3]
    assert (retained.next_seq, retained.is_truncated) == (4, True)
    retained.add("stderr", b"x" * 11)
    assert retained.after(0) == []
    assert retained.next_seq == 5
