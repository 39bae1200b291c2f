"""One request in, one stream of events out.

    async with client.stream(request, identity) as events:
        async for event in events: ...

Requests that got no answer are repeated here, silently (`retry.py`); a stream that breaks raises a
retryable `ModelError` and is the sampling loop's business, since only it can rebuild the request
from what was already recorded. Every wait has an end: for the connection, for the first byte of
the answer, and for silence in the middle of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from app_server import clock
from app_server.auth.backend import without_secrets
from app_server.auth.errors import AuthError, RefreshFailed, TokenCommandFailed, UnusableKey
from app_server.auth.errors import MissingKey as MissingProviderKey
from app_server.auth.needs import AuthSource
from app_server.model.answer import Answer, reason
from app_server.model.errors import MissingKey, ModelError, StreamBroken, Unauthorized
from app_server.model.events import ResponseEvent
from app_server.model.http import HttpClients, NetworkSettingsUnusable
from app_server.model.providers import ProviderInfo
from app_server.model.refusals import http_refusal
from app_server.model.request import ModelRequest, TurnIdentity, encode_body, identity_headers
from app_server.model.retry import delay_seconds, is_worth_repeating

if TYPE_CHECKING:
    import httpx

    from app_server.auth.needs import Remedy

log = logging.getLogger(__name__)

REFUSAL_TIMEOUT_SECONDS = 10.0
"""For the body of a refusal, whose status says most of it."""

MAX_REFUSAL_BYTES = 1 << 20

KEY_HEADER = re.compile("authorization|key|token|secret", re.IGNORECASE)
"""Headers whose values are nobody's business, whatever a provider calls them."""

NOT_SIGNED_IN = (
    "You are not signed in to OpenAI. Sign in with `codex login`, set OPENAI_API_KEY, or store a "
    "key with `printenv OPENAI_API_KEY | codex login --with-api-key`."
)


class ModelClient:
    """Talks to one provider; cheap to make, shares connections and sign-in with its siblings."""

    def __init__(
        self,
        provider: ProviderInfo,
        auth: AuthSource,
        http: HttpClients,
        installation_id: str,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.provider = provider
        self._auth = auth
        self._http = http
        self._installation_id = installation_id
        self._environment = os.environ if environment is None else environment

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.provider.url("responses", uses_chatgpt_backend=self._auth.uses_chatgpt_backend)

    async def warm(self) -> None:
        """Load what the first request needs; never fails."""
        await self._http.warm(self.url)

    @asynccontextmanager
    async def stream(
        self, request: ModelRequest, identity: TurnIdentity
    ) -> AsyncIterator[AsyncIterator[ResponseEvent]]:
        """Send the request; the block sees the answer's events as they arrive.

        Entering raises `ModelError` when the service cannot be reached or refuses; so does the
        iteration when the answer breaks. Leaving the block early ends the request.
        """
        body = encode_body(
            request, self._installation_id, stores_answers=self.provider.stores_answers
        )
        response = await self._answer(body, identity)
        state = identity.turn_state
        if state.value is None:
            state.value = response.headers.get("x-codex-turn-state")
        answer = Answer(response, self.provider.stream_idle_timeout_seconds)
        try:
            async with aclosing(answer.events()) as events:
                yield events
        finally:
            await answer.aclose()

    async def _answer(self, body: bytes, identity: TurnIdentity) -> httpx.Response:
        """A response that is a stream, after as many requests as it may take."""
        repeats = 0
        recovery = self._auth.recovery(self.provider)
        while True:
            try:
                response = await self._send(body, identity)
            except StreamBroken as failure:
                if repeats >= self.provider.request_max_retries or isinstance(failure, _Silent):
                    raise
                log.info("request repeated: %s", failure.cause)
            else:
                if response.is_success:
                    return response
                refusal = await _refusal(response)
                if response.status_code == 401:
                    refusal.message = self._with_origin(refusal.message)
                    if self.provider.requires_openai_auth or self.provider.token_command:
                        if await _improve(recovery):
                            continue
                        raise Unauthorized(refusal.message, http_status=401)
                may_repeat = repeats < self.provider.request_max_retries
                if not (may_repeat and is_worth_repeating(response.status_code)):
                    raise refusal
                log.info("request repeated after status %d", response.status_code)
            repeats += 1
            await pause(delay_seconds(repeats))

    def _with_origin(self, refusal: str) -> str:
        """A refusal of what we sent, and where that came from: the user has to mend it there."""
        origin = self._auth.origin(self.provider)
        return f"{refusal}, signed in with: {origin}" if origin else refusal

    async def _send(self, body: bytes, identity: TurnIdentity) -> httpx.Response:
        """One request, up to the headers of its answer."""
        headers = await self._headers(identity)
        url = self.url  # which one depends on the sign-in, looked up for the headers
        try:
            client = await self._http.client(url)
        except NetworkSettingsUnusable as problem:
            raise ModelError(str(problem)) from problem
        import httpx

        try:
            request = client.build_request("POST", url, content=body, headers=headers)
            async with asyncio.timeout(self.provider.stream_idle_timeout_seconds):
                return await client.send(request, stream=True)
        except TimeoutError:
            raise _Silent("idle timeout waiting for the answer to begin") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
            raise ModelError(f"the provider's address cannot be used: {url}: {problem}") from None
        except httpx.TransportError as failure:
            raise StreamBroken(
                f"error sending request for url ({url}): {reason(failure)}"
            ) from failure

    async def _headers(self, identity: TurnIdentity) -> dict[str, str]:
        provider = self.provider
        try:
            credentials = await self._auth.headers(provider)
        except MissingProviderKey as problem:
            raise MissingKey(str(problem)) from problem
        except (TokenCommandFailed, UnusableKey) as problem:
            raise Unauthorized(str(problem)) from problem
        if provider.requires_openai_auth and provider.base_url is None and not credentials:
            raise Unauthorized(NOT_SIGNED_IN)
        return {
            **self.provider.headers(self._environment),
            **identity_headers(identity),
            **credentials,
        }


def _without_keys(body: bytes, sent: Mapping[str, str]) -> bytes:
    """A refusal as it may be shown and stored: services like to repeat the key they refuse."""
    keys = [
        value.removeprefix("Bearer ") for name, value in sent.items() if KEY_HEADER.search(name)
    ]
    return without_secrets(body.decode("utf-8", "replace"), *keys).encode()


async def _improve(recovery: Remedy) -> bool:
    """Whether there are better credentials to try after a 401."""
    try:
        return await recovery.improve()
    except RefreshFailed as failure:
        if failure.is_final:
            raise Unauthorized(str(failure), http_status=401) from failure
        raise ModelError(str(failure), http_status=401) from failure
    except AuthError as failure:
        raise ModelError(str(failure), http_status=401) from failure


async def pause(seconds: float) -> None:
    """Let time pass before a request is repeated; tests put their own in its place."""
    await asyncio.sleep(seconds)


class _Silent(StreamBroken):
    """No answer at all within the time for one; asking again at once would only double the wait."""


async def _refusal(response: httpx.Response) -> ModelError:
    """The error of a response that is not a stream; its body is read as far as it comes."""
    import httpx

    body = bytearray()
    try:
        with suppress(TimeoutError, httpx.TransportError, httpx.DecodingError):
            async with asyncio.timeout(REFUSAL_TIMEOUT_SECONDS):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_REFUSAL_BYTES:
                        break
    finally:
        await response.aclose()
    return http_refusal(
        response.status_code,
        response.headers,
        _without_keys(bytes(body), response.request.headers),
        str(response.request.url),
        clock.now(),
    )
