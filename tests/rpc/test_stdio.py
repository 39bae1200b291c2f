"""The line transport, over real pipes."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app_server.protocol.memory import MEMORY_RESET
from app_server.rpc.channel import ChannelClosed
from app_server.rpc.codec import server_codec
from app_server.rpc.frames import RequestFrame, ResultFrame
from app_server.rpc.stdio import BEHIND_BYTES, StdioChannel

RESET = b'{"id":1,"method":"memory/reset"}\n'
FRAME = RequestFrame(1, MEMORY_RESET.name, None)


class Pipes:
    """A channel, and the other process's ends of its pipes."""

    def __init__(self) -> None:
        their_in, self.writes = os.pipe()
        self.reads, their_out = os.pipe()
        self.channel = StdioChannel(their_in, their_out, server_codec())

    def read_now(self) -> bytes:
        os.set_blocking(self.reads, False)
        text = b""
        try:
            while piece := os.read(self.reads, 1 << 20):
                text += piece
        except BlockingIOError:
            pass
        return text


@pytest.fixture
async def pipes() -> AsyncIterator[Pipes]:
    made = Pipes()
    yield made
    await made.channel.close()
    for descriptor in (made.reads, made.writes):
        try:
            os.close(descriptor)
        except OSError:
            pass


async def test_a_line_is_a_message(pipes: Pipes) -> None:
    os.write(pipes.writes, RESET)
    assert await pipes.channel.receive() == FRAME


async def test_a_message_in_pieces_is_put_together(pipes: Pipes) -> None:
    os.write(pipes.writes, RESET[:9])
    receiving = asyncio.create_task(pipes.channel.receive())
    await asyncio.sleep(0)
    os.write(pipes.writes, RESET[9:])
    assert await receiving == FRAME


@pytest.mark.parametrize("bad", [b"\xff\xfe\n", b"junk\n", b"\n", b"[1]\n", b"{\n", b"\x00\n"])
async def test_a_line_that_cannot_be_read_costs_only_itself(pipes: Pipes, bad: bytes) -> None:
    os.write(pipes.writes, bad + RESET)
    assert await pipes.channel.receive() == FRAME


async def test_the_end_of_input_ends_the_conversation_after_what_came_before(pipes: Pipes) -> None:
    os.write(pipes.writes, RESET + RESET.rstrip())
    os.close(pipes.writes)
    assert await pipes.channel.receive() == FRAME
    assert await pipes.channel.receive() == FRAME
    assert await pipes.channel.receive() is None
    assert await pipes.channel.receive() is None


async def test_answers_are_lines_and_leave_in_order(pipes: Pipes) -> None:
    assert pipes.channel.send_now(ResultFrame(1, {}))
    await pipes.channel.send(ResultFrame(2, {}))
    await asyncio.sleep(0)
    assert pipes.read_now() == b'{"id":1,"result":{}}\n{"id":2,"result":{}}\n'


async def test_closing_writes_what_is_still_owed_first(pipes: Pipes) -> None:
    sizes = range(20)
    for number in sizes:
        pipes.channel.send_now(ResultFrame(number, "x" * 3000))
    closing = asyncio.create_task(pipes.channel.close())
    text = b""
    while not closing.done():
        text += pipes.read_now()
        await asyncio.sleep(0)
    text += pipes.read_now()
    assert text.count(b"\n") == len(sizes)


async def test_a_reader_that_is_behind_makes_senders_wait_and_loses_nothing(pipes: Pipes) -> None:
    big = ResultFrame(1, "x" * BEHIND_BYTES)
    while pipes.channel.send_now(big):  # noqa: ASYNC110 - each round lets the channel write
        await asyncio.sleep(0)
    sending = asyncio.create_task(pipes.channel.send(ResultFrame(2, {})))
    await asyncio.sleep(0)
    assert not sending.done()
    text = b""
    while not sending.done():
        text += pipes.read_now()
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    text += pipes.read_now()
    assert text.endswith(b'{"id":2,"result":{}}\n')


async def test_a_reader_that_is_gone_closes_the_channel(pipes: Pipes) -> None:
    os.close(pipes.reads)
    pipes.channel.send_now(ResultFrame(1, {}))
    await asyncio.sleep(0)
    assert not pipes.channel.can_send
    with pytest.raises(ChannelClosed):
        pipes.channel.send_now(ResultFrame(2, {}))


async def test_plain_files_work_as_input_and_output(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(RESET * 3)
    readable = os.open(tmp_path / "in", os.O_RDONLY)
    writable = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    channel = StdioChannel(readable, writable, server_codec())
    async with asyncio.timeout(30):
        frames = []
        while (frame := await channel.receive()) is not None:
            frames.append(frame)
            await channel.send(ResultFrame(len(frames), {}))
        await channel.close()
    assert frames == [FRAME] * 3
    assert (tmp_path / "out").read_bytes().count(b"\n") == 3


async def test_closing_ends_a_pending_receive_and_may_be_repeated(pipes: Pipes) -> None:
    receiving = asyncio.create_task(pipes.channel.receive())
    await asyncio.sleep(0)
    await pipes.channel.close()
    await pipes.channel.close()
    async with asyncio.timeout(30):
        assert await receiving is None
