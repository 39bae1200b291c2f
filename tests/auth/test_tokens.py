"""What tokens say of their owner."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from app_server.auth.errors import BadToken
from app_server.auth.tokens import Claims, plan_type, read_claims


def jwt(claims: Any) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"header.{body}.signature"


AUTH = "https://api.openai.com/auth"

READ: list[tuple[dict[str, Any], Claims]] = [
    ({}, Claims()),
    ({"email": "a@b", "exp": 17.5}, Claims(email="a@b", expires_at=17)),
    ({"https://api.openai.com/profile": {"email": "p@b"}}, Claims(email="p@b")),
    (
        {
            AUTH: {
                "chatgpt_plan_type": "Pro",
                "user_id": "u",
                "chatgpt_account_id": "acct",
            }
        },
        Claims(plan="Pro", user_id="u", account_id="acct"),
    ),
    ({AUTH: {"chatgpt_user_id": "c", "user_id": "u"}}, Claims(user_id="c")),
    ({AUTH: "odd", "email": 5, "exp": "soon"}, Claims()),
    ({"exp": True, "email": "a@b\x1b[31m", AUTH: {"chatgpt_plan_type": "pro\n"}}, Claims()),
    ({"exp": 10**400, "email": "x" * 100_000}, Claims(email="x" * 100_000, expires_at=10**400)),
]


@pytest.mark.parametrize(("claims", "expected"), READ)
def test_claims_are_read(claims: dict[str, Any], expected: Claims) -> None:
    assert read_claims(jwt(claims)) == expected


@pytest.mark.parametrize("token", ["", "a", "a.b", "a..c", ".b.c", "a.b.c.d"])
def test_what_has_not_three_parts_is_no_token(token: str) -> None:
    with pytest.raises(BadToken, match="invalid ID token format"):
        read_claims(token)


def raw(content: str) -> str:
    return f"a.{urlsafe_b64encode(content.encode()).decode().rstrip('=')}.c"


UNREADABLE = [
    "a.!!.c",
    "a.b.c",
    "a.W10.c",
    "a._w.c",
    "a.e30!.c",
    "a.é.c",
    raw("[" * 300_000),
    raw('{"exp": 1e400}'),
]


@pytest.mark.parametrize("token", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_part_that_is_no_json_object_is_no_token(token: str) -> None:
    with pytest.raises(BadToken):
        read_claims(token)


@pytest.mark.parametrize(
    ("raw", "reported"),
    [
        ("free", "free"),
        ("go", "go"),
        ("Plus", "plus"),
        ("pro", "pro"),
        ("prolite", "prolite"),
        ("TEAM", "team"),
        ("business", "business"),
        ("self_serve_business_usage_based", "self_serve_business_usage_based"),
        ("enterprise_cbp_usage_based", "enterprise_cbp_usage_based"),
        ("enterprise", "enterprise"),
        ("HC", "enterprise"),
        ("edu", "edu"),
        ("education", "edu"),
        ("brand-new", "unknown"),
        (None, "unknown"),
    ],
)
def test_plans_are_reported_by_the_names_clients_know(raw: str | None, reported: str) -> None:
    assert plan_type(raw) == reported
