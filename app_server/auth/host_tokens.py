"""Tokens that a host application owns and lends us: kept in memory, renewed by asking it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from app_server.auth.errors import BadToken
from app_server.auth.store import StoredAuth, Tokens
from app_server.auth.tokens import read_claims


class HostTokens(msgspec.Struct, frozen=True, kw_only=True):
    """What the host hands over."""

    access_token: str
    account_id: str
    plan: str | None = None
    """None: what the token says."""

    def __repr__(self) -> str:
        return f"HostTokens(account_id={self.account_id!r}, …)"


AskHost: TypeAlias = Callable[[str | None], Awaitable[HostTokens]]
"""Asks the host for new tokens, given the account in use; raises `RefreshFailed`."""


def as_stored(lent: HostTokens, timestamp: str) -> StoredAuth:
    """In the form of any other sign-in. Raises `BadToken`.

    The access token stands in for the ID token: the host gives no other.
    """
    try:
        claims = read_claims(lent.access_token)
    except BadToken as problem:
        raise BadToken(f"failed to set external auth: {problem}") from problem
    return StoredAuth(
        auth_mode="chatgptAuthTokens",
        tokens=Tokens(
            id_token=lent.access_token,
            access_token=lent.access_token,
            account_id=lent.account_id,
        ),
        last_refresh=timestamp,
        plan=lent.plan or claims.plan or "unknown",
    )
