"""What is tried after a 401, step by step, whoever is signed in."""

import pytest

from app_server.auth.credentials import Credentials
from app_server.auth.errors import RefreshFailed
from app_server.auth.recovery import Recovery
from app_server.auth.secret import Secret
from app_server.protocol.account import AuthMode


class SignIn:
    """A sign-in that writes down what it is asked to do."""

    def __init__(self, mode: AuthMode | None) -> None:
        self.mode = mode
        self.done: list[str] = []
        self.problem: RefreshFailed | None = None

    async def ready(self) -> Credentials | None:
        if self.mode is None:
            return None
        return Credentials(mode=self.mode, bearer=Secret("t"), source="store")

    async def look_again(self) -> None:
        self.done.append("look again")

    async def refresh(self) -> bool:
        self.done.append("renew")
        if self.problem is not None:
            raise self.problem
        return True

    async def ask_the_host(self) -> bool:
        self.done.append("ask the host")
        return True


STEPS: list[tuple[AuthMode | None, list[str]]] = [
    ("chatgpt", ["look again", "renew"]),
    ("chatgptAuthTokens", ["ask the host"]),
    ("apikey", []),
    (None, []),
]


@pytest.mark.parametrize(("mode", "steps"), STEPS)
async def test_each_step_is_taken_once_and_in_order(mode: AuthMode, steps: list[str]) -> None:
    sign_in = SignIn(mode)
    recovery = Recovery(sign_in, is_possible=True)
    answers = [await recovery.improve() for _ in range(4)]
    assert sign_in.done == steps
    assert answers == [number < len(steps) for number in range(4)]


async def test_a_request_that_did_not_use_the_sign_in_is_not_recovered_by_it() -> None:
    sign_in = SignIn("chatgpt")
    assert await Recovery(sign_in, is_possible=False).improve() is False
    assert sign_in.done == []


async def test_two_requests_recover_each_on_its_own() -> None:
    sign_in = SignIn("chatgpt")
    first, second = (Recovery(sign_in, is_possible=True) for _ in range(2))
    await first.improve()
    await first.improve()
    assert await second.improve() is True
    assert sign_in.done == ["look again", "renew", "look again"]


async def test_signing_in_differently_meanwhile_ends_the_recovery() -> None:
    sign_in = SignIn("chatgpt")
    recovery = Recovery(sign_in, is_possible=True)
    await recovery.improve()
    sign_in.mode = "apikey"
    assert await recovery.improve() is False
    assert sign_in.done == ["look again"]


async def test_a_step_that_fails_counts_as_taken() -> None:
    sign_in = SignIn("chatgpt")
    sign_in.problem = RefreshFailed("no luck", is_final=False)
    recovery = Recovery(sign_in, is_possible=True)
    await recovery.improve()
    with pytest.raises(RefreshFailed, match="no luck"):
        await recovery.improve()
    assert await recovery.improve() is False
