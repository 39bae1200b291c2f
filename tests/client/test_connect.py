"""Reaching a server in a child process."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.client.connect import BEHIND_BYTES, start_child
from app_server.client.events import Disconnected
from app_server.protocol.initialize import ClientInfo
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.rpc.channel import ChannelClosed
from app_server.rpc.frames import NotificationFrame
from app_server.rpc.peer import ConnectionLost

SERVER = [sys.executable, "-m", "app_server.cli.main", "app-server"]
ME = ClientInfo(name="test", version="1.0.0")


async def test_a_server_in_a_child_process_answers_and_ends_with_its_channel(
    codex_home: Path,
) -> None:
    async with asyncio.timeout(30):
        channel = await start_child(SERVER, env={**os.environ, "CODEX_HOME": str(codex_home)})
        async with Client(channel) as client:
            assert (await client.initialize(ME)).codex_home == str(codex_home)
            assert (await client.request(MODEL_LIST, ModelListParams())).data
        assert channel.process.returncode == 0


async def test_a_server_that_dies_fails_its_calls(codex_home: Path) -> None:
    async with asyncio.timeout(30):
        channel = await start_child([sys.executable, "-c", "input()"])
        async with Client(channel) as client:
            with pytest.raises(ConnectionLost):
                await client.initialize(ME)
            assert [event async for event in client.events()] == [
                Disconnected("the server closed the connection")
            ]


async def test_a_program_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await start_child([str(tmp_path / "missing")])


DEAF = [sys.executable, "-c", "import signal; signal.pause()"]


async def test_a_server_exactly_as_far_behind_as_it_may_be_holds_up_nobody_but_the_sender() -> None:
    async with asyncio.timeout(30):
        channel = await start_child(DEAF)
        stdin = channel.process.stdin
        assert stdin is not None
        while not (waiting := stdin.transport.get_write_buffer_size()):
            stdin.write(b"x" * BEHIND_BYTES)
        stdin.write(b"x" * (BEHIND_BYTES - waiting))
        assert stdin.transport.get_write_buffer_size() == BEHIND_BYTES
        frame = NotificationFrame("initialized", None)
        await channel.send(frame)
        sending = asyncio.create_task(channel.send(frame))
        await asyncio.sleep(0)
        assert not sending.done()
        channel.process.kill()
        with pytest.raises(ChannelClosed):
            await sending
        await channel.close()


async def test_closing_that_is_broken_off_leaves_no_process() -> None:
    async with asyncio.timeout(30):
        channel = await start_child(DEAF)
        closing = asyncio.create_task(channel.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert await channel.process.wait() == -signal.SIGKILL
