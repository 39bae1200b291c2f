"""Keys and tokens stay where they are kept, whatever goes wrong; nowhere else is one found."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.auth.store import FileStore, StoredAuth, Tokens
from app_server.demo.provider import ScriptedModel
from app_server.protocol.account import (
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ApiKeyLoginAccountParams,
    ChatgptAuthTokensLoginAccountParams,
    ChatgptAuthTokensRefreshResponse,
    CompleteLoginAccountParams,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.legacy import GetAuthStatusResponse, LoginApiKeyParams
from app_server.protocol.rate_limits import ACCOUNT_RATE_LIMITS_READ
from tests.conftest import ROOT
from tests.server.connector import Connector
from tests.server.signing_in import begin, visit
from tests.support.conversation import Conversation
from tests.support.issuer import Issuer, jwt
from tests.support.model_server import fails_with, provider_toml, says

ACCESS, FRESH, LENT = jwt(n="planted-1"), jwt(n="planted-2"), jwt(n="planted-3")
REFRESH, KEY = "planted-refresh-secret-0", "sk-planted-key-0123456789"
SECRETS = (ACCESS, FRESH, LENT, REFRESH, KEY, "planted")


@pytest.fixture
def home(codex_home: Path, model: ScriptedModel, issuer: Issuer) -> Path:
    """A home with a sign-in; model and backend on loopback, which repeat what they refuse."""
    settings = f'chatgpt_base_url = "{issuer.url}/backend-api"\n' + provider_toml(model)
    (codex_home / "config.toml").write_text(settings + "requires_openai_auth = true\n")
    tokens = Tokens(
        id_token=ACCESS, access_token=ACCESS, refresh_token=REFRESH, account_id="acct-1"
    )
    FileStore(codex_home).save(StoredAuth(auth_mode="chatgpt", tokens=tokens))
    return codex_home


def quotes(*secrets: str) -> dict[str, Any]:
    return {"error": {"message": f"refused: {' and '.join(secrets)}"}}


async def everything_that_can_go_wrong(
    conversation: Conversation, model: ScriptedModel, issuer: Issuer
) -> list[str]:
    """Plays refusals of every kind; returns the errors of calls."""
    client, problems = conversation.client, []
    model.script(
        *(fails_with(401, quotes(ACCESS)) for _ in range(2)),
        fails_with(400, quotes(KEY)),
        says("done"),
        default=fails_with(401, quotes(KEY)),
    )
    issuer.refuse("/oauth/token", 400, quotes(REFRESH, ACCESS))
    await conversation.say("with tokens that are refused")
    await conversation.ended()
    for path in ("/backend-api/wham/usage", "/backend-api/wham/usage", "/oauth/token"):
        issuer.refuse(path, 401, quotes(REFRESH if "oauth" in path else ACCESS))
    try:
        await client.request(ACCOUNT_RATE_LIMITS_READ)
    except RpcError as problem:
        problems.append(problem.message)
    await client.request(ACCOUNT_LOGIN_START, ApiKeyLoginAccountParams(api_key=KEY))
    for words in ("with a key that is refused", "with a key", "with a key, again"):
        await conversation.say(words)
        await conversation.ended()
    back = issuer.authorize((await begin(client)).auth_url)
    issuer.refuse("/oauth/token", 500, quotes(back.partition("code=")[2]))
    await visit(back)
    await client.request(ACCOUNT_LOGOUT)
    lent = ChatgptAuthTokensLoginAccountParams(access_token=LENT, chatgpt_account_id="acct-1")
    await client.request(ACCOUNT_LOGIN_START, lent)
    broken = msgspec.structs.replace(lent, access_token=f"{KEY} is no token")
    try:
        await client.request(ACCOUNT_LOGIN_START, broken)
    except RpcError as problem:
        problems.append(problem.message)
    await client.request(ACCOUNT_LOGOUT)
    return problems


async def test_no_secret_is_found_in_logs_errors_events_rollouts_or_any_other_file(
    home: Path,
    model: ScriptedModel,
    issuer: Issuer,
    connect: Connector,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="app_server")
    conversation = await Conversation.begin(
        await connect(), approval_policy="never", sandbox="danger-full-access"
    )
    problems = await everything_that_can_go_wrong(conversation, model, issuer)
    assert len(problems) == 2
    places = {
        "logs": caplog.text,
        "errors": "\n".join(problems),
        "events": "\n".join(map(repr, conversation.heard)),
        **{
            str(path.relative_to(home)): path.read_text("utf-8", "replace")
            for path in home.rglob("*")
            if path.is_file()
        },
    }
    assert "auth.json" not in places
    assert any(name.startswith("sessions/") for name in places)
    assert "refused: …" in places["events"]
    assert [(name, s) for name, text in places.items() for s in SECRETS if s in text] == []


@pytest.mark.parametrize(
    "value",
    [
        ApiKeyLoginAccountParams(api_key=KEY),
        LoginApiKeyParams(api_key=KEY),
        ChatgptAuthTokensLoginAccountParams(access_token=LENT, chatgpt_account_id="acct-1"),
        ChatgptAuthTokensRefreshResponse(access_token=LENT, chatgpt_account_id="acct-1"),
        CompleteLoginAccountParams(login_id="1", callback_url="http://localhost/?code=planted"),
        GetAuthStatusResponse(auth_token=KEY),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_with_a_secret_in_it_shows_nothing_of_it(value: msgspec.Struct) -> None:
    assert [secret for secret in SECRETS if secret in repr(value)] == []
    assert repr(value).startswith(type(value).__name__)


def test_no_recorded_picture_or_conversation_holds_a_secret_of_the_tests() -> None:
    found = [
        path
        for path in (ROOT / "snapshots").rglob("*")
        if path.is_file() and b"planted" in path.read_bytes()
    ]
    assert found == []
