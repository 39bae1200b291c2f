"""The client whose service lives in its own process."""

import asyncio

import pytest

from app_server.exec_server import protocol
from app_server.exec_server.client import CallRejected, Event, TransportClosed
from app_server.exec_server.in_process import connect_in_process
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS, PATH, eventually, is_running


def start(line: str, process_id: str = "proc-1") -> protocol.StartParams:
    io = protocol.PipeIo(stdin="open")
    argv = ["/bin/sh", "-c", line]
    return protocol.DirectStartParams(process_id=process_id, argv=argv, cwd="/", env=PATH, io=io)


async def test_in_process_client_streams_output_and_accepts_writes() -> None:
    client = await connect_in_process()
    told: list[Event] = []
    client.listen(told.append, lambda: None)
    await client.start(start("read line; echo echo:$line"))
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        result = await client.communicate("proc-1", b"hello\n")
    assert (result.stdout, result.exit_code) == (b"echo:hello\n", 0)
    assert [type(event) for event in told][:3] == [
        protocol.StartedNotification,
        protocol.ReceivedOutput,
        protocol.ExitedNotification,
    ]
    await client.close()


async def test_closing_it_ends_what_it_runs_and_fails_what_waits() -> None:
    client = await connect_in_process()
    pid = (await client.start(start("exec sleep 60"))).pid
    assert pid is not None
    waiting = asyncio.ensure_future(client.wait("proc-1"))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(TransportClosed):
        await waiting
    eventually(lambda: not is_running(pid))


async def test_a_flood_waits_for_a_paused_client_and_arrives_whole() -> None:
    client = await connect_in_process()
    received = bytearray()

    def hear(event: Event) -> None:
        if isinstance(event, protocol.ReceivedOutput):
            received.extend(event.chunk)
            client.pause()
            asyncio.get_running_loop().call_soon(client.resume)

    client.listen(hear, lambda: None)
    await client.start(start("seq 1 300000"))
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        await client.wait("proc-1")
    assert bytes(received) == b"".join(b"%d\n" % number for number in range(1, 300_001))
    await client.close()


async def test_a_refusal_names_its_code() -> None:
    client = await connect_in_process()
    with pytest.raises(CallRejected, match=r"\(-32600\): unknown process id none"):
        await client.write("none", b"")
    await client.close()
