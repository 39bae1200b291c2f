"""Calls: one answer each, in the right order, also when things go wrong or get too many."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.client.events import Disconnected, Notification
from app_server.protocol.errors import InternalError, InvalidParams, Overloaded, RpcError
from app_server.protocol.initialize import INITIALIZE, ClientInfo, InitializeParams
from app_server.protocol.method import ClientMethod
from app_server.protocol.skills import (
    SKILLS_CHANGED,
    SKILLS_LIST,
    SkillsChangedNotification,
    SkillsListParams,
    SkillsListResponse,
)
from app_server.protocol.thread import (
    THREAD_NAME_SET,
    ThreadSetNameParams,
    ThreadSetNameResponse,
)
from app_server.rpc.channel import local_pair
from app_server.rpc.frames import ErrorFrame, RequestFrame, ResultFrame
from app_server.rpc.peer import ConnectionLost
from app_server.server import connection, router
from app_server.server.context import RequestContext
from app_server.server.server import Server
from app_server.threads.errors import ThreadNotFound
from tests.server.connector import Connector

AnswerWith = Callable[[ClientMethod[Any, Any], Callable[..., Awaitable[Any]]], None]

LIST = SkillsListParams()
BOUND_SECONDS = 30


def name_of(thread: str, name: str = "n") -> ThreadSetNameParams:
    return ThreadSetNameParams(thread_id=thread, name=name)


async def test_a_result_is_typed_in_both_channel_modes(
    connect: Connector, answer_with: AnswerWith
) -> None:
    async def handler(_ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        return SkillsListResponse(data=[])

    answer_with(SKILLS_LIST, handler)
    client = await connect()
    assert await client.request(SKILLS_LIST, LIST) == SkillsListResponse(data=[])


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (InvalidParams("bad size"), -32602, "bad size"),
        (ThreadNotFound("T"), -32600, "thread not found: T"),
        (InternalError("disk full", {"a": 1}), -32603, "disk full"),
        (
            KeyError("secret"),
            -32603,
            "`skills/list` failed inside the server; its log says why",
        ),
    ],
)
async def test_errors_travel_with_their_code_and_message(
    connect: Connector, answer_with: AnswerWith, raised: Exception, code: int, message: str
) -> None:
    async def handler(_ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        raise raised

    answer_with(SKILLS_LIST, handler)
    client = await connect()
    with pytest.raises(RpcError) as refused:
        await client.request(SKILLS_LIST, LIST)
    assert (refused.value.code, refused.value.message) == (code, message)
    assert refused.value.data == getattr(raised, "data", None)


async def test_what_follows_the_reply_arrives_after_it_and_before_anything_else(
    connect: Connector, answer_with: AnswerWith
) -> None:
    answered: list[str] = []

    async def handler(ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        ctx.after_reply(lambda: ctx.connection.notify(SKILLS_CHANGED, SkillsChangedNotification()))
        ctx.after_reply(lambda: answered.append("second step"))
        return SkillsListResponse(data=[])

    answer_with(SKILLS_LIST, handler)
    client = await connect()
    await client.arrival()
    client.drain()
    await client.request(SKILLS_LIST, LIST)
    await client.arrival()
    assert client.drain() == [Notification(SKILLS_CHANGED.name, SkillsChangedNotification())]
    assert answered == ["second step"]


async def test_a_failed_call_has_no_steps_after_it(
    connect: Connector, answer_with: AnswerWith
) -> None:
    steps: list[str] = []

    async def handler(ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        ctx.after_reply(lambda: steps.append("ran"))
        raise InvalidParams("no")

    answer_with(SKILLS_LIST, handler)
    client = await connect()
    with pytest.raises(InvalidParams):
        await client.request(SKILLS_LIST, LIST)
    assert steps == []


class NamesInProgress:
    """A handler whose calls end when the test says so."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(
        self, _ctx: RequestContext, params: ThreadSetNameParams
    ) -> ThreadSetNameResponse:
        self.began.append(f"{params.thread_id} {params.name}")
        await self.go_on.wait()
        return ThreadSetNameResponse()


async def begun(handler: NamesInProgress, count: int) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while len(handler.began) < count:  # noqa: ASYNC110 - the handler runs on this loop
            await asyncio.sleep(0)


async def test_calls_on_one_thread_wait_for_each_other_across_connections(
    connect: Connector, answer_with: AnswerWith
) -> None:
    handler = NamesInProgress()
    answer_with(THREAD_NAME_SET, handler)
    first, second = await connect("first"), await connect("second")
    async with asyncio.TaskGroup() as calls:
        calls.create_task(first.request(THREAD_NAME_SET, name_of("T", "1")))
        await begun(handler, 1)
        calls.create_task(second.request(THREAD_NAME_SET, name_of("T", "2")))
        calls.create_task(second.request(THREAD_NAME_SET, name_of("other", "3")))
        await begun(handler, 2)
        assert handler.began == ["T 1", "other 3"]
        handler.go_on.set()
    assert handler.began == ["T 1", "other 3", "T 2"]


async def test_a_client_that_leaves_takes_its_waiting_calls_with_it_but_not_the_queue(
    connect: Connector, answer_with: AnswerWith, server: Server
) -> None:
    handler = NamesInProgress()
    answer_with(THREAD_NAME_SET, handler)
    leaving, staying = await connect("leaving"), await connect("staying")
    calls = [asyncio.create_task(leaving.request(THREAD_NAME_SET, name_of("T", "1")))]
    await begun(handler, 1)
    calls.append(asyncio.create_task(leaving.request(THREAD_NAME_SET, name_of("T", "2"))))
    last = asyncio.create_task(staying.request(THREAD_NAME_SET, name_of("T", "3")))
    await asyncio.sleep(0)
    await leaving.__aexit__(None, None, None)
    for call in calls:
        with pytest.raises(ConnectionLost):
            await call
    async with asyncio.timeout(BOUND_SECONDS):
        while len(server.connections) > 1:  # noqa: ASYNC110 - the server runs on this loop
            await asyncio.sleep(0)
        handler.go_on.set()
        await last
    assert handler.began == ["T 1", "T 3"]


async def test_one_call_too_many_is_refused_as_overload_and_the_others_are_answered(
    connect: Connector, answer_with: AnswerWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "CALLS_PER_CONNECTION", 10)
    handler = NamesInProgress()
    answer_with(THREAD_NAME_SET, handler)
    client = await connect()
    calls = [
        asyncio.create_task(client.request(THREAD_NAME_SET, name_of(f"{number}")))
        for number in range(12)
    ]
    await begun(handler, 10)
    for call in calls[10:]:
        with pytest.raises(Overloaded) as refused:
            await call
        assert refused.value.message == "Server overloaded; retry later."
        assert refused.value.data == {"codexErrorInfo": "server_overloaded"}
    handler.go_on.set()
    assert await asyncio.gather(*calls[:10]) == [ThreadSetNameResponse()] * 10


async def test_thousands_of_calls_at_once_each_get_one_answer(
    connect: Connector, answer_with: AnswerWith
) -> None:
    async def handler(_ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        return SkillsListResponse(data=[])

    answer_with(SKILLS_LIST, handler)
    client = await connect()

    async def call() -> str:
        try:
            await client.request(SKILLS_LIST, LIST)
        except Overloaded:
            return "overloaded"
        return "answered"

    answers = await asyncio.gather(*(call() for _ in range(5000)))
    assert answers.count("answered") == 5000


async def test_a_client_that_asks_without_reading_is_refused_then_waited_for_and_loses_no_answer(
    server: Server, through_json: bool, answer_with: AnswerWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        return SkillsListResponse(data=[])

    answer_with(SKILLS_LIST, handler)
    monkeypatch.setattr(router, "CALLS_PER_CONNECTION", 20)
    monkeypatch.setattr(connection, "UNREAD_ANSWERS", 50)
    client, server_end = local_pair(4, through_json)
    serving = asyncio.create_task(server.serve(server_end))
    hello = InitializeParams(client_info=ClientInfo(name="test", version="1"))
    await client.send(RequestFrame("hello", INITIALIZE.name, hello))
    asked = 0
    async with asyncio.timeout(BOUND_SECONDS):
        await asyncio.sleep(0)  # it begins to serve
        while server.connections[0].outbox.waiting_answers < connection.UNREAD_ANSWERS:
            if client.send_now(RequestFrame(asked, SKILLS_LIST.name, LIST)):
                asked += 1
            else:
                await asyncio.sleep(0)
    while client.send_now(RequestFrame(asked, SKILLS_LIST.name, LIST)):
        asked += 1  # what the channel holds: nobody takes it any more
    assert 50 < asked < 100
    answers: dict[object, bool] = {}
    async with asyncio.timeout(BOUND_SECONDS):
        while len(answers) < asked + 1:
            frame = await client.receive()
            if isinstance(frame, ResultFrame | ErrorFrame):
                assert frame.id not in answers
                answers[frame.id] = isinstance(frame, ResultFrame)
    assert set(answers) == {"hello", *range(asked)}
    assert 20 <= sum(answers.values()) < asked
    await client.close()
    await serving


async def test_a_cancelled_call_goes_on_and_its_answer_is_dropped(
    connect: Connector, answer_with: AnswerWith
) -> None:
    handler = NamesInProgress()
    answer_with(THREAD_NAME_SET, handler)
    client = await connect()
    call = asyncio.create_task(client.request(THREAD_NAME_SET, name_of("T")))
    await begun(handler, 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    handler.go_on.set()
    await client.request(THREAD_NAME_SET, name_of("T", "next"))
    assert handler.began == ["T n", "T next"]


async def test_when_the_server_closes_every_client_learns_it_and_open_calls_fail(
    connect: Connector, answer_with: AnswerWith, server: Server
) -> None:
    answer_with(THREAD_NAME_SET, NamesInProgress())
    client = await connect()
    call = asyncio.create_task(client.request(THREAD_NAME_SET, name_of("T")))
    await asyncio.sleep(0)
    await server.close()
    with pytest.raises(ConnectionLost):
        await call
    assert [event async for event in client.events()][-1] == Disconnected(
        "the server closed the connection"
    )
    with pytest.raises(ConnectionLost):
        await client.request(SKILLS_LIST, LIST)


async def test_unexpected_answers_and_notifications_are_ignored(
    connect: Connector, server: Server, answer_with: AnswerWith
) -> None:
    async def handler(_ctx: RequestContext, _params: SkillsListParams) -> SkillsListResponse:
        return SkillsListResponse(data=[])

    answer_with(SKILLS_LIST, handler)
    client: Client = await connect()
    for number in range(200):
        await client.answer(number, SkillsListResponse(data=[]))
        await client.refuse(f"never asked {number}", InvalidParams("no"))
    assert await client.request(SKILLS_LIST, LIST) == SkillsListResponse(data=[])
