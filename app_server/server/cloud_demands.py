"""What the workspace of the signed-in ChatGPT account demands, fetched when it is first needed.

Only Business and Enterprise accounts have such demands; for them nothing runs until they are known
(from the service, or from a fetch less than half an hour ago). Everybody asks from worker threads
and waits; all wait for one fetch. An answer about one account is never used for another.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.config.demands import NO_DEMANDS, CloudFailure, Demands

if TYPE_CHECKING:
    from app_server.auth.credentials import Credentials
    from app_server.server.services import Services

log = logging.getLogger(__name__)

PLANS = frozenset(
    {
        "business",
        "enterprise",
        "self_serve_business_usage_based",
        "enterprise_cbp_usage_based",
    }
)

FETCH_SECONDS = 15.0
"""For all attempts together."""

PAUSES_SECONDS = (0.2, 0.4, 0.8)
"""Between attempts, where another may help."""

FAILURE_SECONDS = 10.0
"""For so long a failure is told again before the service is asked again."""


class _Answer(msgspec.Struct, frozen=True):
    account: str
    demands: Demands
    good_until: float
    """Unix seconds."""


class CloudDemands:
    """The demands of whoever is signed in."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._answer: _Answer | None = None
        self._asking = threading.Lock()

    def known(self) -> Demands:
        """The demands, waiting for them if need be. Call it off the loop."""
        found = self._services.auth.credentials
        if found is None or found.plan_type not in PLANS:
            return NO_DEMANDS
        account = f"{found.account_id}/{found.plan}"
        with self._asking:
            answer = self._answer
            if answer is None or answer.account != account or clock.now() >= answer.good_until:
                answer = self._answer = self._asked(account, found)
            return answer.demands

    def _asked(self, account: str, found: Credentials) -> _Answer:
        from app_server.config.demands_cache import LIFE_SECONDS, Kept, load, save

        home, now = self._services.codex_home, clock.now()
        kept = load(home, account, now)
        if kept is not None:
            return _Answer(account, Demands(kept.contents), kept.expires_at)
        demands = self._fetched_from_loop()
        if demands.failure is not None:
            log.error("the workspace's demands are not known: %s", demands.failure.detail)
            return _Answer(account, demands, clock.now() + FAILURE_SECONDS)
        kept = Kept(account=account, expires_at=clock.now() + LIFE_SECONDS, contents=demands.cloud)
        try:
            save(home, kept)
        except OSError as error:
            log.warning("the workspace's demands could not be kept: %s", error)
        return _Answer(account, demands, kept.expires_at)

    def _fetched_from_loop(self) -> Demands:
        loop = self._services.loop
        assert loop is not None  # set before anything is served
        url = self._services.own_config().chatgpt_base_url
        future = asyncio.run_coroutine_threadsafe(self._fetch(url), loop)
        try:
            return future.result(FETCH_SECONDS * 2)
        except Exception as error:  # a loop that ends or hangs must not look like "no demands"
            future.cancel()
            return Demands(failure=CloudFailure("RequestFailed", f"{UNKNOWN}: {error!r}"))

    async def _fetch(self, url: str) -> Demands:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._attempts(url)
        except TimeoutError:
            detail = f"{UNKNOWN}: no answer within {FETCH_SECONDS:.0f} seconds"
            return Demands(failure=CloudFailure("Timeout", detail))

    async def _attempts(self, url: str) -> Demands:
        from app_server.auth.account_service import AccountRequestFailed, AccountService
        from app_server.auth.errors import AuthError

        services = self._services
        service = AccountService(url, services.auth, services.http, services.user_agent)
        pauses = iter(PAUSES_SECONDS)
        while True:
            try:
                return Demands(await service.requirements())
            except AccountRequestFailed as error:
                may_pass = error.status is None or error.status == 429 or error.status >= 500
                pause = next(pauses, None) if may_pass else None
                if pause is None:
                    detail = f"{UNKNOWN}: {error}"
                    return Demands(failure=CloudFailure("RequestFailed", detail, error.status))
                await asyncio.sleep(pause)
            except AuthError as error:
                return Demands(failure=CloudFailure("Auth", f"{UNKNOWN}: {error}"))


UNKNOWN = "what your workspace demands of the configuration could not be fetched"
