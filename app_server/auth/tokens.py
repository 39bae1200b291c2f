"""What a ChatGPT token says of its owner. Read, not verified: the service does that.

A JWT is three parts joined by dots; the middle one is base64url JSON.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from app_server.auth.errors import BadToken
from app_server.auth.json_text import NotReadable, read_json

if TYPE_CHECKING:
    from app_server.protocol.account import PlanType

_AUTH_CLAIM = "https://api.openai.com/auth"
_PROFILE_CLAIM = "https://api.openai.com/profile"

_TO_BASE64 = str.maketrans("-_+/", "+/--")
"""Of the url-safe alphabet, which has no place for the two it replaces."""

_PLANS: dict[str, PlanType] = {
    "free": "free",
    "go": "go",
    "plus": "plus",
    "pro": "pro",
    "prolite": "prolite",
    "team": "team",
    "business": "business",
    "self_serve_business_usage_based": "self_serve_business_usage_based",
    "enterprise_cbp_usage_based": "enterprise_cbp_usage_based",
    "enterprise": "enterprise",
    "hc": "enterprise",
    "edu": "edu",
    "education": "edu",
}


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Who a token belongs to."""

    email: str | None = None
    plan: str | None = None
    """As the token words it."""
    user_id: str | None = None
    account_id: str | None = None
    expires_at: int | None = None
    """Unix seconds."""

    @property
    def plan_type(self) -> PlanType:
        return plan_type(self.plan)


def plan_type(plan: str | None) -> PlanType:
    """The plan as clients know it."""
    return _PLANS.get((plan or "").lower(), "unknown")


def read_claims(token: str) -> Claims:
    """Raises `BadToken`."""
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadToken("invalid ID token format")
    payload = parts[1].translate(_TO_BASE64)
    try:
        padded = payload + "=" * (-len(payload) % 4)
        content = binascii.a2b_base64(padded, strict_mode=True)
        claims = read_json(content, dict[str, Any])
    except (binascii.Error, NotReadable, ValueError):
        raise BadToken("the ID token's content is not a JSON object in base64") from None
    auth = _object(claims.get(_AUTH_CLAIM))
    expires = claims.get("exp")
    return Claims(
        email=_text(claims.get("email")) or _text(_object(claims.get(_PROFILE_CLAIM)).get("email")),
        plan=_text(auth.get("chatgpt_plan_type")),
        user_id=_text(auth.get("chatgpt_user_id")) or _text(auth.get("user_id")),
        account_id=_text(auth.get("chatgpt_account_id")),
        expires_at=int(expires) if _is_number(expires) else None,
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """A text that may be shown in a terminal."""
    return value if isinstance(value, str) and value and value.isprintable() else None


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
