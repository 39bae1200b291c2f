"""Who is signed in, from which place, and what a request gets from it."""

import logging
import pickle
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app_server.auth.credentials import Credentials
from app_server.auth.errors import IncompleteAccount, MissingKey, RefreshFailed, UnusableKey
from app_server.auth.manager import AuthManager
from app_server.auth.secret import Secret, masked
from app_server.auth.store import FileStore, StoredAuth, Tokens
from app_server.auth.token_command import TokenCommand
from app_server.protocol.account import ApiKeyAccount, ChatgptAccount, GetAccountResponse
from tests.auth.test_tokens import AUTH, jwt


class Needs(msgspec.Struct, frozen=True):
    env_key: str | None = None
    env_key_instructions: str | None = None
    bearer_token: str | None = None
    token_command: TokenCommand | None = None
    requires_openai_auth: bool = False


OPENAI = Needs(requires_openai_auth=True)


def chatgpt(**auth: str) -> StoredAuth:
    claims = {"email": "a@b", AUTH: {"chatgpt_plan_type": "pro", "chatgpt_account_id": "acct"}}
    tokens = Tokens(id_token=jwt(claims), access_token="access", refresh_token="r")
    return StoredAuth(auth_mode="chatgpt", tokens=tokens)


def manager(codex_home: Path, **environment: str) -> AuthManager:
    return AuthManager(codex_home, environment=environment)


def test_without_key_or_login_nobody_is_signed_in(codex_home: Path) -> None:
    auth = manager(codex_home, OPENAI_API_KEY="  ")
    assert auth.credentials is None
    assert auth.mode is None
    assert auth.account(requires_openai_auth=True) == GetAccountResponse(requires_openai_auth=True)


def test_a_stored_login_comes_between_the_two_keys_of_the_environment(codex_home: Path) -> None:
    both = {"CODEX_API_KEY": "codex", "OPENAI_API_KEY": "openai"}

    def in_use(**environment: str) -> tuple[str, str]:
        found = manager(codex_home, **environment).credentials
        assert found is not None
        return found.bearer.reveal(), found.source

    assert in_use(OPENAI_API_KEY=" openai\n") == ("openai", "OPENAI_API_KEY")
    FileStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="stored"))
    assert in_use(OPENAI_API_KEY="openai") == ("stored", "store")
    assert in_use(**both) == ("codex", "CODEX_API_KEY")


async def test_an_api_key_login_is_kept_and_used(codex_home: Path) -> None:
    auth = manager(codex_home)
    auth.login_with_api_key(" sk-new\n")
    assert FileStore(codex_home).load() == StoredAuth(auth_mode="apikey", api_key="sk-new")
    assert auth.mode == "apikey"
    assert auth.plan_type is None
    assert not auth.uses_chatgpt_backend
    assert await auth.headers(OPENAI) == {"authorization": "Bearer sk-new"}
    assert auth.account(requires_openai_auth=True) == GetAccountResponse(
        account=ApiKeyAccount(), requires_openai_auth=True
    )


async def test_a_chatgpt_login_of_the_original_is_used(codex_home: Path) -> None:
    FileStore(codex_home).save(chatgpt())
    auth = manager(codex_home)
    assert (auth.mode, auth.plan_type, auth.uses_chatgpt_backend) == ("chatgpt", "pro", True)
    assert await auth.headers(OPENAI) == {
        "authorization": "Bearer access",
        "chatgpt-account-id": "acct",
    }
    assert auth.account(requires_openai_auth=True) == GetAccountResponse(
        account=ChatgptAccount(email="a@b", plan_type="pro"), requires_openai_auth=True
    )


def test_a_chatgpt_login_without_e_mail_or_plan_cannot_be_described(codex_home: Path) -> None:
    FileStore(codex_home).save(
        StoredAuth(tokens=Tokens(id_token="no token", access_token="access"))
    )
    auth = manager(codex_home)
    assert auth.mode == "chatgpt"
    with pytest.raises(
        IncompleteAccount, match="email and plan type are required for chatgpt authentication"
    ):
        auth.account(requires_openai_auth=True)


def test_a_provider_that_needs_no_login_has_no_account(codex_home: Path) -> None:
    auth = manager(codex_home, CODEX_API_KEY="k")
    assert auth.account(requires_openai_auth=False) == GetAccountResponse(
        requires_openai_auth=False
    )


def test_signing_out_forgets_the_login_but_not_a_key_of_the_environment(codex_home: Path) -> None:
    auth = manager(codex_home, OPENAI_API_KEY="openai")
    assert auth.logout() is False
    auth.login_with_api_key("sk-new")
    assert auth.logout() is True
    assert not (codex_home / "auth.json").exists()
    assert auth.credentials is not None
    assert auth.credentials.source == "OPENAI_API_KEY"


def test_what_another_process_did_is_seen_after_a_reload(codex_home: Path) -> None:
    auth = manager(codex_home)
    assert auth.credentials is None
    FileStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="k"))
    assert auth.credentials is None
    auth.reload()
    assert auth.mode == "apikey"


@pytest.mark.parametrize(
    "stored",
    [
        StoredAuth(auth_mode="apikey"),
        StoredAuth(auth_mode="apikey", api_key="  "),
        StoredAuth(auth_mode="chatgpt"),
        StoredAuth(auth_mode="something-new", api_key="k"),
        StoredAuth(),
    ],
)
def test_a_login_that_lacks_something_is_none(codex_home: Path, stored: StoredAuth) -> None:
    FileStore(codex_home).save(stored)
    assert manager(codex_home).credentials is None


async def test_a_providers_own_key_wins_over_the_login(codex_home: Path) -> None:
    auth = manager(codex_home, CODEX_API_KEY="login", MY_KEY=" mine ")
    own = Needs(env_key="MY_KEY", requires_openai_auth=True)
    assert await auth.headers(own) == {"authorization": "Bearer mine"}
    assert await auth.headers(Needs(bearer_token="given")) == {"authorization": "Bearer given"}
    assert await auth.headers(Needs()) == {}
    assert await auth.headers(OPENAI) == {"authorization": "Bearer login"}


@pytest.mark.parametrize("value", [None, "", " \n"])
async def test_a_missing_key_is_named_with_the_providers_advice(
    codex_home: Path, value: str | None
) -> None:
    auth = AuthManager(codex_home, environment={} if value is None else {"MY_KEY": value})
    with pytest.raises(MissingKey, match=r"^Missing environment variable: `MY_KEY`\. Ask Ada\.$"):
        await auth.headers(Needs(env_key="MY_KEY", env_key_instructions="Ask Ada."))


async def test_a_key_does_not_get_better_by_trying_again(codex_home: Path) -> None:
    assert await manager(codex_home, CODEX_API_KEY="k").recovery(OPENAI).improve() is False


async def test_a_login_of_another_account_is_not_taken_over_after_a_401(codex_home: Path) -> None:
    store = FileStore(codex_home)
    store.save(chatgpt())
    auth = manager(codex_home)
    assert auth.mode == "chatgpt"
    assert await auth.recovery(OPENAI).improve() is True
    own_key = Needs(env_key="X", requires_openai_auth=True)
    assert await auth.recovery(own_key).improve() is False
    other = Tokens(id_token="x.e30.x", access_token="b", account_id="other")
    store.save(StoredAuth(auth_mode="chatgpt", tokens=other))
    with pytest.raises(RefreshFailed, match="signed in to another account"):
        await auth.recovery(OPENAI).improve()


def test_secrets_are_shown_to_nobody(codex_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        auth = manager(codex_home)
        auth.login_with_api_key("sk-very-secret")
    assert isinstance(auth.credentials, Credentials)
    assert "sk-very" not in f"{auth.credentials!r} {auth.credentials.bearer}"
    assert "sk-very" not in caplog.text
    with pytest.raises(TypeError):
        pickle.dumps(auth.credentials.bearer)
    assert Secret("a") == Secret("a") != Secret("b")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("", "***"),
        ("1234567890123", "***"),
        ("12345678901234", "12345678***01234"),
        ("sk-proj-abcdefgh12345", "sk-proj-***12345"),
    ],
)
def test_a_key_is_shown_by_its_ends(key: str, shown: str) -> None:
    assert masked(key) == shown


HEAVY = {
    "app_server.auth.keyring_store",
    "app_server.protocol.account",
    "asyncio",
    "hashlib",
    "httpx",
    "keyring",
    "ssl",
    "tempfile",
    "textual",
    "tomlkit",
}


def test_asking_who_is_signed_in_loads_nothing_heavy(codex_home: Path) -> None:
    FileStore(codex_home).save(chatgpt())
    program = (
        "import sys, pathlib\n"
        "from app_server.auth.manager import AuthManager\n"
        "from app_server.auth.store import open_store\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "auth = AuthManager(home, environment={}, store=open_store('file', home))\n"
        "assert auth.credentials.email == 'a@b'\n"
        f"sys.exit(str({HEAVY!r} & set(sys.modules)) if {HEAVY!r} & set(sys.modules) else 0)\n"
    )
    call = [sys.executable, "-c", program, str(codex_home)]
    subprocess.run(call, check=True, timeout=30)


WITH_ORIGIN: list[tuple[Needs, dict[str, str], str | None]] = [
    (OPENAI, {"CODEX_API_KEY": "k"}, "the environment variable CODEX_API_KEY"),
    (OPENAI, {"OPENAI_API_KEY": "k"}, "the environment variable OPENAI_API_KEY"),
    (OPENAI, {}, None),
    (Needs(env_key="MY_KEY"), {"OPENAI_API_KEY": "k"}, "the environment variable MY_KEY"),
    (Needs(bearer_token="b"), {}, "`experimental_bearer_token` in the settings"),
    (Needs(), {"OPENAI_API_KEY": "k"}, None),
]


@pytest.mark.parametrize(("needs", "environment", "origin"), WITH_ORIGIN)
async def test_a_key_is_known_by_where_it_came_from(
    codex_home: Path, needs: Needs, environment: dict[str, str], origin: str | None
) -> None:
    auth = manager(codex_home, **environment)
    await auth.ready()
    assert auth.origin(needs) == origin


async def test_a_stored_sign_in_is_known_by_its_place(codex_home: Path) -> None:
    auth = manager(codex_home)
    auth.login_with_api_key("sk-test")
    assert auth.origin(OPENAI) == str(codex_home / "auth.json")


@pytest.mark.parametrize("key", ["sk-planted line\nx: y", "sk-planted-ключ", "sk-planted key"])
async def test_what_cannot_be_a_key_is_never_sent_and_never_quoted(
    codex_home: Path, key: str
) -> None:
    auth = manager(codex_home, OPENAI_API_KEY=key, MY_KEY=key)
    needs = {
        OPENAI: "the environment variable OPENAI_API_KEY",
        Needs(env_key="MY_KEY"): "the environment variable MY_KEY",
        Needs(bearer_token=key): "`experimental_bearer_token`",
    }
    for provider, origin in needs.items():
        with pytest.raises(UnusableKey, match=f"^The key from {origin}") as failure:
            await auth.headers(provider)
        assert "planted" not in str(failure.value)


async def test_an_account_id_that_is_no_header_is_left_out(codex_home: Path) -> None:
    store = FileStore(codex_home)
    tokens = Tokens(id_token=jwt({}), access_token="access", account_id="a\r\nx: y")
    store.save(StoredAuth(auth_mode="chatgpt", tokens=tokens))
    assert await manager(codex_home).headers(OPENAI) == {"authorization": "Bearer access"}
