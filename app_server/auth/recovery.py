"""What is tried after a service has answered 401: a small state machine, one for each request.

    own tokens      look them up again → renew them → nothing left
    a host's own    ask the host       → nothing left
    a key, nobody                        nothing to try: a key does not get better

Own tokens are looked up first because another process may have renewed them. After each step the
request is repeated; every step counts, whether or not it has changed anything.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from app_server.protocol.account import AuthMode

if TYPE_CHECKING:
    from app_server.auth.credentials import Credentials

log = logging.getLogger(__name__)

Step: TypeAlias = Literal["look again", "renew", "ask the host"]

_STEPS: dict[AuthMode, tuple[Step, ...]] = {
    "chatgpt": ("look again", "renew"),
    "chatgptAuthTokens": ("ask the host",),
}


class SignIn(Protocol):
    """What a recovery may ask of the sign-in."""

    async def ready(self) -> Credentials | None: ...

    async def look_again(self) -> None: ...

    async def refresh(self) -> bool: ...

    async def ask_the_host(self) -> bool: ...


class Recovery:
    """The way of one refused request to better credentials."""

    def __init__(self, sign_in: SignIn, *, is_possible: bool) -> None:
        """`is_possible` is False where the refused request did not use the sign-in."""
        self._sign_in = sign_in
        self._is_possible = is_possible
        self._mode: AuthMode | None = None
        self._left: list[Step] | None = None

    async def improve(self) -> bool:
        """Take the next step; False when none is left. Raises `RefreshFailed`."""
        found = await self._sign_in.ready()
        mode = found.mode if found is not None and self._is_possible else None
        if self._left is None:
            self._mode = mode
            self._left = list(_STEPS.get(mode, ())) if mode is not None else []
        if not self._left or mode != self._mode:
            log.info("no recovery step is left for a sign-in by %s", mode or "nothing of ours")
            return False
        step = self._left.pop(0)
        log.info("recovering from a refused request: %s", step)
        match step:
            case "look again":
                await self._sign_in.look_again()
                return True
            case "renew":
                return await self._sign_in.refresh()
            case "ask the host":
                return await self._sign_in.ask_the_host()
