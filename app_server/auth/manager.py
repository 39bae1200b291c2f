"""Who is signed in, and what that adds to a request.

Looked for in this order: the key in `CODEX_API_KEY`, tokens a host application lent us, what the
store holds, the key in `OPENAI_API_KEY`. The answer is kept until `reload`, a login or a logout.
Light on purpose: it is asked before the first frame is painted.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from app_server.auth.errors import BadToken, IncompleteAccount, MissingKey
from app_server.auth.secret import Secret
from app_server.auth.store import FileStore, MemoryStore, Store, StoredAuth
from app_server.auth.tokens import Claims, plan_type, read_claims
from app_server.protocol.account import (
    Account,
    ApiKeyAccount,
    AuthMode,
    ChatgptAccount,
    GetAccountResponse,
    PlanType,
)

log = logging.getLogger(__name__)

CHATGPT_MODES = ("chatgpt", "chatgptAuthTokens", "agentIdentity")


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in in use."""

    mode: AuthMode
    bearer: Secret
    source: Literal["CODEX_API_KEY", "OPENAI_API_KEY", "store", "host"]
    account_id: str | None = None
    email: str | None = None
    plan: str | None = None
    """As the token words it; None for API keys."""

    @property
    def uses_chatgpt_backend(self) -> bool:
        return self.mode in CHATGPT_MODES

    @property
    def plan_type(self) -> PlanType | None:
        return plan_type(self.plan) if self.uses_chatgpt_backend else None


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


class AuthSource(Protocol):
    """Where the model client gets its credentials."""

    async def headers(self, provider: ProviderNeeds) -> dict[str, str]:
        """Headers for one request; none for a provider that needs none. Raises `MissingKey`."""
        ...

    async def recover(self, provider: ProviderNeeds, attempt: int) -> bool:
        """Look for better credentials after a 401; False when nothing is left to try.

        `attempt` counts the recoveries already made for this request.
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
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._store: Store = store or FileStore(codex_home)
        self._lent = MemoryStore()
        self._loaded = False
        self._credentials: Credentials | None = None

    @property
    def credentials(self) -> Credentials | None:
        """The sign-in in use; None when signed out."""
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

    def reload(self) -> None:
        """Look again: another process may have signed in or out."""
        self._credentials = self._look()
        self._loaded = True

    def account(self, *, requires_openai_auth: bool) -> GetAccountResponse:
        """The answer to `account/read`, for a provider that needs an OpenAI sign-in or does not.

        Signed out is an account of None with `requires_openai_auth`. Raises `IncompleteAccount`.
        """
        account = _account(self.credentials) if requires_openai_auth else None
        return GetAccountResponse(account=account, requires_openai_auth=requires_openai_auth)

    def login_with_api_key(self, key: str) -> None:
        """Keep the key; it is not tried out. Raises `StoreFailed`."""
        self._lent.delete()
        self._store.save(StoredAuth(auth_mode="apikey", api_key=key.strip()))
        log.info("signed in with an API key")
        self.reload()

    def logout(self) -> bool:
        """Forget the sign-in; whether there was one to forget. Raises `StoreFailed`.

        A key in the environment stays in use: it is not ours to remove.
        """
        was_lent = self._lent.delete()
        was_stored = self._store.delete()
        log.info("signed out")
        self.reload()
        return was_lent or was_stored

    async def headers(self, provider: ProviderNeeds) -> dict[str, str]:
        """Headers for one request; none for a provider that needs none. Raises `MissingKey`."""
        if provider.env_key is not None:
            key = self._environment.get(provider.env_key, "").strip()
            if not key:
                raise MissingKey(provider.env_key, provider.env_key_instructions)
            return {"authorization": f"Bearer {key}"}
        if provider.bearer_token is not None:
            return {"authorization": f"Bearer {provider.bearer_token}"}
        found = self.credentials
        if not _uses_login(provider) or found is None:
            return {}
        headers = {"authorization": f"Bearer {found.bearer.reveal()}"}
        if found.uses_chatgpt_backend and found.account_id:
            headers["chatgpt-account-id"] = found.account_id
        return headers

    async def recover(self, provider: ProviderNeeds, attempt: int) -> bool:
        """Look for better credentials after a 401; False when nothing is left to try.

        A key does not get better. Own tokens may have been renewed by another process, of the same
        account.
        """
        before = self.credentials
        if before is None or before.mode != "chatgpt" or not _uses_login(provider) or attempt > 0:
            return False
        self.reload()
        after = self._credentials
        return after is not None and after.account_id == before.account_id

    def _look(self) -> Credentials | None:
        key = self._environment.get("CODEX_API_KEY", "").strip()
        if key:
            return Credentials(mode="apikey", bearer=Secret(key), source="CODEX_API_KEY")
        lent = self._lent.load()
        if lent is not None and (found := _credentials(lent, "host")):
            return found
        stored = self._store.load()
        if stored is not None and (found := _credentials(stored, "store")):
            return found
        key = self._environment.get("OPENAI_API_KEY", "").strip()
        if key:
            return Credentials(mode="apikey", bearer=Secret(key), source="OPENAI_API_KEY")
        return None


def _uses_login(provider: ProviderNeeds) -> bool:
    return (
        provider.requires_openai_auth and provider.env_key is None and provider.bearer_token is None
    )


def _credentials(stored: StoredAuth, source: Literal["store", "host"]) -> Credentials | None:
    """What a stored sign-in amounts to; None if something essential is missing."""
    mode = stored.auth_mode or ("apikey" if stored.api_key is not None else "chatgpt")
    if mode == "apikey":
        key = (stored.api_key or "").strip()
        return Credentials(mode="apikey", bearer=Secret(key), source=source) if key else None
    tokens = stored.tokens
    if mode not in ("chatgpt", "chatgptAuthTokens") or tokens is None or not tokens.access_token:
        return None
    try:
        claims = read_claims(tokens.id_token)
    except BadToken:
        log.warning("the stored ID token cannot be read")
        claims = Claims()
    return Credentials(
        mode="chatgpt" if mode == "chatgpt" else "chatgptAuthTokens",
        bearer=Secret(tokens.access_token),
        source=source,
        account_id=tokens.account_id or claims.account_id,
        email=claims.email,
        plan=claims.plan,
    )


def _account(found: Credentials | None) -> Account | None:
    if found is None:
        return None
    if not found.uses_chatgpt_backend:
        return ApiKeyAccount()
    if found.email is None or found.plan is None:
        raise IncompleteAccount
    return ChatgptAccount(email=found.email, plan_type=plan_type(found.plan))
