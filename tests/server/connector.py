"""Makes clients of a server under test, typed or through JSON."""

from contextlib import AsyncExitStack

from app_server.client.client import Client
from app_server.protocol.initialize import ClientInfo, InitializeCapabilities
from app_server.rpc.channel import local_pair
from app_server.server.server import Server

EXPERIMENTAL = InitializeCapabilities(experimental_api=True)


class Connector:
    """Makes clients of the server; they leave when the test ends."""

    def __init__(self, server: Server, through_json: bool) -> None:
        self._server = server
        self._through_json = through_json
        self._stack = AsyncExitStack()

    async def stranger(self, capacity: int = 128) -> Client:
        """A client that has not introduced itself."""
        client_end, server_end = local_pair(capacity, self._through_json)
        self._server.tasks.start(self._server.serve(server_end))
        return await self._stack.enter_async_context(Client(client_end))

    async def __call__(
        self, name: str = "test", capabilities: InitializeCapabilities | None = EXPERIMENTAL
    ) -> Client:
        """A client past the handshake."""
        client = await self.stranger()
        await client.initialize(ClientInfo(name=name, version="1.0.0"), capabilities)
        return client

    async def leave(self) -> None:
        await self._stack.aclose()
