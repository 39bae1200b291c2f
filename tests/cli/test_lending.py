"""The terminal's answer when its server asks for new tokens: those of the home's sign-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app_server.auth.store import FileStore, StoredAuth, Tokens
from app_server.cli.lending import HomeLender, LendingChannel, lend_nothing_in_the_open
from app_server.cli.options import parse
from app_server.cli.remote import Remote
from app_server.protocol.account import (
    ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH,
    ChatgptAuthTokensRefreshParams,
    ChatgptAuthTokensRefreshResponse,
)
from app_server.protocol.decode import decode_result
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.notices import WarningNotification
from app_server.rpc.channel import LocalChannel, local_pair
from app_server.rpc.frames import ErrorFrame, NotificationFrame, RequestFrame, ResultFrame
from tests.support.issuer import Issuer, jwt

QUESTION = RequestFrame(
    7,
    ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH.name,
    ChatgptAuthTokensRefreshParams(reason="unauthorized", previous_account_id="acct-1"),
)
NOTICE = NotificationFrame("warning", WarningNotification(message="the next frame"))


@pytest.fixture
def signed_in(codex_home: Path) -> str:
    """The access token of this home's sign-in."""
    access = jwt(n="stored")
    tokens = Tokens(id_token=jwt(), access_token=access, refresh_token="r", account_id="acct-1")
    FileStore(codex_home).save(StoredAuth(auth_mode="chatgpt", tokens=tokens))
    return access


@pytest.fixture(params=[False, True], ids=["typed", "json"])
async def server(
    codex_home: Path, workspace: Path, request: pytest.FixtureRequest
) -> AsyncIterator[LocalChannel]:
    """The server's end; the terminal at the other one reads until it gets a notice."""
    client_end, server_end = local_pair(through_json=request.param)
    lender = HomeLender(codex_home, parse(["login", "-C", str(workspace)]))
    terminal = LendingChannel(client_end, lender)
    await server_end.send(QUESTION)
    await server_end.send(NOTICE)
    assert await terminal.receive() == NOTICE
    yield server_end
    await terminal.close()


async def answer_of(server: LocalChannel) -> ChatgptAuthTokensRefreshResponse:
    frame = await server.receive()
    assert isinstance(frame, ResultFrame)
    assert frame.id == QUESTION.id
    if isinstance(frame.result, ChatgptAuthTokensRefreshResponse):
        return frame.result
    return decode_result(ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH, frame.result)


async def refusal_of(server: LocalChannel) -> str:
    frame = await server.receive()
    assert isinstance(frame, ErrorFrame)
    return frame.error.message


async def test_the_stored_tokens_are_lent_and_the_interface_sees_nothing_of_it(
    signed_in: str, server: LocalChannel
) -> None:
    assert await answer_of(server) == ChatgptAuthTokensRefreshResponse(
        access_token=signed_in, chatgpt_account_id="acct-1", chatgpt_plan_type="pro"
    )


async def test_what_was_lent_before_is_renewed_first(
    signed_in: str, codex_home: Path, workspace: Path, issuer: Issuer
) -> None:
    lender = HomeLender(codex_home, parse(["login", "-C", str(workspace)]))
    params = QUESTION.params
    assert isinstance(params, ChatgptAuthTokensRefreshParams)
    first = await lender(params)
    second = await lender(params)
    assert first.access_token == signed_in
    assert second.access_token != signed_in
    assert issuer.paths("/oauth/token") == ["/oauth/token"]


async def test_a_server_that_names_no_account_gets_nothing(
    signed_in: str, codex_home: Path, workspace: Path
) -> None:
    lender = HomeLender(codex_home, parse(["login", "-C", str(workspace)]))
    with pytest.raises(InvalidRequest, match="another account"):
        await lender(ChatgptAuthTokensRefreshParams(reason="unauthorized"))


async def test_nobody_signed_in_is_told(server: LocalChannel) -> None:
    assert await refusal_of(server) == "nobody is signed in with ChatGPT at this terminal"


@pytest.fixture
def elsewhere(codex_home: Path) -> None:
    tokens = Tokens(id_token=jwt("acct-2"), access_token=jwt("acct-2"), account_id="acct-2")
    FileStore(codex_home).save(StoredAuth(auth_mode="chatgpt", tokens=tokens))


@pytest.mark.usefixtures("elsewhere")
async def test_another_account_is_not_lent(server: LocalChannel) -> None:
    assert await refusal_of(server) == "another account is signed in at this terminal"


@pytest.fixture
def restricted(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('forced_chatgpt_workspace_id = "acct-9"\n')


@pytest.mark.usefixtures("restricted", "signed_in")
async def test_a_workspace_that_is_forbidden_is_not_lent(server: LocalChannel) -> None:
    assert "Login is restricted to workspace acct-9" in await refusal_of(server)


async def test_over_an_open_network_nothing_is_lent(signed_in: str) -> None:
    client_end, server_end = local_pair()
    terminal = LendingChannel(client_end, lend_nothing_in_the_open)
    await server_end.send(QUESTION)
    await server_end.send(NOTICE)
    assert await terminal.receive() == NOTICE
    assert await refusal_of(server_end) == "tokens are lent over wss://, unix:// or loopback only"
    await terminal.close()


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("ws://203.0.113.7:4500", False),
        ("ws://127.example.com:4500", False),
        ("ws://127.0.0.1:4500", True),
        ("ws://localhost:4500", True),
        ("wss://codex.example:4500", True),
        ("unix://", True),
        ("unix:///run/codex.sock", True),
    ],
)
def test_an_open_network_is_one_that_others_can_read(url: str, is_private: bool) -> None:
    assert Remote(url).is_private is is_private
