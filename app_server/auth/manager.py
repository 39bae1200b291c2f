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
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app_server import clock
from app_server.auth.credentials import Credentials, from_key, from_stored
from app_server.auth.errors import MissingKey, RefreshFailed, StoreFailed
from app_server.auth.store import FileStore, MemoryStore, Store, StoredAuth
from app_server.protocol.account import AuthMode, GetAccountResponse, PlanType

if TYPE_CHECKING:
    import asyncio

    from app_server.auth.backend import Http
    from app_server.auth.host_tokens import AskHost, HostTokens

log = logging.getLogger(__name__)


class ProviderNeeds(Protocol):
    """What a provider says of how to sign in to it."""

    @property
    def env_key(self) -> str | None: ...

    @property
    def env_key_instructions(self) -> str | None: ...

    @property
    def bearer_token(self) -> str | None: ...

    @property
    def requires_openai_auth(self) -> bool: ...


class _OpenAi:
    """What OpenAI's own services need: the sign-in and nothing else."""

    env_key: str | None = None
    env_key_instructions: str | None = None
    bearer_token: str | None = None
    requires_openai_auth = True


OPENAI: ProviderNeeds = _OpenAi()


class AuthSource(Protocol):
    """Where the model client gets its credentials."""

    async def headers(self, provider: ProviderNeeds) -> dict[str, str]:
        """Headers for one request; none for a provider that needs none. Raises `MissingKey`."""
        ...

    async def recover(self, provider: ProviderNeeds, attempt: int) -> bool:
        """Look for better credentials after a 401; False when nothing is left to try.

        `attempt` counts the recoveries already made for this request. Raises `RefreshFailed`.
        """
        ...

    @property
    def uses_chatgpt_backend(self) -> bool:
        """Whether OpenAI requests go to ChatGPT's address and not to the API's."""
        ...


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
    ) -> None:
        """Without `http` tokens are used but not renewed; `ask_host` renews a host's own."""
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
        self._renewing: asyncio.Lock | None = None
        self._final_failures: dict[str, RefreshFailed] = {}
        """By refresh token: what cannot succeed is not asked again."""
        self._last_told: RefreshFailed | None = None

    @property
    def credentials(self) -> Credentials | None:
        """The sign-in in use; None when signed out. Blocks until it was looked up once."""
        if not self._loaded:
            self.reload()
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
        """The sign-in as it is kept; None when signed out or when the environment has the key."""
        return self._stored if self.credentials is not None else None

    @property
    def is_beyond_renewal(self) -> bool:
        """Whether the tokens in use have ended for good."""
        tokens = self._stored.tokens if self._stored is not None else None
        return tokens is not None and tokens.refresh_token in self._final_failures

    async def ready(self) -> Credentials | None:
        """The sign-in in use, looked up without holding up the loop."""
        if not self._loaded:
            import asyncio

            await asyncio.to_thread(self.reload)
        return self._credentials

    def reload(self) -> None:
        """Look again: another process may have signed in or out. Blocks."""
        with self._changing:
            self._look_up()

    def _look_up(self) -> None:
        self._stored = self._lent.load() or self._newest(self._store.load())
        key = from_key(self._environment.get("CODEX_API_KEY", ""), "CODEX_API_KEY")
        self._credentials = (
            key
            or from_stored(self._lent.load(), "host")
            or from_stored(self._stored, "store")
            or from_key(self._environment.get("OPENAI_API_KEY", ""), "OPENAI_API_KEY")
        )
        self._loaded = True

    def account(self, *, requires_openai_auth: bool) -> GetAccountResponse:
        """The answer to `account/read`, for a provider that needs an OpenAI sign-in or does not.

        Signed out is an account of None with `requires_openai_auth`. Raises `IncompleteAccount`.
        """
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

        lent = as_stored(tokens, clock.utc_timestamp())
        with self._changing:
            self._lent.save(lent)
            self._look_up()
        log.info("signed in with a host application's tokens")

    def keep(self, signed_in: StoredAuth) -> None:
        """Store a new sign-in in place of any other and use it. Blocks. Raises `StoreFailed`."""
        with self._changing:
            self._store.save(signed_in)
            self._lent.delete()
            self._look_up()

    def logout(self) -> bool:
        """Forget the sign-in; whether there was one to forget. Blocks. Raises `StoreFailed`.

        A key in the environment stays in use: it is not ours to remove.
        """
        with self._changing:
            was_lent = self._lent.delete()
            try:
                was_stored = self._store.delete()
            finally:
                self._look_up()
        log.info("signed out")
        return was_lent or was_stored

    async def revoke(self, given_up: StoredAuth | None = None) -> None:
        """Tell the service that our own tokens are given back, as well as that goes.

        Those in use, or earlier ones that a new sign-in has replaced.
        """
        if given_up is None:
            await self.ready()
            given_up = self._stored
        if given_up is None or self._http is None or not _are_our_own(given_up):
            return
        from app_server.auth.revoke import revoke

        await revoke(given_up, self._http, self._environment)

    async def headers(self, provider: ProviderNeeds) -> dict[str, str]:
        """Headers for one request; none for a provider that needs none. Raises `MissingKey`."""
        if provider.env_key is not None:
            key = self._environment.get(provider.env_key, "").strip()
            if not key:
                raise MissingKey(provider.env_key, provider.env_key_instructions)
            return {"authorization": f"Bearer {key}"}
        if provider.bearer_token is not None:
            return {"authorization": f"Bearer {provider.bearer_token}"}
        if not _uses_login(provider) or await self.ready() is None:
            return {}
        await self._renew_if_due()
        found = self._credentials
        if found is None:  # signed out by another process, as the renewal has found
            return {}
        headers = {"authorization": f"Bearer {found.bearer.reveal()}"}
        if found.uses_chatgpt_backend and found.account_id:
            headers["chatgpt-account-id"] = found.account_id
        return headers

    async def recover(self, provider: ProviderNeeds, attempt: int) -> bool:
        """Look for better credentials after a 401; False when nothing is left to try.

        A key does not get better. Own tokens are first looked up again, since another process may
        have renewed them, then renewed; a host's tokens are asked for once. Raises `RefreshFailed`.
        """
        before = await self.ready()
        if before is None or not _uses_login(provider):
            return False
        if before.mode == "chatgptAuthTokens":
            return attempt == 0 and await self._ask_host(before)
        if before.mode != "chatgpt" or attempt > 1:
            return False
        if attempt == 1:
            return await self.refresh()
        import asyncio

        await asyncio.to_thread(self.reload)
        self._check_account(before.account_id)
        return True

    async def refresh(self) -> bool:
        """Renew our own tokens now; False if there are none. Raises `RefreshFailed`."""
        import asyncio

        found = await self.ready()
        if found is None or found.mode != "chatgpt" or self._http is None:
            return False
        from app_server.auth.renewal_lock import renewal_lock

        self._renewing = self._renewing or asyncio.Lock()
        before = self._stored
        async with self._renewing:
            if self._stored == before:  # else another task did it while this one waited
                async with renewal_lock(self._codex_home):
                    await self._renew(self._http)
        return True

    async def _renew_if_due(self) -> None:
        if self.mode != "chatgpt" or self._http is None or self._stored is None:
            return
        from app_server.auth.refresh import is_due

        if is_due(self._stored, clock.now()):
            try:
                await self.refresh()
            except RefreshFailed as failure:
                level = logging.DEBUG if self._was_told(failure) else logging.WARNING
                log.log(level, "tokens not renewed: %s", failure)

    def _was_told(self, failure: RefreshFailed) -> bool:
        was_told = failure is self._last_told
        self._last_told = failure
        return was_told

    async def _renew(self, http: Http) -> None:
        import asyncio

        from app_server.auth.refresh import renewed

        before, used = self._stored, self.credentials
        await asyncio.to_thread(self.reload)
        self._check_account(used.account_id if used else None)
        now = self._stored
        if now is None or now.tokens is None or before is None or now.tokens != before.tokens:
            return  # another process has renewed them
        spent = now.tokens.refresh_token
        if spent in self._final_failures:
            raise self._final_failures[spent]
        try:
            fresh = await renewed(now, http, self._environment, clock.utc_timestamp())
        except RefreshFailed as failure:
            if failure.is_final:
                self._final_failures[spent] = failure
            raise
        await asyncio.to_thread(self._keep_renewed, fresh)
        log.info("tokens renewed")

    def _keep_renewed(self, fresh: StoredAuth) -> None:
        with self._changing:
            self._unsaved = fresh
            try:
                self.keep(fresh)
                self._unsaved = None
            except StoreFailed as failure:
                log.warning("renewed tokens live in memory only: %s", failure)
                self._look_up()

    def _newest(self, loaded: StoredAuth | None) -> StoredAuth | None:
        """Renewed tokens that could not be stored stand in for the spent ones they came from."""
        unsaved = self._unsaved
        if unsaved is None or loaded is None or loaded.tokens is None or unsaved.tokens is None:
            return loaded
        is_spent = (loaded.last_refresh or "") < (unsaved.last_refresh or "")
        is_same_account = loaded.tokens.account_id == unsaved.tokens.account_id
        return unsaved if is_spent and is_same_account else loaded

    async def _ask_host(self, before: Credentials) -> bool:
        """New tokens from the host; requests that need them at once share one question."""
        import asyncio

        if self.ask_host is None:
            return False
        self._renewing = self._renewing or asyncio.Lock()
        async with self._renewing:
            if self._credentials == before:
                fresh = await self.ask_host(before.account_id)
                await asyncio.to_thread(self.login_with_host_tokens, fresh)
        return self.is_lent

    def _check_account(self, account_id: str | None) -> None:
        """Raises `RefreshFailed` unless the account in use is still this one."""
        found = self._credentials
        if found is None or found.mode != "chatgpt" or found.account_id != account_id:
            from app_server.auth.refresh import OTHER_ACCOUNT

            raise RefreshFailed(OTHER_ACCOUNT, is_final=True)


def _are_our_own(stored: StoredAuth) -> bool:
    return stored.tokens is not None and stored.auth_mode in (None, "chatgpt")


def _uses_login(provider: ProviderNeeds) -> bool:
    return (
        provider.requires_openai_auth and provider.env_key is None and provider.bearer_token is None
    )
