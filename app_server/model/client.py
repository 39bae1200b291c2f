"""One request in, one stream of events out.

    async with client.stream(request, identity) as events:
        async for event in events: ...

Requests that never got an answer are repeated here, silently (`retry.py`); a stream that breaks
raises a retryable `ModelError` and is the sampling loop's business, since only it can rebuild the
request from what was already recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from app_server.model.events import ResponseEvent
from app_server.model.providers import ProviderInfo
from app_server.model.request import ModelRequest, TurnIdentity

if TYPE_CHECKING:
    from app_server.auth.manager import AuthSource
    from app_server.model.http import HttpClients


class ModelClient:
    """Talks to one provider; cheap to make, shares connections and sign-in with its siblings."""

    def __init__(
        self,
        provider: ProviderInfo,
        auth: AuthSource,
        http: HttpClients,
        installation_id: str,
    ) -> None:
        self.provider = provider

    @asynccontextmanager
    async def stream(
        self, request: ModelRequest, identity: TurnIdentity
    ) -> AsyncIterator[AsyncIterator[ResponseEvent]]:
        """Send the request; the block sees the answer's events as they arrive.

        Entering raises `ModelError` when the service cannot be reached or refuses; so does the
        iteration when the answer breaks. Leaving the block early ends the request.
        """
        raise NotImplementedError
        yield
