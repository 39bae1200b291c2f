"""A sign-in in use: what a stored one amounts to, and how it is described to clients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from app_server.auth.errors import BadToken, IncompleteAccount
from app_server.auth.secret import Secret
from app_server.auth.store import StoredAuth
from app_server.auth.tokens import Claims, plan_type, read_claims

if TYPE_CHECKING:
    from app_server.protocol.account import Account, AuthMode, PlanType

log = logging.getLogger(__name__)

CHATGPT_MODES = ("chatgpt", "chatgptAuthTokens", "agentIdentity")

Source: TypeAlias = Literal["CODEX_API_KEY", "OPENAI_API_KEY", "store", "host"]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in and by what."""

    mode: AuthMode
    bearer: Secret
    source: Source
    account_id: str | None = None
    email: str | None = None
    plan: str | None = None
    """As the token words it; None for API keys."""

    @property
    def uses_chatgpt_backend(self) -> bool:
        return self.mode in CHATGPT_MODES

    @property
    def identity(self) -> tuple[AuthMode, str | None]:
        """What stays the same when tokens are renewed."""
        return self.mode, self.account_id

    @property
    def plan_type(self) -> PlanType | None:
        return plan_type(self.plan) if self.uses_chatgpt_backend else None

    @property
    def account(self) -> Account:
        """As clients are told. Raises `IncompleteAccount`."""
        from app_server.protocol.account import ApiKeyAccount, ChatgptAccount

        if not self.uses_chatgpt_backend:
            return ApiKeyAccount()
        if self.email is None or self.plan is None:
            raise IncompleteAccount
        return ChatgptAccount(email=self.email, plan_type=plan_type(self.plan))


def is_usable(key: str) -> bool:
    """Whether this may stand in a header; anything else would be refused with the key quoted."""
    return bool(key) and key.isascii() and key.isprintable() and " " not in key


def from_key(key: str, source: Source) -> Credentials | None:
    """None for a blank key."""
    key = key.strip()
    return Credentials(mode="apikey", bearer=Secret(key), source=source) if key else None


def from_stored(stored: StoredAuth | None, source: Source) -> Credentials | None:
    """What a stored sign-in amounts to; None if something essential is missing."""
    if stored is None:
        return None
    mode = stored.auth_mode or ("apikey" if stored.api_key is not None else "chatgpt")
    if mode == "apikey":
        return from_key(stored.api_key or "", source)
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
        account_id=_header_text(tokens.account_id) or _header_text(claims.account_id),
        email=claims.email,
        plan=stored.plan or claims.plan,
    )


def _header_text(account_id: str | None) -> str | None:
    return account_id if account_id is not None and is_usable(account_id) else None
