"""What the workspace of the signed-in ChatGPT account demands, fetched when it is first needed.

Only Business and Enterprise accounts have such demands; for them nothing runs until they are known
(from the service, or from a fetch less than half an hour ago). All wait for one fetch. An answer
about one account is never used for another.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.auth.errors import AuthError
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

SIGN_IN_SECONDS = 1.0
"""For a sign-in to be looked up at the start: a keyring that is open takes a third of that."""

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
        self._asking = asyncio.Lock()
        self._patient_until: float | None = None

    async def ready(self) -> None:
        """Find out, unless it is known: every call waits here first, on the loop.

        Threads never wait for the service, or a few of them could use up those it needs itself.
        """
        try:
            account = _account(await self._services.auth.ready())
        except AuthError:  # whoever cannot be looked up is not signed in
            return
        if account is None or self._is_good(account):
            return
        async with self._asking:
            if not self._is_good(account):
                self._answer = await self._asked(account)

    async def soon(self) -> None:
        """As `ready`, but not for long if it is the sign-in that takes long to be had.

        A keyring that waits to be unlocked keeps nobody from being welcomed, or from reading the
        settings; what runs something waits for it.
        """
        now = clock.monotonic()
        if self._patient_until is None:
            self._patient_until = now + SIGN_IN_SECONDS
        try:
            async with asyncio.timeout(max(0.0, self._patient_until - now)):
                await self._services.auth.ready()
        except (TimeoutError, AuthError):
            return
        await self.ready()

    def known(self) -> Demands:
        """The demands, as `ready` has left them; outdated ones hold until there are newer ones."""
        account = _account(self._services.auth.as_looked_up)
        if account is None:
            return NO_DEMANDS
        answer = self._answer
        if answer is None or answer.account != account:
            return Demands(failure=CloudFailure("RequestFailed", f"{UNKNOWN} yet"))
        return answer.demands

    def _is_good(self, account: str) -> bool:
        answer = self._answer
        return answer is not None and answer.account == account and clock.now() < answer.good_until

    async def _asked(self, account: str) -> _Answer:
        from app_server.config.demands_cache import LIFE_SECONDS, Kept, load, save

        home = self._services.codex_home
        kept = await asyncio.to_thread(load, home, account, clock.now())
        if kept is not None:
            return _Answer(account, Demands(kept.contents), kept.expires_at)
        config = await asyncio.to_thread(self._services.own_config)
        demands = await self._fetch(config.chatgpt_base_url)
        if demands.failure is not None:
            log.error("the workspace's demands are not known: %s", demands.failure.detail)
            return _Answer(account, demands, clock.now() + FAILURE_SECONDS)
        kept = Kept(account=account, expires_at=clock.now() + LIFE_SECONDS, contents=demands.cloud)
        try:
            await asyncio.to_thread(save, home, kept)
        except OSError as error:
            log.warning("the workspace's demands could not be kept: %s", error)
        return _Answer(account, demands, kept.expires_at)

    async def _fetch(self, url: str) -> Demands:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._attempts(url)
        except TimeoutError:
            detail = f"{UNKNOWN}: no answer within {FETCH_SECONDS:.0f} seconds"
            return Demands(failure=CloudFailure("Timeout", detail))

    async def _attempts(self, url: str) -> Demands:
        from app_server.auth.account_service import AccountRequestFailed, AccountService

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


def _account(found: Credentials | None) -> str | None:
    """Who is signed in, if that account can have demands."""
    if found is None or found.plan_type not in PLANS:
        return None
    return f"{found.account_id}/{found.plan}"


UNKNOWN = "what your workspace demands of the configuration could not be fetched"
