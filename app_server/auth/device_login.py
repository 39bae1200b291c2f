"""Signing in with a code typed on another device, for machines without a browser."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeGuard

import msgspec

from app_server import clock
from app_server.auth.backend import Http
from app_server.auth.errors import LoginFailed, Unreachable
from app_server.auth.exchange import Issuer, exchange_code, signed_in
from app_server.auth.json_text import NotReadable, read_json
from app_server.auth.store import StoredAuth

log = logging.getLogger(__name__)

LIMIT_SECONDS = 15 * 60.0
"""After which the code has ended on the other side as well."""

DEFAULT_INTERVAL_SECONDS = 5.0

SHORTEST_INTERVAL_SECONDS = 1.0
"""Whatever the service allows, it is not flooded."""

NOT_OFFERED = (
    "device code login is not enabled for this Codex server. "
    "Use the browser login or verify the server URL."
)


class DeviceCodesNotOffered(LoginFailed):
    """This service knows no device codes."""

    def __init__(self) -> None:
        super().__init__(NOT_OFFERED)


class DeviceCode(msgspec.Struct, frozen=True, kw_only=True):
    """What the user is shown, and what we ask with."""

    verification_url: str
    user_code: str
    device_auth_id: str
    interval_seconds: float

    def __repr__(self) -> str:
        return f"DeviceCode(verification_url={self.verification_url!r}, …)"


class _Approved(msgspec.Struct, frozen=True):
    authorization_code: str
    code_verifier: str


async def request_code(http: Http, issuer: Issuer) -> DeviceCode:
    """A code to show the user. Raises `LoginFailed` or `Unreachable`."""
    base = issuer.url.rstrip("/")
    reply = await http.post(
        f"{base}/api/accounts/deviceauth/usercode", json={"client_id": issuer.client_id}
    )
    if reply.status == 404:
        raise DeviceCodesNotOffered
    if not reply.is_success:
        raise LoginFailed(f"device code request failed with status {reply.status_line}")
    answer = reply.json
    device_auth_id = answer.get("device_auth_id")
    user_code = answer.get("user_code") or answer.get("usercode")
    if not isinstance(device_auth_id, str) or not _can_be_typed(user_code):
        raise LoginFailed("the service's answer has no device code in it")
    return DeviceCode(
        verification_url=f"{base}/codex/device",
        user_code=user_code,
        device_auth_id=device_auth_id,
        interval_seconds=_seconds(answer.get("interval")),
    )


async def wait_for_approval(
    http: Http, issuer: Issuer, code: DeviceCode, *, workspace_id: str | None = None
) -> StoredAuth:
    """Ask until the user has typed the code; cancel to give up.

    Raises `LoginFailed` or `Unreachable`.
    """
    approved = await _approval(http, issuer, code)
    base = issuer.url.rstrip("/")
    tokens = await exchange_code(
        http,
        issuer,
        code=approved.authorization_code,
        redirect_uri=f"{base}/deviceauth/callback",
        verifier=approved.code_verifier,
    )
    return signed_in(
        tokens, api_key=None, workspace_id=workspace_id, timestamp=clock.utc_timestamp()
    )


async def _approval(http: Http, issuer: Issuer, code: DeviceCode) -> _Approved:
    url = f"{issuer.url.rstrip('/')}/api/accounts/deviceauth/token"
    question = {"device_auth_id": code.device_auth_id, "user_code": code.user_code}
    give_up_at = clock.monotonic() + LIMIT_SECONDS
    while True:
        try:
            reply = await http.post(url, json=question)
        except Unreachable as problem:
            # the user is on another device and notices nothing of a network that comes and goes
            log.info("asking for the approval again: %s", problem)
            reply = None
        if reply is not None and reply.is_success:
            try:
                return read_json(reply.body, _Approved)
            except NotReadable:
                raise LoginFailed("the service's approval is not in the form we know") from None
        if reply is not None and reply.status not in (403, 404):
            raise LoginFailed(f"device auth failed with status {reply.status_line}")
        if clock.monotonic() + code.interval_seconds > give_up_at:
            raise LoginFailed("device auth timed out after 15 minutes")
        await asyncio.sleep(max(code.interval_seconds, SHORTEST_INTERVAL_SECONDS))


def _can_be_typed(code: object) -> TypeGuard[str]:
    return isinstance(code, str) and code != "" and code.isprintable()


def _seconds(interval: object) -> float:
    """A number, or a number as text."""
    try:
        given = float(interval) if isinstance(interval, str | int | float) else None
    except ValueError:
        given = None
    return DEFAULT_INTERVAL_SECONDS if given is None or not 0 <= given <= 60 else given
