"""Between the store and the server: order, answers, failures, the end of a connection."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app_server.client.errors import CannotConnect
from app_server.protocol.account import ACCOUNT_READ, GetAccountParams
from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import InitializeResponse
from app_server.protocol.item_deltas import AgentMessageDeltaNotification
from app_server.protocol.model import MODEL_LIST, ModelListParams, ModelListResponse
from app_server.protocol.turn import TURN_START, TurnStartParams
from app_server.protocol.user_input import LocalImageUserInput, TextUserInput
from app_server.rpc import backoff
from app_server.rpc.channel import Channel, local_pair
from app_server.rpc.frames import NotificationFrame, RequestFrame, ResultFrame
from tests.tui.scripted import ScriptedServer
from tui import link as link_module
from tui.link import LOST, Link
from tui.state.effects import ListingModels, ReadingAccount, SendRequest, ThreadCommand
from tui.state.events import (
    Connected,
    Disconnected,
    Event,
    Heard,
    Interrupted,
    Refused,
    Replied,
    Restored,
)

WAIT_SECONDS = 60.0

MODELS = SendRequest(row=MODEL_LIST, params=ModelListParams(), purpose=ListingModels())
ACCOUNT = SendRequest(
    row=ACCOUNT_READ, params=GetAccountParams(refresh_token=False), purpose=ReadingAccount()
)


class Heap:
    """What the link delivered, one list a frame."""

    def __init__(self) -> None:
        self.frames: list[list[Event]] = []
        self._grown = asyncio.Event()

    def take(self, events: list[Event]) -> None:
        self.frames.append(events)
        self._grown.set()

    @property
    def events(self) -> list[Event]:
        return [event for frame in self.frames for event in frame]

    async def until(self, holds: Callable[[list[Event]], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds(self.events):
                self._grown.clear()
                await self._grown.wait()


@asynccontextmanager
async def linked(server: ScriptedServer) -> AsyncIterator[tuple[Link, Heap]]:
    heap = Heap()
    link = Link(heap.take, "1")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(link.run(server.connect))
        yield link, heap
        task.cancel()


async def test_wishes_made_before_the_connection_are_sent_in_order() -> None:
    server, heap = ScriptedServer(), Heap()
    link = Link(heap.take, "1")
    link.carry_out([MODELS, ACCOUNT])
    task = asyncio.create_task(link.run(server.connect))
    await heap.until(lambda events: sum(isinstance(e, Replied) for e in events) == 2)
    assert [name for name, _ in server.seen] == ["initialize", "model/list", "account/read"]
    assert isinstance(heap.events[0], Connected)
    task.cancel()
    await asyncio.wait([task])


async def test_a_refusal_comes_back_with_its_purpose() -> None:
    purpose = ThreadCommand(thread_id="t", doing="do the impossible")
    async with linked(ScriptedServer()) as (link, heap):
        await link.ready.wait()
        unknown = SendRequest(row=_row("thread/archive"), params=None, purpose=purpose)
        link.carry_out([unknown])
        await heap.until(lambda events: any(isinstance(e, Refused) for e in events))
        refused = next(e for e in heap.events if isinstance(e, Refused))
        assert refused.purpose == purpose
        assert refused.message == "thread/archive is not in the script"


async def test_everything_that_waits_arrives_in_one_frame_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "FRAME_SECONDS", 0.5)  # long, even for a busy machine
    server = ScriptedServer()
    async with linked(server) as (link, heap):
        await link.ready.wait()
        for number in range(50):
            params = AgentMessageDeltaNotification(
                thread_id="t", turn_id="u", item_id="i", delta=str(number)
            )
            await server.tell("item/agentMessage/delta", params)
        await heap.until(lambda events: sum(isinstance(e, Heard) for e in events) == 50)
        deltas = [e.params.delta for e in heap.events if isinstance(e, Heard)]  # type: ignore[attr-defined]
        assert deltas == [str(number) for number in range(50)]
        assert len([frame for frame in heap.frames if isinstance(frame[0], Heard)]) <= 3


async def test_what_is_told_after_an_answer_is_heard_after_it() -> None:
    heap, (client, server) = Heap(), local_pair()

    async def connect() -> Channel:
        return client

    link = Link(heap.take, "1")
    task = asyncio.create_task(link.run(connect))
    introduction = await server.receive()
    assert isinstance(introduction, RequestFrame)
    here = InitializeResponse(
        user_agent="x", codex_home="/x", platform_family="unix", platform_os="linux"
    )
    await server.send(ResultFrame(introduction.id, here))
    await server.receive()
    link.carry_out([MODELS])
    asked = await server.receive()
    assert isinstance(asked, RequestFrame)

    def told(text: str) -> NotificationFrame:
        params = AgentMessageDeltaNotification(thread_id="t", turn_id="u", item_id="i", delta=text)
        return NotificationFrame("item/agentMessage/delta", params)

    answer = ResultFrame(asked.id, ModelListResponse(data=[]))
    for frame in (told("before"), answer, told("after")):
        assert server.send_now(frame)
    await heap.until(lambda events: sum(isinstance(e, Heard) for e in events) == 2)
    assert isinstance(heap.events[-1], Heard)
    assert any(isinstance(event, Replied) for event in heap.events)
    task.cancel()
    await asyncio.wait([task])


async def test_a_lost_connection_is_told_once_and_refuses_what_follows() -> None:
    server, heap = ScriptedServer(), Heap()
    link = Link(heap.take, "1")
    task = asyncio.create_task(link.run(server.connect))
    await link.ready.wait()
    await server.hang_up()
    await task
    link.carry_out([MODELS])
    await heap.until(lambda events: isinstance(events[-1], Refused))
    assert sum(isinstance(event, Disconnected) for event in heap.events) == 1
    with pytest.raises(RpcError, match=LOST):
        await link.request(MODEL_LIST, ModelListParams())


async def test_a_server_that_does_not_start_is_told_in_a_sentence() -> None:
    heap = Heap()
    link = Link(heap.take, "1")

    async def connect() -> Any:
        raise ValueError("no such profile: work")

    await link.run(connect)
    assert heap.events == [Disconnected(reason="it could not be started: no such profile: work")]


async def test_a_connection_to_a_server_elsewhere_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.001)
    server, heap = ScriptedServer(), Heap()
    link = Link(heap.take, "1", remote=True)
    task = asyncio.create_task(link.run(server.connect))
    await link.ready.wait()
    await server.hang_up()
    await heap.until(lambda events: any(isinstance(e, Restored) for e in events))
    link.carry_out([MODELS])
    await heap.until(lambda events: any(isinstance(e, Replied) for e in events))
    kinds = [type(event) for event in heap.events]
    assert kinds == [Connected, Interrupted, Restored, Replied]
    assert heap.events[0] == Connected(remote=True)
    task.cancel()
    await asyncio.wait([task])


async def test_a_server_elsewhere_is_sent_the_pictures_themselves(tmp_path: Path) -> None:
    picture, note = tmp_path / "dot.png", tmp_path / "note.txt"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n dot")
    note.write_text("no picture")
    server, heap = ScriptedServer(), Heap()
    link = Link(heap.take, "1", remote=True)
    task = asyncio.create_task(link.run(server.connect))
    for path in (picture, note):
        sent = [TextUserInput(text="look"), LocalImageUserInput(path=str(path))]
        params = TurnStartParams(thread_id="t", input=sent)
        purpose = ThreadCommand(thread_id="t", doing="look")
        link.carry_out([SendRequest(row=TURN_START, params=params, purpose=purpose)])
    await heap.until(lambda events: sum(isinstance(e, Refused | Replied) for e in events) == 2)
    refused = next(event for event in heap.events if isinstance(event, Refused))
    assert refused.message == f"{note} cannot be attached: unsupported image `text/plain`"
    (arrived,) = [params for name, params in server.seen if name == "turn/start"]
    assert arrived.input[1].url.startswith("data:image/png;base64,")
    task.cancel()
    await asyncio.wait([task])


async def test_a_server_elsewhere_that_is_not_there_is_no_session_at_all() -> None:
    heap = Heap()
    link = Link(heap.take, "1", remote=True)

    async def connect() -> Any:
        raise CannotConnect("ws://x:1", "Connection refused")

    await link.run(connect)
    assert link.never_connected == "cannot connect to ws://x:1: Connection refused"
    assert heap.events == []


def _row(name: str) -> Any:
    from app_server.protocol.catalog import client_method

    return client_method(name)
