"""Tokens that a program prints, with real programs."""

import asyncio
from pathlib import Path

import pytest

from app_server.auth.errors import AuthError, TokenCommandFailed, UnusableKey
from app_server.auth.manager import AuthManager
from app_server.auth.token_command import CommandTokens, TokenCommand
from tests.auth.test_manager import Needs

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def shell(script: str, **settings: object) -> TokenCommand:
    return TokenCommand(command="sh", args=("-c", script), **settings)  # type: ignore[arg-type]


COUNTS = "echo x >> runs; echo \" token-$(wc -l < runs | tr -d ' ') \""


async def test_the_trimmed_output_is_the_token_and_is_kept(tmp_path: Path) -> None:
    tokens, command = CommandTokens(ENVIRONMENT), shell(COUNTS, cwd=str(tmp_path))
    assert await asyncio.gather(tokens.token(command), tokens.token(command)) == ["token-1"] * 2
    tokens.forget(command)
    assert await tokens.token(command) == "token-2"


@pytest.mark.parametrize(("interval", "token"), [(1e-9, "token-2"), (0.0, "token-1")])
async def test_a_token_is_asked_for_anew_after_its_time(
    tmp_path: Path, interval: float, token: str
) -> None:
    tokens = CommandTokens(ENVIRONMENT)
    command = shell(COUNTS, cwd=str(tmp_path), refresh_interval_seconds=interval)
    await tokens.token(command)
    assert await tokens.token(command) == token


FAILURES = [
    (shell("echo secret; exit 3"), "`sh` gave no token for the provider: it ended with status 3"),
    (shell("true"), "`sh` gave no token for the provider: it printed no token"),
    (
        shell("sleep 60 & echo secret; wait", timeout_seconds=0.2),
        "`sh` gave no token for the provider: it did not end within 0.2 seconds",
    ),
    (
        TokenCommand(command="/nowhere/helper"),
        "`/nowhere/helper` gave no token for the provider: No such file or directory",
    ),
]


@pytest.mark.parametrize(("command", "message"), FAILURES, ids=lambda value: str(value)[:40])
async def test_a_program_that_gives_no_token_is_named_and_its_output_is_not(
    command: TokenCommand, message: str
) -> None:
    with pytest.raises(TokenCommandFailed) as failure:
        await CommandTokens(ENVIRONMENT).token(command)
    assert str(failure.value) == message


async def test_output_that_cannot_be_a_token_is_refused_without_showing_it() -> None:
    with pytest.raises(UnusableKey) as failure:
        await CommandTokens(ENVIRONMENT).token(shell("printf 'two\\nlines'"))
    assert "two" not in str(failure.value)
    assert isinstance(failure.value, AuthError)


async def test_a_refused_token_is_replaced_once(tmp_path: Path, codex_home: Path) -> None:
    auth = AuthManager(codex_home, environment=ENVIRONMENT)
    needs = Needs(token_command=shell(COUNTS, cwd=str(tmp_path)))
    assert await auth.headers(needs) == {"authorization": "Bearer token-1"}
    assert auth.origin(needs) == "`sh`"
    recovery = auth.recovery(needs)
    assert await recovery.improve()
    assert await auth.headers(needs) == {"authorization": "Bearer token-2"}
    assert not await recovery.improve()
