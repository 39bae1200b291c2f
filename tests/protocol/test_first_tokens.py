"""A host that still lends its tokens in the first shape is understood; today's words refuse it."""

import json
from typing import Any

import msgspec
import pytest

from app_server.protocol.account import (
    ACCOUNT_LOGIN_START,
    ChatgptAuthTokensLoginAccountParams,
    ChatgptAuthTokensRefreshResponse,
)
from app_server.protocol.decode import decode_params, read
from app_server.protocol.errors import InvalidRequest
from tests.support.issuer import jwt

FIRST = {"idToken": jwt("acct-7", "plus"), "accessToken": jwt(n="access")}


@pytest.mark.parametrize("written", [json.dumps, lambda value: value], ids=["bytes", "values"])
def test_the_id_token_says_whose_tokens_are_lent(written: Any) -> None:
    params = written({"type": "chatgptAuthTokens", **FIRST})
    source = params.encode() if isinstance(params, str) else params
    assert decode_params(ACCOUNT_LOGIN_START, source) == ChatgptAuthTokensLoginAccountParams(
        access_token=FIRST["accessToken"], chatgpt_account_id="acct-7", chatgpt_plan_type="plus"
    )


def test_new_tokens_may_come_in_the_first_shape_too() -> None:
    answer = msgspec.Raw(json.dumps(FIRST).encode())
    assert read(ChatgptAuthTokensRefreshResponse, answer) == ChatgptAuthTokensRefreshResponse(
        access_token=FIRST["accessToken"], chatgpt_account_id="acct-7", chatgpt_plan_type="plus"
    )


NAMING_NOBODY = ["", "a.b", "a.b.c", "a.é.c", "a." + "W" * 100_000 + ".c", "h.bnVsbA.s", "h.e30.s"]


@pytest.mark.parametrize("id_token", NAMING_NOBODY, ids=range(len(NAMING_NOBODY)))
def test_a_token_that_names_no_account_is_in_no_shape(id_token: str) -> None:
    params = {"type": "chatgptAuthTokens", **FIRST, "idToken": id_token}
    with pytest.raises(InvalidRequest, match="missing field `chatgptAccountId`"):
        decode_params(ACCOUNT_LOGIN_START, params)
