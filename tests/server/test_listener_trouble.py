"""Broken, greedy and vanishing websocket clients, and very many good ones."""

import asyncio
import json
import os
import struct
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.protocol.notices import WARNING, WarningNotification
from app_server.rpc.websocket import LARGEST_MESSAGE_BYTES, TOO_SLOW
from app_server.server import outbox
from app_server.server.server import Server
from tests.server.listening import BOUND_SECONDS, CLOSE, Listening
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, says_slowly

TEXT, CONTINUED, BINARY, PING = 0x1, 0x0, 0x2, 0x9
HELLO = '{"id":"hello","method":"initialize","params":{"clientInfo":{"name":"raw","version":"1"}}}'


def frame(opcode: int, payload: bytes, *, final: bool = True, length: int | None = None) -> bytes:
    """A masked frame, which may lie about its length."""
    size = len(payload) if length is None else length
    head = struct.pack("!B", (0x80 if final else 0) | opcode)
    if size < 126:
        head += struct.pack("!B", 0x80 | size)
    elif size < 1 << 16:
        head += struct.pack("!BH", 0x80 | 126, size)
    else:
        head += struct.pack("!BQ", 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


async def nobody_connected(server: Server) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while server.connections:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)


async def descriptors_are(count: int) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while open_descriptors() > count:  # noqa: ASYNC110 - nobody tells when the last is closed
            await asyncio.sleep(0.01)


async def test_handshakes_that_never_end_keep_nobody_out_and_leave_nothing(
    listening: Listening,
) -> None:
    before = open_descriptors()
    halves = []
    for number in range(200):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"[: 10 + number % 30])
        halves.append((reader, writer))
    client = await listening.client()
    assert (await client.request(MODEL_LIST, ModelListParams())).data
    await client.__aexit__(None, None, None)
    for _, writer in halves:
        writer.transport.abort()
    await descriptors_are(before)
    assert listening.server.connections == []


@pytest.mark.parametrize(
    "begun",
    [
        frame(TEXT, b'{"id":1', length=70),
        frame(TEXT, b'{"id":1', length=100_000),
        frame(TEXT, b'{"id":1', final=False),
        frame(TEXT, b"")[:1],
        frame(PING, b"ab", length=100),
    ],
)
async def test_a_connection_cut_in_mid_frame_leaves_nothing(
    listening: Listening, begun: bytes
) -> None:
    before = open_descriptors()
    for how in ("close", "abort"):
        _, writer = await listening.raw()
        writer.write(begun)
        await writer.drain()
        (writer.close if how == "close" else writer.transport.abort)()
    await nobody_connected(listening.server)
    await descriptors_are(before)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, b"x", final=False), 1002),
        (frame(CONTINUED, b"x"), 1002),
        (frame(TEXT, b"a", final=False) + frame(TEXT, b"b"), 1002),
        (frame(TEXT, b"", length=LARGEST_MESSAGE_BYTES + 1), 1009),
        (frame(TEXT, b"a", final=False) + frame(0, b"", length=LARGEST_MESSAGE_BYTES), 1009),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"\xc3", final=False) + frame(CONTINUED, b"("), 1007),
    ],
    ids=[
        "long ping", "ping in parts", "nothing to continue", "two at once",
        "too large", "too large in parts", "surrogate", "bad utf-8 across parts",
    ],
)  # fmt: skip
async def test_frames_against_the_rules_end_their_connection_with_the_fitting_code(
    listening: Listening, frames: bytes, code: int
) -> None:
    assert await listening.close_code_after(frames) == code


async def test_a_message_in_thousands_of_parts_is_put_together(listening: Listening) -> None:
    request = f'{{"id":"parts","method":"thread/read","params":{{"threadId":"{"x" * 3000}"}}}}'
    async with raw_client(listening) as client:
        await client.send([request[at : at + 1] for at in range(len(request))])
        answer = await answers(client, {"parts"})
    assert answer["parts"]["error"] == {"code": -32600, "message": "Not initialized"}


def raw_client(listening: Listening) -> connect:
    return connect(f"ws://127.0.0.1:{listening.port}", compression=None, max_queue=None)


async def answers(client: ClientConnection, wanted: set[object]) -> dict[object, dict[str, object]]:
    """The answers to these calls, by id; each must come once."""
    found: dict[object, dict[str, object]] = {}
    async with asyncio.timeout(BOUND_SECONDS):
        while set(found) != wanted:
            message = json.loads(await client.recv())
            if "id" in message and "method" not in message:
                assert message["id"] not in found
                found[message["id"]] = message
    return found


async def test_five_thousand_calls_in_one_go_are_all_answered(listening: Listening) -> None:
    call = '{{"id":{},"method":"thread/loaded/list","params":{{}}}}'
    async with raw_client(listening) as client:
        await client.send(HELLO)
        for number in range(5000):
            await client.send(call.format(number))
        found = await answers(client, {"hello", *range(5000)})
    refusals = [each["error"] for each in found.values() if "error" in each]
    assert all(error["code"] == -32001 for error in refusals)  # type: ignore[index]
    assert all("data" in error for error in refusals)  # type: ignore[operator]


async def test_a_client_that_stays_full_is_told_so_by_its_close_code(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox.Outbox.__init__, "__defaults__", (200, 100, 1 << 26, 1 << 25))
    reader, writer = await listening.raw()
    writer.write(frame(TEXT, HELLO.encode()))
    news = WarningNotification(message="x" * 10_000)
    async with asyncio.timeout(BOUND_SECONDS):
        while not listening.server.connections:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)
        [slow] = listening.server.connections
        while not slow.hears_broadcasts:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)
        while slow.gate_is_open:
            listening.server.broadcast(WARNING, news)
            await asyncio.sleep(0)
        heard = await reader.read()
    writer.close()
    reason = b"too many messages are waiting to be read"
    assert heard.endswith(struct.pack("!BBH", CLOSE, 2 + len(reason), TOO_SLOW) + reason)


async def test_two_hundred_clients_are_served_and_leave_no_descriptor(
    listening: Listening,
) -> None:
    before = open_descriptors()
    clients = await asyncio.gather(*(listening.client(f"c{number}") for number in range(200)))
    async with asyncio.timeout(BOUND_SECONDS):
        lists = await asyncio.gather(
            *(client.request(MODEL_LIST, ModelListParams()) for client in clients)
        )
    assert all(each.data for each in lists)
    await asyncio.gather(*(client.__aexit__(None, None, None) for client in clients))
    await nobody_connected(listening.server)
    await descriptors_are(before)


async def test_twenty_turns_at_once_all_end_and_each_client_hears_its_own(
    listening: Listening, model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    model.script(*[says_slowly(50) for _ in range(20)])

    async def turn() -> None:
        client = await listening.client()
        conversation = await Conversation.begin(client, cwd=str(workspace))
        await conversation.say("go")
        done = await conversation.ended(PROCESS_WAIT_SECONDS)
        assert done.status == "completed"
        deltas = conversation.params_of(ITEM_AGENT_MESSAGE_DELTA)
        assert {delta.thread_id for delta in deltas} == {conversation.thread_id}
        assert len(deltas) == 50
        await client.__aexit__(None, None, None)

    await asyncio.gather(*(turn() for _ in range(20)))


async def test_a_reader_that_keeps_up_gets_every_delta_of_a_long_answer_in_order(
    listening: Listening, model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    model.script(says_slowly(3000, size=8))
    client: Client = await listening.client()
    conversation = await Conversation.begin(client, cwd=str(workspace))
    await conversation.say("go")
    done = await conversation.ended(PROCESS_WAIT_SECONDS)
    [message] = [item for item in done.items if item.type == "agentMessage"] or [None]
    text = "".join(delta.delta for delta in conversation.params_of(ITEM_AGENT_MESSAGE_DELTA))
    assert len(text) == 3000 * 8
    assert message is None or message.text == text
    await client.__aexit__(None, None, None)
