"""From an authorization code to a sign-in: the steps browser and device sign-in share."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from os import urandom

import msgspec

from app_server.auth.backend import CLIENT_ID, ISSUER, Http, client_id, issuer_url
from app_server.auth.errors import AuthError, BadToken, LoginFailed
from app_server.auth.json_text import NotReadable, read_json
from app_server.auth.store import StoredAuth, Tokens
from app_server.auth.tokens import read_claims

log = logging.getLogger(__name__)


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Where one signs in, and as which program."""

    url: str = ISSUER
    client_id: str = CLIENT_ID

    @property
    def token_url(self) -> str:
        return f"{self.url.rstrip('/')}/oauth/token"


def issuer_from(environment: Mapping[str, str]) -> Issuer:
    """OpenAI's, unless the environment names another place or program, as tests do."""
    return Issuer(
        url=issuer_url(environment),
        client_id=client_id(environment),
    )


def random_text(size_bytes: int) -> str:
    """Unguessable, base64url without padding."""
    return urlsafe_b64encode(urandom(size_bytes)).rstrip(b"=").decode("ascii")


def challenge_for(verifier: str) -> str:
    """The PKCE challenge (S256) of a verifier."""
    digest = sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class _Granted(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str
    refresh_token: str


async def exchange_code(
    http: Http, issuer: Issuer, *, code: str, redirect_uri: str, verifier: str
) -> Tokens:
    """The tokens an authorization code stands for. Raises `LoginFailed` or `Unreachable`."""
    reply = await http.post(
        issuer.token_url,
        form={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": issuer.client_id,
            "code_verifier": verifier,
        },
    )
    if not reply.is_success:
        detail = reply.detail(code, verifier)
        raise LoginFailed(f"token endpoint returned status {reply.status_line}: {detail}")
    try:
        granted = read_json(reply.body, _Granted)
    except NotReadable:
        raise LoginFailed("token endpoint gave an answer without the three tokens") from None
    return Tokens(
        id_token=granted.id_token,
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
    )


async def obtain_api_key(http: Http, issuer: Issuer, id_token: str) -> str | None:
    """An API key for the account, where it may have one; a refusal is no failure."""
    try:
        reply = await http.post(
            issuer.token_url,
            form={
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "client_id": issuer.client_id,
                "requested_token": "openai-api-key",
                "subject_token": id_token,
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            },
        )
    except AuthError as problem:
        log.info("no API key for this account: %s", problem)
        return None
    key = reply.json.get("access_token") if reply.is_success else None
    return key if isinstance(key, str) and key else None


def signed_in(
    tokens: Tokens, *, api_key: str | None, workspace_id: str | None, timestamp: str
) -> StoredAuth:
    """The sign-in to store. Raises `LoginFailed` for a workspace other than the allowed one."""
    try:
        account_id = read_claims(tokens.id_token).account_id
    except BadToken as problem:
        raise LoginFailed(str(problem)) from problem
    if workspace_id is not None and account_id != workspace_id:
        raise LoginFailed(f"Login is restricted to workspace id {workspace_id}.")
    return StoredAuth(
        auth_mode="chatgpt",
        api_key=api_key,
        tokens=msgspec.structs.replace(tokens, account_id=account_id),
        last_refresh=timestamp,
    )
