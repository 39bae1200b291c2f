"""Who is signed in, and what that adds to a request.

Looked for in this order: the key in `CODEX_API_KEY`, tokens a host application lent us, what the
store holds, the key in `OPENAI_API_KEY`. The answer is kept until `reload`, a login or a logout.
Light on purpose: it is asked before the first frame is painted. A keyring may take its time, so
await `ready` before asking on an event loop; what blocks is said to.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app_server import clock
from app_server.auth.credentials import Credentials, from_key, from_stored, is_usable
from app_server.auth.errors import MissingKey, RefreshFailed, StoreFailed, UnusableKey
from app_server.auth.needs import ProviderNeeds, Remedy, uses_sign_in
from app_server.auth.store import FileStore, MemoryStore, Store, StoredAuth

if TYPE_CHECKING:
    from app_server.auth.backend import Http
    from app_server.auth.host_tokens import AskHost, HostTokens
    from app_server.auth.renewal import Renewal
    from app_server.auth.single_flight import SingleFlight
    from app_server.auth.token_command import CommandTokens
    from app_server.auth.wish import Wish
    from app_server.protocol.account import AuthMode, GetAccountResponse, PlanType

log = logging.getLogger(__name__)

T = TypeVar("T")

SIGN_OUT_WAIT_SECONDS = 3.0
"""For a renewal that is going on; signing out must not hang on a service that is down."""


class AuthManager:
    """The sign-in of one home folder."""

    def __init__(
        self,
        codex_home: Path,
        *,
        environment: Mapping[str, str] | None = None,
        store: Store | None = None,
        http: Http | None = None,
        ask_host: AskHost | None = None,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        """Without `http` tokens are used but not renewed; `ask_host` renews a host's own.

        `on_change` is called on the loop when another process turns out to have signed in or out.
        """
        self._environment = os.environ if environment is None else environment
        self._codex_home = codex_home
        self._store: Store = store or FileStore(codex_home)
        self._lent = MemoryStore()
        self._http = http
        self.ask_host = ask_host
        self._loaded = False
        self._stored: StoredAuth | None = None
        self._credentials: Credentials | None = None
        self._unsaved: StoredAuth | None = None
        """Renewed tokens that could not be stored; the stored ones are spent."""
        self._changing = threading.RLock()
        """Held while the sign-in is looked up or changed, so that none of it is overtaken."""
        self._on_change = on_change
        self.forbids: Callable[[Credentials], str | None] = lambda _found: None
        """Why a stored sign-in must not be used; heeded from the next look on."""
        self.forbidden: str | None = None
        """What `forbids` said of the stored sign-in."""

    @property
    def credentials(self) -> Credentials | None:
        """The sign-in in use; None when signed out. Blocks until it was looked up once."""
        if not self._loaded:
            self._look_up_once()
        return self._credentials

    @property
    def as_looked_up(self) -> Credentials | None:
        """The same without looking: None also where nobody has looked yet."""
        return self._credentials

    @property
    def mode(self) -> AuthMode | None:
        return self.credentials.mode if self.credentials else None

    @property
    def plan_type(self) -> PlanType | None:
        return self.credentials.plan_type if self.credentials else None

    @property
    def uses_chatgpt_backend(self) -> bool:
        return self.credentials is not None and self.credentials.uses_chatgpt_backend

    @property
    def is_lent(self) -> bool:
        """Whether a host application's tokens are in use."""
        return self.mode == "chatgptAuthTokens"

    @property
    def stored(self) -> StoredAuth | None:
        """The sign-in as it is kept, whether or not a key in the environment wins over it."""
        return self._stored if self.credentials is not None else None

    @property
    def is_beyond_renewal(self) -> bool:
        """Whether the tokens in use have ended for good."""
        renewal, stored = self._renewal, self._stored
        return renewal is not None and stored is not None and renewal.is_hopeless(stored)

    async def ready(self) -> Credentials | None:
        """The sign-in in use, looked up without holding up the loop."""
        if not self._loaded:
            await _on_a_thread(self._look_up_once)
        return self._credentials

    def reload(self) -> None:
        """Look again: another process may have signed in or out. Blocks."""
        with self._changing:
            self._look_up()

    def _look_up_once(self) -> None:
        """Those who ask while somebody looks take what that one finds: a keyring is slow."""
        with self._changing:
            if not self._loaded:
                self._look_up()

    def _look_up(self) -> None:
        self._stored = self._lent.load() or self._newest(self._store.load())
        stored = from_stored(self._stored, "store")
        self.forbidden = None if stored is None else self.forbids(stored)
        self._credentials = (
            from_key(self._environment.get("CODEX_API_KEY", ""), "CODEX_API_KEY")
            or from_stored(self._lent.load(), "host")
            or (stored if self.forbidden is None else None)
            or from_key(self._environment.get("OPENAI_API_KEY", ""), "OPENAI_API_KEY")
        )
        self._loaded = True

    def account(self, *, requires_openai_auth: bool) -> GetAccountResponse:
        """The answer to `account/read`, for a provider that needs an OpenAI sign-in or does not.

        Signed out is an account of None with `requires_openai_auth`. Raises `IncompleteAccount`.
        """
        from app_server.protocol.account import GetAccountResponse

        found = self.credentials if requires_openai_auth else None
        return GetAccountResponse(
            account=None if found is None else found.account,
            requires_openai_auth=requires_openai_auth,
        )

    def login_with_api_key(self, key: str) -> None:
        """Keep the key; it is not tried out. Blocks. Raises `StoreFailed`."""
        self.keep(StoredAuth(auth_mode="apikey", api_key=key.strip()))
        log.info("signed in with an API key")

    def login_with_host_tokens(self, tokens: HostTokens) -> None:
        """Use a host application's tokens, in memory only. Blocks. Raises `BadToken`."""
        from app_server.auth.host_tokens import as_stored

        with self._changing:
            self._lent.save(as_stored(tokens, clock.utc_timestamp()))
            self._look_up()
        log.info("signed in with a host application's tokens")

    def keep(self, signed_in: StoredAuth) -> None:
        """Store a new sign-in in place of any other and use it. Blocks. Raises `StoreFailed`."""
        with self._changing:
            self._store.save(signed_in)
            self._lent.delete()
            self._look_up()

    def keep_if_wanted(self, signed_in: StoredAuth, wish: Wish) -> bool:
        """As `keep`; False where it is given up while it is written: then all is as before."""
        with self._changing:
            lent, before = self._lent.load(), self._newest(self._store.load())
            if wish.is_given_up:
                return False
            self.keep(signed_in)
            if wish.keep(signed_in):
                return True
            if lent is not None:
                self._lent.save(lent)
            try:
                self._store.delete() if before is None else self._store.save(before)
            finally:
                self._look_up()
            return False

    async def sign_out(self) -> bool:
        """Give the tokens back and forget the sign-in; whether there was one. Raises `StoreFailed`.

        A renewal that goes on, here or in another process of this home, is let come to its end
        first, so that its tokens do not come back. A key in the environment stays in use: it is
        not ours to remove.
        """
        from app_server.auth.renewal_lock import renewal_lock

        async with renewal_lock(self._codex_home, SIGN_OUT_WAIT_SECONDS):
            await self.revoke()
            return await _on_a_thread(self.logout)

    def logout(self) -> bool:
        """Forget the sign-in; whether there was one. Blocks. Raises `StoreFailed`."""
        with self._changing:
            was_lent = self._lent.delete()
            try:
                was_stored = self._store.delete()
            finally:
                self._look_up()
        log.info("signed out")
        return was_lent or was_stored

    async def revoke(self, given_up: StoredAuth | None = None) -> None:
        """Tell the service, if it can be told, that our own tokens are given back: these, or else
        those that are stored."""
        if self._http is None:
            return
        if given_up is None:
            given_up = self._newest(await _on_a_thread(self._store.load))
        if given_up is None or not given_up.is_our_own:
            return
        from app_server.auth.revoke import revoke

        await revoke(given_up, self._http, self._environment)

    async def headers(self, provider: ProviderNeeds) -> dict[str, str]:
        """Headers for one request; none for a provider that needs none.

        Raises `MissingKey` or `UnusableKey`.
        """
        if provider.env_key is not None:
            key = self._environment.get(provider.env_key, "").strip()
            if not key:
                raise MissingKey(provider.env_key, provider.env_key_instructions)
            return self._bearer(key, provider)
        if provider.bearer_token is not None:
            return self._bearer(provider.bearer_token, provider)
        if provider.token_command is not None:
            return self._bearer(await self._commands.token(provider.token_command), provider)
        if not uses_sign_in(provider):
            return {}
        if await self.ready() is None and not await self._has_signed_in_elsewhere():
            return {}
        if self._renewal is not None and self.mode == "chatgpt" and self._stored is not None:
            await self._renewal.renew_if_due(self._stored)
        found = self._credentials
        if found is None:  # signed out by another process, as the renewal has found
            return {}
        headers = self._bearer(found.bearer.reveal(), provider)
        if found.uses_chatgpt_backend and found.account_id:
            headers["chatgpt-account-id"] = found.account_id
        return headers

    def origin(self, provider: ProviderNeeds) -> str | None:
        """Where the credentials of a request come from, in words; None if there are none."""
        if provider.env_key is not None:
            return f"the environment variable {provider.env_key}"
        if provider.bearer_token is not None:
            return "`experimental_bearer_token` in the settings"
        if provider.token_command is not None:
            return f"`{provider.token_command.command}`"
        found = self._credentials if uses_sign_in(provider) else None
        match found.source if found is not None else None:
            case None:
                return None
            case "store":
                return self._store.place
            case "host":
                return "the application that lent us its tokens"
            case variable:
                return f"the environment variable {variable}"

    @cached_property
    def _commands(self) -> CommandTokens:
        from app_server.auth.token_command import CommandTokens

        return CommandTokens(self._environment)

    def recovery(self, provider: ProviderNeeds) -> Remedy:
        """For one request: what to try when it is answered 401."""
        if provider.token_command is not None:
            from app_server.auth.token_command import CommandRecovery

            return CommandRecovery(self._commands, provider.token_command)
        from app_server.auth.recovery import Recovery

        return Recovery(self, is_possible=uses_sign_in(provider))

    async def refresh(self) -> bool:
        """Renew our own tokens now; False if there are none. Raises `RefreshFailed`."""
        found = await self.ready()
        if found is None or found.mode != "chatgpt" or self._renewal is None:
            return False
        await self._renewal.renew()
        return True

    async def look_again(self) -> None:
        """Look for our own tokens again: another process may have renewed them.

        Raises `RefreshFailed` if it has signed out, or in to another account.
        """
        before = await self.ready()
        await _on_a_thread(self.reload)
        found = self._credentials
        if found is None or before is None or found.identity != before.identity:
            if self._on_change is not None:
                self._on_change()
            from app_server.auth.refresh import OTHER_ACCOUNT

            raise RefreshFailed(OTHER_ACCOUNT, is_final=True)

    async def _has_signed_in_elsewhere(self) -> bool:
        """Whether another process, such as `codex login`, has signed in since we looked."""
        await _on_a_thread(self.reload)
        if self._credentials is not None and self._on_change is not None:
            self._on_change()
        return self._credentials is not None

    async def ask_the_host(self) -> bool:
        """Have the host application hand over new tokens; False if nobody can be asked.

        Requests that need them at once share one question. Raises `RefreshFailed`.
        """
        if self.ask_host is None:
            return False
        await self._asking.join()
        return self.is_lent

    async def close(self) -> None:
        """Let a renewal that is going on come to its end, so that its tokens are kept."""
        if self._renewal is not None:
            await self._renewal.finish()

    def keep_renewed(self, spent: StoredAuth, fresh: StoredAuth) -> None:
        """Store new tokens in place of those they came from, unless these have gone. Blocks."""
        with self._changing:
            # the store is asked, not our memory: another process may have signed in or out
            if self._newest(self._store.load()) != spent:
                log.info("renewed tokens are dropped: somebody has signed in or out meanwhile")
                return
            self._unsaved = fresh
            try:
                self._store.save(fresh)
                self._unsaved = None
            except StoreFailed as failure:
                log.warning("renewed tokens live in memory only: %s", failure)
            self._look_up()

    async def _ask_the_host(self) -> None:
        before = self._credentials
        if self.ask_host is None or before is None:
            return
        fresh = await self.ask_host(before.account_id)
        await _on_a_thread(self._take_over, fresh)

    def _take_over(self, fresh: HostTokens) -> None:
        """A host's answer, unless somebody has signed out while it was on its way."""
        with self._changing:
            if self.is_lent:
                self.login_with_host_tokens(fresh)

    def _newest(self, loaded: StoredAuth | None) -> StoredAuth | None:
        """Renewed tokens that could not be stored stand in for the spent ones they came from."""
        unsaved = self._unsaved
        return unsaved if unsaved is not None and unsaved.renews(loaded) else loaded

    def _bearer(self, key: str, provider: ProviderNeeds) -> dict[str, str]:
        if not is_usable(key):
            raise UnusableKey(self.origin(provider) or "the settings")
        return {"authorization": f"Bearer {key}"}

    @cached_property
    def _renewal(self) -> Renewal | None:
        """None without a way to ask the service."""
        if self._http is None:
            return None
        from app_server.auth.renewal import Renewal

        return Renewal(self, self._http, self._environment, self._codex_home)

    @cached_property
    def _asking(self) -> SingleFlight:
        from app_server.auth.single_flight import SingleFlight

        return SingleFlight(self._ask_the_host)


async def _on_a_thread(work: Callable[..., T], *given: Any) -> T:
    from app_server.side_threads import on_a_thread_of_its_own  # with asyncio: 30 ms

    return await on_a_thread_of_its_own(lambda: work(*given))
