"""Signing in with a device code, against a scripted sign-in service."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import pytest

from app_server.auth import device_login
from app_server.auth.device_login import DeviceCode, request_code, wait_for_approval
from app_server.auth.errors import LoginFailed, Unreachable
from app_server.auth.exchange import Issuer
from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Reply
from app_server.model.http import HttpClients
from tests.auth.test_login_flows import BOUND_SECONDS, DEVICE, clients, issuer

__all__ = ["clients", "issuer"]


APPROVED = {"authorization_code": "code", "code_challenge": "x", "code_verifier": "verifier"}


async def test_a_device_code_is_shown(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    model.routes["POST", f"{DEVICE}/usercode"] = Reply(
        body={"device_auth_id": "d", "user_code": "ABCD-EFGH", "interval": "3"}
    )
    assert await request_code(clients, issuer) == DeviceCode(
        verification_url=f"{issuer.url}/codex/device",
        user_code="ABCD-EFGH",
        device_auth_id="d",
        interval_seconds=3,
    )


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(status=404), device_login.NOT_OFFERED),
        (Reply(status=500), "device code request failed with status 500 Internal Server Error"),
        (Reply(body={}), "the service's answer has no device code in it"),
        (
            Reply(body={"device_auth_id": "d", "user_code": "AB\x1b]0;title\x07"}),
            "the service's answer has no device code in it",
        ),
    ],
)
async def test_no_device_code_is_a_failure(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel, reply: Reply, problem: str
) -> None:
    model.routes["POST", f"{DEVICE}/usercode"] = reply
    with pytest.raises(LoginFailed) as failure:
        await request_code(clients, issuer)
    assert str(failure.value) == problem


def shown_code(issuer: Issuer, interval_seconds: float = 0) -> DeviceCode:
    return DeviceCode(
        verification_url=f"{issuer.url}/codex/device",
        user_code="ABCD",
        device_auth_id="d",
        interval_seconds=interval_seconds,
    )


async def test_a_device_code_is_waited_for_until_it_is_typed(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    model.routes["POST", f"{DEVICE}/token"] = Reply(status=403, body={})
    waiting = asyncio.create_task(wait_for_approval(clients, issuer, shown_code(issuer)))
    await asyncio.to_thread(model.wait_for_requests, 3)
    model.routes["POST", f"{DEVICE}/token"] = Reply(body=APPROVED)
    async with asyncio.timeout(BOUND_SECONDS):
        stored = await waiting
    assert stored.tokens is not None
    assert (stored.api_key, stored.tokens.account_id) == (None, "acct")
    assert model.requests[0].body == {"device_auth_id": "d", "user_code": "ABCD"}
    exchanged = parse_qs(model.requests[-1].text)
    assert exchanged["redirect_uri"] == [f"{issuer.url}/deviceauth/callback"]
    assert exchanged["code_verifier"] == ["verifier"]


async def test_a_refused_device_code_says_the_status(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    model.routes["POST", f"{DEVICE}/token"] = Reply(status=410, body={})
    with pytest.raises(LoginFailed, match="device auth failed with status 410 Gone"):
        await wait_for_approval(clients, issuer, shown_code(issuer))


async def test_a_device_code_ends_after_fifteen_minutes(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    model.routes["POST", f"{DEVICE}/token"] = Reply(status=404, body={})
    patient = shown_code(issuer, interval_seconds=device_login.LIMIT_SECONDS + 1)
    with pytest.raises(LoginFailed, match="device auth timed out after 15 minutes"):
        await wait_for_approval(clients, issuer, patient)


async def test_a_network_that_goes_away_does_not_end_the_wait_for_a_device_code(
    clients: HttpClients, issuer: Issuer, model: ScriptedModel
) -> None:
    model.routes["POST", f"{DEVICE}/token"] = Reply(body=APPROVED)

    class Flaky(HttpClients):
        failures = 2

        async def post(self, url: str, **given: Any) -> Any:
            if url.endswith("/deviceauth/token") and self.failures:
                self.failures -= 1
                raise Unreachable("no route to host")
            return await super().post(url, **given)

    async with Flaky({}) as http:
        stored = await wait_for_approval(http, issuer, shown_code(issuer))
    assert stored.auth_mode == "chatgpt"
