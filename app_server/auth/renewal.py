"""When our own tokens are renewed: one renewal at a time in this process and in this home.

Whoever needs new tokens while a renewal goes on waits for that one. A renewal that cannot succeed
any more is not asked for again, and is logged once. Knows where tokens are asked for (`refresh`)
and not where they are kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app_server import clock
from app_server.auth.errors import RefreshFailed
from app_server.auth.refresh import is_due, renewed
from app_server.auth.renewal_lock import renewal_lock
from app_server.auth.single_flight import SingleFlight

if TYPE_CHECKING:
    from app_server.auth.backend import Http
    from app_server.auth.store import StoredAuth

log = logging.getLogger(__name__)

FINISH_SECONDS = 5.0
"""How long the end of the program waits for an answer that has new tokens in it."""


class KeptTokens(Protocol):
    """The sign-in whose tokens are renewed."""

    @property
    def stored(self) -> StoredAuth | None: ...

    async def look_again(self) -> None:
        """Look the sign-in up. Raises `RefreshFailed` if it is another account's now."""
        ...

    def keep_renewed(self, spent: StoredAuth, fresh: StoredAuth) -> None:
        """Blocks."""
        ...


class Renewal:
    """Renews the tokens of one sign-in."""

    def __init__(
        self, kept: KeptTokens, http: Http, environment: Mapping[str, str], codex_home: Path
    ) -> None:
        self._kept = kept
        self._http = http
        self._environment = environment
        self._codex_home = codex_home
        self._flight = SingleFlight(self._renew)
        self._final_failures: dict[str, RefreshFailed] = {}
        """By refresh token: what cannot succeed is not asked again."""
        self._last_told: RefreshFailed | None = None
        self._ended_on_arrival: str | None = None
        """An access token that had ended by our clock when it came: that clock is wrong."""

    async def renew(self) -> None:
        """Raises `RefreshFailed`; the tokens in use stay as they are."""
        await self._flight.join()

    async def renew_if_due(self, stored: StoredAuth) -> None:
        """Never fails: whether the old tokens still serve is for the service to say."""
        if not is_due(stored, clock.now()) or _access_token(stored) == self._ended_on_arrival:
            return
        try:
            await self.renew()
        except RefreshFailed as failure:
            level = logging.DEBUG if failure is self._last_told else logging.WARNING
            self._last_told = failure
            log.log(level, "tokens not renewed: %s", failure)

    def is_hopeless(self, stored: StoredAuth) -> bool:
        """Whether these tokens cannot be renewed any more."""
        return stored.tokens is not None and stored.tokens.refresh_token in self._final_failures

    async def finish(self) -> None:
        """Let a renewal that is going on come to its end."""
        await self._flight.finish(FINISH_SECONDS)

    async def _renew(self) -> None:
        async with renewal_lock(self._codex_home):
            before = self._kept.stored
            await self._kept.look_again()
            now = self._kept.stored
            if now is None or now.tokens is None or before is None or now.tokens != before.tokens:
                return  # another process has renewed them
            spent = now.tokens.refresh_token
            if spent in self._final_failures:
                raise self._final_failures[spent]
            try:
                fresh = await renewed(now, self._http, self._environment, clock.utc_timestamp())
            except RefreshFailed as failure:
                if failure.is_final:
                    self._final_failures[spent] = failure
                raise
            await asyncio.to_thread(self._kept.keep_renewed, now, fresh)
        log.info("tokens renewed")
        if is_due(fresh, clock.now()):
            log.warning("the new access token has ended by this machine's clock: is that right?")
            self._ended_on_arrival = _access_token(fresh)


def _access_token(stored: StoredAuth) -> str | None:
    return stored.tokens.access_token if stored.tokens is not None else None
