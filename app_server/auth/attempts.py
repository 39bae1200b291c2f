"""Signing in while the server does other things: one attempt at a time, told when it ends.

A browser or device sign-in is begun, answered at once, and ends by itself: stored, refused, given
up, or replaced by a newer one. Whoever began it is told exactly once, through the function it
handed in, and always before a newer attempt is answered. Knows neither wire nor connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

from app_server import ids
from app_server.auth import browser_login
from app_server.auth.backend import Http
from app_server.auth.browser_login import BrowserLogin
from app_server.auth.device_login import DeviceCode, request_code, wait_for_approval
from app_server.auth.errors import AuthError, LoginFailed, StoreFailed
from app_server.auth.exchange import Issuer
from app_server.auth.manager import AuthManager
from app_server.auth.store import StoredAuth
from app_server.auth.wish import Wish

log = logging.getLogger(__name__)

LIMIT_SECONDS = 10 * 60.0
"""For somebody to come back from the browser; after that the port is free again."""

REPLACED = "Login cancelled"
GIVEN_UP = "Login was not completed"
TIMED_OUT = "Login timed out"

Tell: TypeAlias = Callable[[str, str | None], None]
"""Called with the attempt's id and what went wrong, None if nothing did; must not block."""


class LoginAttempts:
    """The sign-in that is going on in this server, if one is."""

    def __init__(self, auth: AuthManager, http: Http, issuer: Issuer) -> None:
        self._auth = auth
        self._http = http
        self._issuer = issuer
        self._current: _Attempt | None = None
        self._revoking: set[asyncio.Task[None]] = set()

    async def begin_in_browser(
        self,
        tell: Tell,
        *,
        originator: str,
        workspace_id: str | None = None,
        is_streamlined: bool = False,
    ) -> tuple[str, str]:
        """The attempt's id and the address to open. Raises `LoginFailed` when no port is free."""
        await self.end_current(REPLACED)
        wish = Wish()
        login = BrowserLogin(
            self._http,
            self._issuer,
            self._keep(wish),
            originator=originator,
            workspace_id=workspace_id,
            ports=browser_login.PORTS,
            is_streamlined=is_streamlined,
        )
        await login.__aenter__()
        work = self._in_browser(login, wish)
        attempt = self._begin(work, wish, tell, "Login server error: ", login.accept)
        return attempt.login_id, login.auth_url

    async def begin_with_device(
        self, tell: Tell, *, workspace_id: str | None = None
    ) -> tuple[str, DeviceCode]:
        """The attempt's id and the code to type. Raises `LoginFailed` or `Unreachable`."""
        await self.end_current(REPLACED)
        code = await request_code(self._http, self._issuer)
        wish = Wish()
        attempt = self._begin(self._with_device(code, workspace_id, wish), wish, tell, "", None)
        return attempt.login_id, code

    def cancel(self, login_id: str) -> bool:
        """Give an attempt up; whether it could be. Its end is told a moment later.

        One that is being stored can be: what was written is taken back.
        """
        attempt = self._current
        if attempt is None or attempt.login_id != login_id:
            return False
        self._current = None
        return attempt.end(GIVEN_UP)

    def come_back(self, login_id: str, address: str) -> bool:
        """Hand in the address a browser elsewhere was sent to; whether it is this attempt's."""
        attempt = self._current
        if attempt is None or attempt.login_id != login_id or attempt.accept is None:
            return False
        return attempt.accept(address)

    async def end_current(self, reason: str = GIVEN_UP) -> None:
        """End what is going on, if anything is; its end has been told when this returns."""
        attempt, self._current = self._current, None
        if attempt is not None:
            attempt.end(reason)
            await asyncio.wait({attempt.task})

    async def close(self) -> None:
        """The server ends, and with it what is going on."""
        await self.end_current()
        for task in self._revoking:
            task.cancel()
        await asyncio.gather(*self._revoking, return_exceptions=True)

    def _begin(
        self,
        work: Coroutine[Any, Any, StoredAuth],
        wish: Wish,
        tell: Tell,
        prefix: str,
        accept: Callable[[str], bool] | None,
    ) -> _Attempt:
        attempt = _Attempt(work, wish, tell, prefix, accept, on_end=self._ended)
        self._current = attempt
        return attempt

    def _ended(self, attempt: _Attempt) -> None:
        if self._current is attempt:
            self._current = None

    async def _in_browser(self, login: BrowserLogin, wish: Wish) -> StoredAuth:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                return await login.wait()
        except (TimeoutError, asyncio.CancelledError):
            wish.give_up()
            await login.__aexit__(None, None, None)
            if wish.kept is None:
                raise
            return wish.kept  # all was done but for the last page
        finally:
            await login.__aexit__(None, None, None)

    async def _with_device(
        self, code: DeviceCode, workspace_id: str | None, wish: Wish
    ) -> StoredAuth:
        stored = await wait_for_approval(self._http, self._issuer, code, workspace_id=workspace_id)
        try:
            await asyncio.to_thread(self._keep(wish), stored)
        except asyncio.CancelledError:
            if wish.kept is None:
                raise
        return stored

    def _keep(self, wish: Wish) -> Callable[[StoredAuth], None]:
        """Stores a sign-in, on a thread. What is not in use afterwards is given back: the one it
        replaces, or itself where it was given up meanwhile."""
        loop = asyncio.get_running_loop()

        def keep(stored: StoredAuth) -> None:
            replaced = self._auth.stored
            try:
                is_kept = self._auth.keep_if_wanted(stored, wish)
            except StoreFailed as failure:
                if wish.is_given_up:  # nobody waits for it any more
                    log.error("a sign-in that was given up: %s", failure)
                raise
            given_back = replaced if is_kept else stored
            if given_back is not None and given_back.tokens is not None:
                with suppress(RuntimeError):  # the server has ended meanwhile
                    loop.call_soon_threadsafe(self._give_back, given_back)
            if not is_kept:
                raise LoginFailed(GIVEN_UP)

        return keep

    def _give_back(self, replaced: StoredAuth) -> None:
        task = asyncio.get_running_loop().create_task(self._auth.revoke(replaced))
        self._revoking.add(task)
        task.add_done_callback(self._revoking.discard)


class _Attempt:
    """One sign-in on its way; its task never fails, and its end is told as the task's last act."""

    def __init__(
        self,
        work: Coroutine[Any, Any, StoredAuth],
        wish: Wish,
        tell: Tell,
        prefix: str,
        accept: Callable[[str], bool] | None,
        on_end: Callable[[_Attempt], None],
    ) -> None:
        self.login_id = ids.uuid4()
        self.accept = accept
        """Takes the address a browser elsewhere was sent to."""
        self._wish = wish
        self._tell = tell
        self._prefix = prefix
        self._on_end = on_end
        self._reason: str | None = None
        self.task = asyncio.get_running_loop().create_task(work)
        self.task.add_done_callback(self._over)

    def end(self, reason: str) -> bool:
        """Stop; whether the sign-in is given up by it, as it is unless it is kept already."""
        is_given_up = self._wish.give_up()
        self._reason = reason
        self.task.cancel()
        return is_given_up

    def _over(self, task: asyncio.Task[StoredAuth]) -> None:
        self._on_end(self)
        self._tell(self.login_id, self._problem(task))

    def _problem(self, task: asyncio.Task[StoredAuth]) -> str | None:
        if task.cancelled():
            return f"{self._prefix}{self._reason or GIVEN_UP}"
        match task.exception():
            case None:
                return None
            case TimeoutError():
                return TIMED_OUT
            case AuthError() as problem:
                return f"{self._prefix}{problem}"
            case defect:
                log.error("a sign-in failed", exc_info=defect)
                return f"{self._prefix}the sign-in failed inside the server; its log says why"
