"""Joins the interface to the server: the only file that awaits the client.

Client events go into the store, everything that waits at once, at most once per frame; the store's
wishes become requests in the order they were made, and each ends in exactly one `Replied` or
`Refused`. Wishes made before the connection stands wait for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import ClientInfo, InitializeCapabilities
from app_server.protocol.method import ClientMethod
from tui.state.effects import AnswerQuestion, Effect, RefuseQuestion, SendRequest
from tui.state.events import (
    Asked,
    Connected,
    Disconnected,
    Event,
    Heard,
    Interrupted,
    Refused,
    Replied,
    Restored,
)

if TYPE_CHECKING:
    from app_server.client.client import Client
    from app_server.client.events import Event as ClientEvent
    from app_server.client.reconnect import ReconnectingClient
    from app_server.rpc.channel import Channel

log = logging.getLogger(__name__)

FRAME_SECONDS = 0.05
"""While much arrives the screen is drawn at most this often."""
CLIENT_NAME = "codex-tui"
LOST = "the server has ended the connection"
NO_CONNECTION = -32000

R = TypeVar("R")
Take: TypeAlias = Callable[[list[Event]], None]


class Link:
    """One connection at a time; `run` lives as long as it does."""

    def __init__(self, take: Take, version: str, *, remote: bool = False) -> None:
        self._take = take
        self._version = version
        self._remote = remote
        self._client: Client | ReconnectingClient | None = None
        self._waiting: list[Effect] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._is_over = False
        self.never_connected = ""
        """Why the server elsewhere could not be reached at all; the store is not told then."""
        self.ready = asyncio.Event()
        """The handshake is done, or there will be none any more."""

    async def run(self, connect: Callable[[], Awaitable["Channel"]]) -> None:
        """Connect, shake hands, and pass on what is heard until the connection ends."""
        reason = LOST
        try:
            async with self._introduced(connect) as client:
                self._client = client
                self.ready.set()
                self._take([Connected(remote=self._remote)])
                waiting, self._waiting = self._waiting, []
                self.carry_out(waiting)
                reason = await self._listen(client)
        except (RpcError, OSError) as error:
            log.warning("connection failed: %s", error)
            reason = str(error)
        finally:
            self._client = None
            self._is_over = True
            self.ready.set()
            await self._end_requests()
        if not self.never_connected:
            self._take([Disconnected(reason=reason)])

    def carry_out(self, effects: Iterable[Effect]) -> None:
        """Send what the store wants sent; other effects are not for the link."""
        for effect in effects:
            if not isinstance(effect, SendRequest | AnswerQuestion | RefuseQuestion):
                continue
            if self._is_over:
                self._refuse_all([effect])
                continue
            if self._client is None:
                self._waiting.append(effect)
                continue
            task = asyncio.create_task(self._send(self._client, effect))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)

    async def request(self, row: ClientMethod[Any, R], params: Any) -> R:
        """Ask the server directly, for panels that show an answer and keep nothing."""
        await self.ready.wait()
        if self._client is None:
            raise RpcError(NO_CONNECTION, LOST)
        return await self._client.request(row, params)

    @contextlib.asynccontextmanager
    async def _introduced(
        self, connect: Callable[[], Awaitable["Channel"]]
    ) -> AsyncIterator["Client | ReconnectingClient"]:
        """A client past its handshake; one whose connection comes back for a server elsewhere."""
        from app_server.client.client import Client  # with the protocol, after the first frame
        from app_server.client.errors import CannotConnect
        from app_server.client.reconnect import ReconnectingClient

        me = ClientInfo(name=CLIENT_NAME, title="Codex in Python", version=self._version)
        able = InitializeCapabilities(experimental_api=True)
        if not self._remote:
            async with Client(await self._open(connect)) as client:
                await client.initialize(me, able)
                yield client
            return
        async with contextlib.AsyncExitStack() as stack:
            try:
                coming_back = ReconnectingClient(connect, me, able)
                await stack.enter_async_context(coming_back)
            except CannotConnect as error:
                self.never_connected = str(error)
                raise RpcError(NO_CONNECTION, self.never_connected) from error
            yield coming_back

    async def _open(self, connect: Callable[[], Awaitable["Channel"]]) -> "Channel":
        try:
            return await connect()
        except Exception as error:  # whatever keeps a server from starting is told, not thrown
            log.exception("no connection to a server")
            raise RpcError(NO_CONNECTION, f"it could not be started: {error}") from error

    async def _listen(self, client: "Client | ReconnectingClient") -> str:
        from app_server.client.events import Disconnected as Gone

        while True:
            await client.arrival()
            batch = client.drain()
            # An answer that came before these has woken its request, which takes it now: what is
            # told after a thread was opened must not be heard before it is open.
            await asyncio.sleep(0)
            gone = next((one for one in batch if isinstance(one, Gone)), None)
            self._take(_heard(batch))
            if gone is not None:
                return gone.reason or LOST
            await asyncio.sleep(FRAME_SECONDS)

    async def _send(self, client: "Client | ReconnectingClient", effect: Effect) -> None:
        from app_server.client.own_images import names_own_images, with_own_images

        match effect:
            case SendRequest(row=row, params=params, purpose=purpose):
                outcome: Event
                try:
                    if self._remote and names_own_images(params):
                        params = await asyncio.to_thread(with_own_images, params)
                    result = await client.request(row, params)
                    outcome = Replied(purpose=purpose, result=result)
                except RpcError as error:
                    outcome = Refused(purpose=purpose, message=error.message, code=error.code)
                except (OSError, ConnectionError, asyncio.CancelledError) as error:
                    outcome = Refused(purpose=purpose, message=str(error) or LOST)
                self._take([outcome])
            case AnswerQuestion(id=question_id, result=result):
                with contextlib.suppress(RpcError):  # a lost connection is told by `run`
                    await client.answer(question_id, result)
            case RefuseQuestion(id=question_id, code=code, message=message):
                with contextlib.suppress(RpcError):
                    await client.refuse(question_id, RpcError(code=code, message=message))
            case _:
                pass

    async def _end_requests(self) -> None:
        """What is still on its way ends as refused: nobody will answer."""
        requests = list(self._requests)
        for task in requests:
            task.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        waiting, self._waiting = self._waiting, []
        self._refuse_all(waiting)

    def _refuse_all(self, effects: Iterable[Effect]) -> None:
        lost: list[Event] = [
            Refused(purpose=effect.purpose, message=LOST, code=NO_CONNECTION)
            for effect in effects
            if isinstance(effect, SendRequest)
        ]
        if lost:
            asyncio.get_running_loop().call_soon(self._take, lost)


def _heard(batch: Iterable["ClientEvent"]) -> list[Event]:
    from app_server.client.events import Notification, Question, Reconnected, Reconnecting

    events: list[Event] = []
    for one in batch:
        if isinstance(one, Reconnecting):
            events.append(Interrupted(reason=one.reason, attempt=one.attempt))
        if isinstance(one, Reconnected):
            events.append(Restored(resumed=one.resumed, gone=one.lost))
        if isinstance(one, Notification) and one.params is not None:
            events.append(Heard(one.params))
        elif isinstance(one, Question) and one.params is not None:
            events.append(Asked(id=one.id, params=one.params))
    return events
