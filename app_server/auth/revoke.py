"""Giving tokens back when signing out, so that a copy of them is worth nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from app_server.auth.backend import Http, client_id, revoke_url
from app_server.auth.errors import Unreachable
from app_server.auth.store import StoredAuth

log = logging.getLogger(__name__)

REVOKE_TIMEOUT_SECONDS = 10.0
"""Signing out must not hang on a service that is down."""


async def revoke(stored: StoredAuth, http: Http, environment: Mapping[str, str]) -> None:
    """Best effort: a failure is logged and nothing more."""
    tokens = stored.tokens
    if tokens is None:
        return
    if tokens.refresh_token:
        question = {
            "token": tokens.refresh_token,
            "token_type_hint": "refresh_token",
            "client_id": client_id(environment),
        }
    else:
        question = {"token": tokens.access_token, "token_type_hint": "access_token"}
    try:
        reply = await http.post(
            revoke_url(environment), json=question, timeout_seconds=REVOKE_TIMEOUT_SECONDS
        )
    except Unreachable as problem:
        log.warning("tokens could not be revoked: %s", problem)
        return
    if not reply.is_success:
        log.warning("tokens could not be revoked: %s", reply.status_line)
