"""An app-server as a program in Python speaks with it: threads, turns, questions, who is signed in.

    async with connect() as codex:
        thread = await codex.start_thread(cwd="/work")
        async for event in thread.run("Fix the tests"): ...

Everything it began ends with the block: running turns are interrupted, open questions declined, the
connection closed, and a server it started with it. `request` reaches every other method of the
protocol. Belongs to the loop it was entered on. Knows nothing of how the server is reached.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from app_server.client.errors import ThreadBusy
from app_server.client.events import Disconnected, Event, Notification, Question, Reconnected
from app_server.client.inbox import Inbox
from app_server.client.live_thread import LiveThread
from app_server.client.live_turn import LEAVE_SECONDS, LiveTurn
from app_server.client.open_question import OpenQuestion, Reply
from app_server.protocol.account import ACCOUNT_READ, GetAccountParams, GetAccountResponse
from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import InitializeResponse
from app_server.protocol.method import ClientMethod
from app_server.protocol.permissions import AskForApproval, SandboxMode
from app_server.protocol.thread import (
    THREAD_RESUME,
    THREAD_START,
    DynamicToolSpec,
    ThreadResumeParams,
    ThreadStartParams,
)
from app_server.protocol.thread_data import Thread
from app_server.protocol.thread_history import THREAD_LIST, ThreadListParams
from app_server.protocol.turn import TurnCompletedNotification
from app_server.rpc.frames import RequestId
from app_server.rpc.peer import ConnectionLost

if TYPE_CHECKING:
    from app_server.client.client import Client
    from app_server.client.reconnect import ReconnectingClient

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

Answer = Callable[[OpenQuestion], Awaitable[None]]
"""Answers a question; one it leaves open is declined, if it is about a turn of ours."""

Opening = AbstractAsyncContextManager["Connection"]


class Connection(msgspec.Struct):
    """A client past its handshake."""

    client: Client | ReconnectingClient
    server: InitializeResponse


class Codex:
    """An async context manager; see `app_server.connect`."""

    def __init__(self, opening: Callable[[], Opening], answer: Answer | None = None) -> None:
        self._opening = opening
        self._answer = answer
        self._stack = AsyncExitStack()
        self._connection: Connection | None = None
        self._turns: dict[str, LiveTurn] = {}
        self._listeners: list[Inbox[object]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost: ConnectionLost | None = None

    async def __aenter__(self) -> Codex:
        """Raises `CannotConnect`, and `ConnectionLost` for a server that ends at once."""
        if self._connection is not None:
            raise RuntimeError("a connection is entered once: call `connect` again")
        self._connection = await self._stack.enter_async_context(self._opening())
        listening = asyncio.create_task(self._listen(self._connection.client), name="codex")
        self._stack.push_async_callback(_end, listening)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.gather(*(turn.leave() for turn in list(self._turns.values())))
            for task in self._tasks:
                task.cancel()
            if self._tasks:  # they decline what they leave open
                await asyncio.wait(self._tasks, timeout=LEAVE_SECONDS)
        finally:
            await self._stack.__aexit__(kind, error, trace)
            self._lose(ConnectionLost("the connection is closed"))
            if self._tasks:  # without a connection nothing keeps them
                await asyncio.wait(self._tasks)

    @property
    def server(self) -> InitializeResponse:
        """What the server said of itself."""
        return self._open.server

    async def start_thread(
        self,
        *,
        cwd: str | None = None,
        model: str | None = None,
        sandbox: SandboxMode | None = None,
        approval_policy: AskForApproval | None = None,
        ephemeral: bool | None = None,
        instructions: str | None = None,
        config: dict[str, Any] | None = None,
        tools: list[DynamicToolSpec] | None = None,
    ) -> LiveThread:
        """A new thread; what is not given comes from the configuration.

        `instructions` are told to the model besides its own; `ephemeral` threads are not stored;
        the model's calls of `tools` come as questions. Raises `RpcError`.
        """
        params = ThreadStartParams(
            cwd=cwd,
            model=model,
            sandbox=sandbox,
            approval_policy=approval_policy,
            ephemeral=ephemeral,
            developer_instructions=instructions,
            config=config,
            dynamic_tools=tools,
        )
        opened = await self.request(THREAD_START, params)
        return LiveThread(self, opened)

    async def resume_thread(self, thread_id: str) -> LiveThread:
        """Go on with a stored thread, or join one that is loaded. Raises `RpcError`."""
        opened = await self.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread_id))
        return LiveThread(self, opened)

    async def threads(self, params: ThreadListParams | None = None) -> AsyncIterator[Thread]:
        """Stored threads, newest first unless `params` says otherwise; pages come as needed."""
        asked = params or ThreadListParams()
        while True:
            page = await self.request(THREAD_LIST, asked)
            for thread in page.data:
                yield thread
            if page.next_cursor is None:
                return
            asked = msgspec.structs.replace(asked, cursor=page.next_cursor)

    async def account(self) -> GetAccountResponse:
        """Who is signed in; `account` is None where nobody is."""
        return await self.request(ACCOUNT_READ, GetAccountParams())

    async def request(self, row: ClientMethod[P, R], params: P | None = None) -> R:
        """Call any method of the protocol by its row. Raises `RpcError`, `ConnectionLost`."""
        return await self._open.client.request(row, params)

    async def events(self) -> AsyncGenerator[Any, None]:
        """What is heard besides the turns of this program: notifications, questions of others.

        From now on. A question here may be somebody else's to answer. Ends with `ConnectionLost`.
        """
        inbox: Inbox[object] = Inbox()
        if self._lost is not None:
            inbox.close(self._lost)
        self._listeners.append(inbox)
        try:
            while (event := await inbox.get()) is not None:
                yield event
        finally:
            self._listeners.remove(inbox)

    async def enlist(self, turn: LiveTurn) -> None:
        """A turn is about to start. Raises `ThreadBusy`."""
        if self._lost is not None:
            raise self._lost
        while (earlier := self._turns.get(turn.thread_id)) is not None:
            if not earlier.is_leaving:
                raise ThreadBusy(turn.thread_id)
            await earlier.leave()
        self._turns[turn.thread_id] = turn

    def forget(self, turn: LiveTurn) -> None:
        """A turn is over."""
        if self._turns.get(turn.thread_id) is turn:
            del self._turns[turn.thread_id]

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("not connected: use `async with connect(…) as codex`")
        return self._connection

    async def _listen(self, client: Client | ReconnectingClient) -> None:
        while True:
            await client.arrival()
            for event in client.drain():
                self._take(event)
                if isinstance(event, Disconnected):
                    return

    def _take(self, event: Event) -> None:
        match event:
            case Notification(params=params) if params is not None:
                turn = self._turns.get(getattr(params, "thread_id", None) or "")
                if turn is not None and turn.takes(params):
                    turn.hear(params)
                else:
                    self._tell(params)
            case Question():
                self._ask(event)
            case Reconnected():
                self._catch_up(event)
                self._tell(event)
            case Disconnected(reason=reason):
                self._lose(ConnectionLost(reason))
            case _:
                self._tell(event)

    def _tell(self, event: object) -> None:
        for listener in self._listeners:
            listener.put(event)

    def _ask(self, asked: Question) -> None:
        async def send(reply: Reply) -> None:
            await self._reply(asked.id, reply)

        question = OpenQuestion(asked, send)
        thread_id = getattr(asked.params, "thread_id", None)
        turn = self._turns.get(thread_id or "")
        earlier = turn.earlier(question) if turn is not None else None
        if earlier is not None:
            self._start(earlier.repeat())
            return
        if self._answer is not None:
            self._start(self._have_answered(question, self._answer, turn))
        elif turn is not None:
            turn.ask(question)
        elif thread_id is not None or self._listeners:
            self._tell(question)  # of a turn that somebody else began
        else:
            self._start(question.decline())

    async def _have_answered(
        self, question: OpenQuestion, answer: Answer, turn: LiveTurn | None
    ) -> None:
        try:
            await answer(question)
        except Exception as error:
            log.exception("answering %s failed", question.method)
            if turn is not None:
                turn.fail(error)
        finally:
            if turn is not None and not question.is_deferred:
                await question.decline()

    async def _reply(self, question_id: RequestId, reply: Reply) -> None:
        with suppress(ConnectionLost):  # told by the reader of events
            if isinstance(reply, RpcError):
                await self._open.client.refuse(question_id, reply)
            else:
                await self._open.client.answer(question_id, reply)

    def _catch_up(self, news: Reconnected) -> None:
        """Turns that ended while nobody listened have ended now; those nobody knows are lost."""
        opened = {response.thread.id: response.thread for response in news.resumed}
        for turn in list(self._turns.values()):
            thread = opened.get(turn.thread_id)
            found = [each for each in thread.turns if each.id == turn.id] if thread else []
            if not found:
                turn.lose(ConnectionLost(news.lost.get(turn.thread_id, news.reason)))
                continue
            turn.catch_up(found[0].items)
            if found[0].status != "inProgress":
                turn.hear(TurnCompletedNotification(thread_id=turn.thread_id, turn=found[0]))

    def _lose(self, error: ConnectionLost) -> None:
        self._lost = error
        for turn in list(self._turns.values()):
            turn.lose(error)
        for listener in self._listeners:
            listener.close(error)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
