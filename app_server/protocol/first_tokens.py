"""The first shape in which hosts lent their ChatGPT tokens: an ID token that names the account.

Looked for only where today's shape did not fit, so it costs nobody else anything and is no part of
the schema. The ID token's claims give what today's shape says by itself; a token without them is in
neither shape. Read, not verified, as all tokens are here.
"""

from base64 import urlsafe_b64decode
from typing import Any

import msgspec

from app_server.protocol.account import (
    ChatgptAuthTokensLoginAccountParams,
    ChatgptAuthTokensRefreshResponse,
    LoginAccountParams,
    hidden,
)
from app_server.protocol.decode import read


class _FirstAnswer(msgspec.Struct, rename="camel"):
    id_token: str
    access_token: str

    __repr__ = hidden


class _FirstLogin(_FirstAnswer, rename="camel", tag_field="type", tag="chatgptAuthTokens"): ...


class _AuthClaim(msgspec.Struct):
    chatgpt_account_id: str
    chatgpt_plan_type: str | None = None


class _Claims(msgspec.Struct):
    auth: _AuthClaim = msgspec.field(name="https://api.openai.com/auth")


def in_todays_shape(kind: Any, source: Any) -> Any | None:
    """What was meant, as a value of `kind`; None if it is not in the first shape either."""
    first: type[_FirstAnswer]
    today: type[ChatgptAuthTokensLoginAccountParams | ChatgptAuthTokensRefreshResponse]
    if kind is LoginAccountParams:
        first, today = _FirstLogin, ChatgptAuthTokensLoginAccountParams
    elif kind is ChatgptAuthTokensRefreshResponse:
        first, today = _FirstAnswer, ChatgptAuthTokensRefreshResponse
    else:
        return None
    try:
        given: _FirstAnswer = read(first, source)
        claims = _claims(given.id_token)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return today(
        access_token=given.access_token,
        chatgpt_account_id=claims.chatgpt_account_id,
        chatgpt_plan_type=claims.chatgpt_plan_type,
    )


def _claims(id_token: str) -> _AuthClaim:
    """Raises `ValueError` for what is no token, or names no account."""
    _, payload, _ = id_token.split(".")
    content = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return msgspec.json.decode(content, type=_Claims).auth
