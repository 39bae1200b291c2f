"""Whatever comes from outside, reading it ends in a value or in the one error that is promised."""

import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app_server.auth.account_service import read_limits
from app_server.auth.backend import Reply
from app_server.auth.browser_login import read_query
from app_server.auth.errors import BadToken
from app_server.auth.tokens import Claims, read_claims
from app_server.cli.secret_prompt import after_keys
from app_server.rpc.codec import server_codec
from app_server.rpc.frames import NotificationFrame

FEW = settings(max_examples=40)

TEXT = st.text('aZ0._-+/=&?%:#\x00\x1b\n\r\x7fé€\u202e😀"{}[] ', max_size=40)
"""What matters to those who read it; all of Unicode takes seconds to look through."""

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
AUTH = "https://api.openai.com/auth"
CLAIMS = st.dictionaries(st.sampled_from(["email", "exp", AUTH, "other"]), JSON)
USAGE = st.dictionaries(
    st.sampled_from(
        ["plan_type", "rate_limit", "additional_rate_limits", "credits", "rate_limit_reached_type"]
    ),
    JSON
    | st.fixed_dictionaries(
        {
            "primary_window": st.dictionaries(
                st.sampled_from(["used_percent", "limit_window_seconds", "reset_at"]), JSON
            )
        }
    ),
)


@FEW
@given(TEXT)
def test_any_text_as_a_token(token: str) -> None:
    with suppress(BadToken):
        assert isinstance(read_claims(token), Claims)


@FEW
@given(CLAIMS)
def test_any_claims_in_a_token(claims: dict[str, Any]) -> None:
    body = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    found = read_claims(f"h.{body}.s")
    assert all((each or "x").isprintable() for each in (found.email, found.plan, found.account_id))


@FEW
@given(USAGE)
def test_any_usage_becomes_limits_that_can_be_sent(usage: dict[str, Any]) -> None:
    codec = server_codec()
    for limit in read_limits(usage):
        assert codec.encode(NotificationFrame("account/rateLimits/updated", limit))


@FEW
@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_answer_of_a_service_has_words(status: int, body: bytes) -> None:
    reply = Reply(status, body)
    assert reply.detail().isprintable()
    assert reply.detail()
    assert isinstance(reply.json, dict)
    assert reply.status_line.startswith(str(status))


@FEW
@given(TEXT)
def test_any_pasted_line(line: str) -> None:
    assert all(isinstance(value, str) for value in read_query(line).values())


@FEW
@given(TEXT, TEXT)
def test_any_keys_leave_a_text_that_can_be_shown(text: str, keys: str) -> None:
    before = "".join(char for char in text if char.isprintable())
    after, _ = after_keys(before, keys)
    assert after == "" or after.isprintable()
