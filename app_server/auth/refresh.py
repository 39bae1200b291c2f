"""Renewing our own tokens: when it is due, what is asked, what a refusal means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from app_server.auth.backend import Http, client_id, refresh_url
from app_server.auth.errors import BadToken, RefreshFailed, Unreachable
from app_server.auth.json_text import NotReadable, read_json
from app_server.auth.store import StoredAuth, Tokens
from app_server.auth.tokens import read_claims

STALE_AFTER_SECONDS = 8 * 86_400
"""For access tokens that do not say when they end."""

_FAILED = "Your access token could not be refreshed"

OTHER_ACCOUNT = (
    f"{_FAILED} because you have since logged out or signed in to another account. "
    "Please sign in again."
)

_FINAL = {
    "refresh_token_expired": "your refresh token has expired",
    "refresh_token_reused": "your refresh token was already used",
    "refresh_token_invalidated": "your refresh token was revoked",
}


class _Renewed(msgspec.Struct, frozen=True):
    id_token: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None


def is_due(stored: StoredAuth, now: float) -> bool:
    """Whether the access token has ended or is old; `now` is Unix time."""
    tokens = stored.tokens
    if tokens is None or not tokens.refresh_token:
        return False
    try:
        ends_at = read_claims(tokens.access_token).expires_at
    except BadToken:
        ends_at = None
    if ends_at is not None:
        return ends_at <= now
    return now - _time_of(stored.last_refresh) > STALE_AFTER_SECONDS


async def renewed(
    stored: StoredAuth, http: Http, environment: Mapping[str, str], timestamp: str
) -> StoredAuth:
    """The sign-in with new tokens; those the service left out stay. Raises `RefreshFailed`."""
    assert stored.tokens is not None
    spent = stored.tokens.refresh_token
    question = {
        "client_id": client_id(environment),
        "grant_type": "refresh_token",
        "refresh_token": spent,
    }
    try:
        reply = await http.post(refresh_url(environment), json=question)
    except Unreachable as problem:
        raise RefreshFailed(f"Failed to refresh token: {problem}", is_final=False) from problem
    if not reply.is_success:
        text = reply.text(spent, stored.tokens.access_token)
        raise _failure(reply.status, reply.error_code(), reply.status_line, text)
    try:
        answer = read_json(reply.body, _Renewed)
    except NotReadable:
        raise RefreshFailed(
            "Failed to refresh token: the answer is not in the form we know", is_final=False
        ) from None
    if _is_of_another_account(answer.id_token, stored.tokens.account_id):
        raise RefreshFailed(OTHER_ACCOUNT, is_final=True)
    tokens = Tokens(
        id_token=answer.id_token or stored.tokens.id_token,
        access_token=answer.access_token or stored.tokens.access_token,
        refresh_token=answer.refresh_token or stored.tokens.refresh_token,
        account_id=stored.tokens.account_id,
    )
    return msgspec.structs.replace(stored, tokens=tokens, last_refresh=timestamp)


def _is_of_another_account(id_token: str | None, account_id: str | None) -> bool:
    """Whether the service has moved us to another workspace, which may be a forbidden one."""
    if id_token is None or account_id is None:
        return False
    try:
        named = read_claims(id_token).account_id
    except BadToken:
        return False
    return named is not None and named != account_id


def _failure(status: int, code: str | None, status_line: str, text: str) -> RefreshFailed:
    if code in _FINAL:
        because = _FINAL[code]
        return RefreshFailed(
            f"{_FAILED} because {because}. Please log out and sign in again.", is_final=True
        )
    if status == 401:
        return RefreshFailed(f"{_FAILED}. Please log out and sign in again.", is_final=True)
    return RefreshFailed(f"Failed to refresh token: {status_line}: {text}", is_final=False)


def _time_of(timestamp: str | None) -> float:
    """Unix time of an RFC 3339 text; 0 for none or one that cannot be read."""
    try:
        return datetime.fromisoformat((timestamp or "").replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
