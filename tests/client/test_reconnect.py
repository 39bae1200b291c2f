"""A connection that is lost and comes back, over a wire that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from random import Random

import pytest

from app_server import CannotConnect, Codex, ConnectionLost, OpenQuestion, connect
from app_server.accepting import stop_accepting
from app_server.client import codex as codex_room
from app_server.client import connect as client_room
from app_server.client import live_turn, reconnect
from app_server.client.connect import open_websocket
from app_server.client.events import Disconnected, Event, Reconnected, Reconnecting
from app_server.client.reconnect import ReconnectingClient
from app_server.protocol.initialize import ClientInfo, InitializeCapabilities
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.protocol.thread import (
    THREAD_START,
    THREAD_UNSUBSCRIBE,
    ThreadStartParams,
    ThreadUnsubscribeParams,
)
from app_server.protocol.turn import TurnCompletedNotification
from app_server.rpc import backoff
from app_server.rpc.channel import Channel
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.rpc.ws_auth import CapabilityToken
from app_server.server.server import Server
from tests.client.conftest import Home
from tests.support.model_server import runs_command, says, streams, waits_at

BOUND_SECONDS = 30
ME = ClientInfo(name="test", version="1")
EXPERIMENTAL = InitializeCapabilities(experimental_api=True)


class Wire:
    """Leads to a server's port; what is cut stays cut until it is mended."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._ends: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.port = 0
        self._tries = asyncio.Semaphore(0)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tries.release()
        if self._is_cut:
            writer.transport.abort()
            return
        away_reader, away_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._ends |= {writer, away_writer}
        await asyncio.gather(_copy(reader, away_writer), _copy(away_reader, writer))

    def cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def tried(self, times: int) -> None:
        """Wait until somebody has come so many times, counted from the last one waited for."""
        for _ in range(times):
            await self._tries.acquire()

    def stall(self) -> None:
        """From now on nothing gets through, and nobody says so."""
        for end in self._ends:
            end.transport.pause_reading()  # type: ignore[attr-defined]

    def mend(self) -> None:
        self._is_cut = False

    @property
    def server_url(self) -> str:
        """Past the wire."""
        return f"ws://127.0.0.1:{self._server_port}"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.02)


@pytest.fixture
async def server(home: Home) -> AsyncIterator[Server]:
    async with Server(home.options) as running:
        yield running


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    bound = bind("127.0.0.1", 0)
    wire = Wire(bound.getsockname()[1])
    async with WebSocketListener(bound, server.serve):
        leading = await asyncio.start_server(wire, "127.0.0.1", 0)
        wire.port = leading.sockets[0].getsockname()[1]
        yield wire
        await stop_accepting(leading)
        wire.cut()


@pytest.fixture
async def codex(wire: Wire) -> AsyncIterator[Codex]:
    async with connect(wire.url) as client:
        yield client


@pytest.fixture
async def client(wire: Wire) -> AsyncIterator[ReconnectingClient]:
    async def dial() -> Channel:
        return await open_websocket(wire.url)

    async with ReconnectingClient(dial, ME, EXPERIMENTAL) as running:
        yield running


async def events_until(client: ReconnectingClient, kind: type[Event]) -> list[Event]:
    """Everything heard up to the first event of this kind."""
    events: list[Event] = []
    async with asyncio.timeout(BOUND_SECONDS):
        while not any(isinstance(event, kind) for event in events):
            await client.arrival()
            events += client.drain()
    return events


async def test_a_lost_connection_is_told_dialled_again_and_takes_up_its_threads(
    client: ReconnectingClient, wire: Wire
) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        started = await client.request(THREAD_START, ThreadStartParams(ephemeral=True))
        left = await client.request(THREAD_START, ThreadStartParams(ephemeral=True))
        await client.request(THREAD_UNSUBSCRIBE, ThreadUnsubscribeParams(thread_id=left.thread.id))
    client.drain()
    wire.cut()
    await wire.tried(3)
    wire.mend()
    events = await events_until(client, Reconnected)
    waits = [event for event in events if isinstance(event, Reconnecting)]
    assert [event.attempt for event in waits] == list(range(1, len(waits) + 1))
    assert events[: len(waits)] == waits
    news = events[len(waits)]
    assert isinstance(news, Reconnected)
    assert [response.thread.id for response in news.resumed] == [started.thread.id]
    assert news.lost == {}


async def test_a_network_that_falls_silent_is_a_loss(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_room, "PING_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(client_room, "PONG_WITHIN_SECONDS", 1.0)

    async def dial() -> Channel:
        return await open_websocket(wire.url)

    async with ReconnectingClient(dial, ME, EXPERIMENTAL) as client:
        wire.stall()
        await events_until(client, Reconnecting)
        assert (await client.request(MODEL_LIST, ModelListParams())).data


async def test_a_call_made_meanwhile_waits_and_one_under_way_fails(
    client: ReconnectingClient, wire: Wire
) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        under_way = asyncio.create_task(client.request(MODEL_LIST, ModelListParams()))
        await asyncio.sleep(0)
        wire.cut()
        with suppress(ConnectionLost):
            await under_way
        await events_until(client, Reconnecting)
        waiting = asyncio.create_task(client.request(MODEL_LIST, ModelListParams()))
        wire.mend()
        assert (await waiting).data


async def test_a_thread_that_is_gone_is_named_with_the_reason(
    client: ReconnectingClient, wire: Wire, server: Server
) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        started = await client.request(THREAD_START, ThreadStartParams(ephemeral=True))
        wire.cut()
        await events_until(client, Reconnecting)
        await server.threads.close()
        wire.mend()
        events = await events_until(client, Reconnected)
    (news,) = [event for event in events if isinstance(event, Reconnected)]
    assert news.resumed == ()
    assert list(news.lost) == [started.thread.id]


async def test_it_is_given_up_after_a_while(
    client: ReconnectingClient, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnect, "GIVE_UP_SECONDS", 0.0)
    wire.cut()
    events = await events_until(client, Disconnected)
    assert isinstance(events[-1], Disconnected)
    assert wire.url in events[-1].reason
    with pytest.raises(ConnectionLost):
        await client.request(MODEL_LIST, ModelListParams())


async def test_a_turn_goes_on_where_it_was(codex: Codex, home: Home, wire: Wire) -> None:
    home.model.script(waits_at("gate", streams("said ", "afterwards")))
    async with asyncio.timeout(BOUND_SECONDS):
        thread = await codex.start_thread()
        turn = thread.run("Say it")
        await turn.start()
        reading = asyncio.create_task(_whole(turn))
        wire.cut()
        await wire.tried(3)
        wire.mend()
        await codex.request(MODEL_LIST, ModelListParams())
        home.model.release("gate")
        await reading
    assert (turn.status, turn.final_message) == ("completed", "said afterwards")


async def test_a_turn_that_ended_meanwhile_has_ended(codex: Codex, home: Home, wire: Wire) -> None:
    home.model.script(waits_at("gate", says("said meanwhile")))
    async with asyncio.timeout(BOUND_SECONDS):
        thread = await codex.start_thread()
        turn = thread.run("Say it")
        await turn.start()
        reading = asyncio.create_task(_whole(turn))
        async with connect(wire.server_url) as other:
            await other.resume_thread(thread.id)
            wire.cut()
            home.model.release("gate")
            async for event in other.events():
                if isinstance(event, TurnCompletedNotification):
                    break
        wire.mend()
        await reading
    assert (turn.status, turn.final_message) == ("completed", "said meanwhile")


async def test_a_question_that_was_open_is_asked_again_once(
    codex: Codex, home: Home, wire: Wire
) -> None:
    home.model.script(runs_command("touch made"), says("done"))
    asked = 0
    async with asyncio.timeout(BOUND_SECONDS):
        thread = await codex.start_thread(approval_policy="untrusted", sandbox="danger-full-access")
        async for event in thread.run("Run it"):
            if isinstance(event, OpenQuestion):
                asked += 1
                wire.cut()
                wire.mend()
                await event.accept()
    assert asked == 1
    assert (home.cwd / "made").exists()


async def test_leaving_while_nobody_answers_does_not_wait_for_it(
    home: Home, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codex_room, "LEAVE_SECONDS", 0.01)
    monkeypatch.setattr(live_turn, "LEAVE_SECONDS", 0.01)
    home.model.script(runs_command("touch made"), says("never"))
    asked = asyncio.Event()

    async def thinks_for_ever(_question: OpenQuestion) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(BOUND_SECONDS):
        async with connect(wire.url, answer=thinks_for_ever) as codex:
            thread = await codex.start_thread(
                approval_policy="untrusted", sandbox="danger-full-access"
            )
            turn = thread.run("Run it")
            await turn.start()
            await asked.wait()
            wire.cut()
            await _first(codex, Reconnecting)
        with pytest.raises(ConnectionLost):
            await turn


async def test_without_reconnecting_a_loss_is_an_error(home: Home, wire: Wire) -> None:
    home.model.script(waits_at("gate", says("never heard")))
    async with asyncio.timeout(BOUND_SECONDS), connect(wire.url, reconnect=False) as codex:
        thread = await codex.start_thread()
        turn = thread.run("Say it")
        await turn.start()
        reading = asyncio.create_task(_whole(turn))
        wire.cut()
        with pytest.raises(ConnectionLost):
            await reading


async def test_a_token_opens_the_door_and_a_wrong_one_is_not_tried_again(home: Home) -> None:
    bound = bind("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{bound.getsockname()[1]}"
    server = Server(home.options)
    listener = WebSocketListener(
        bound, server.serve, CapabilityToken(sha256(b"right-token").digest())
    )
    async with asyncio.timeout(BOUND_SECONDS), listener, server:
        async with connect(url, token="right-token") as codex:
            assert (await codex.account()).account is None
        for token in ("wrong-token", None):
            with pytest.raises(CannotConnect, match=url) as refused:
                await connect(url, token=token).__aenter__()
            assert refused.value.is_refused
            assert "wrong-token" not in str(refused.value)


def test_waits_grow_to_a_limit_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 10.0)
    waits = list(islice(backoff.delays(Random(1)), 8))
    for seconds, expected in zip(waits, (1, 2, 4, 8, 10, 10, 10, 10), strict=True):
        assert 0.8 * expected <= seconds <= 1.2 * expected
    assert len(set(waits)) == 8


async def _first(codex: Codex, kind: type[Event]) -> None:
    async for event in codex.events():
        if isinstance(event, kind):
            return


async def _whole(turn: object) -> None:
    await turn  # type: ignore[misc]
