"""What tests of signing in share: beginning one, the browser in it, what clients are told."""

import asyncio
import http.client
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from app_server.client.client import Client
from app_server.client.events import Notification
from app_server.protocol.account import (
    ACCOUNT_LOGIN_COMPLETED,
    ACCOUNT_LOGIN_START,
    ACCOUNT_UPDATED,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ChatgptAuthTokensLoginAccountParams,
    ChatgptLoginAccountParams,
    ChatgptLoginAccountResponse,
)
from app_server.protocol.remote_control import REMOTE_CONTROL_STATUS_CHANGED
from tests.support.issuer import jwt

COMPLETED, UPDATED = ACCOUNT_LOGIN_COMPLETED.name, ACCOUNT_UPDATED.name
LENT = ChatgptAuthTokensLoginAccountParams(
    access_token=jwt(n="lent"), chatgpt_account_id="acct-1", chatgpt_plan_type="plus"
)
SIGNED_IN = [
    Notification(UPDATED, AccountUpdatedNotification(auth_mode="chatgpt", plan_type="pro")),
]


def completed(login_id: str | None, error: str | None = None) -> Notification:
    end = AccountLoginCompletedNotification(login_id=login_id, success=error is None, error=error)
    return Notification(COMPLETED, end)


async def welcomed(client: Client) -> Client:
    """The client, once it hears what is told to everybody."""
    heard: set[str] = set()
    async with asyncio.timeout(30):
        while REMOTE_CONTROL_STATUS_CHANGED.name not in heard:
            await client.arrival()
            heard |= {event.method for event in client.drain() if isinstance(event, Notification)}
    return client


async def begin(client: Client) -> ChatgptLoginAccountResponse:
    answer = await client.request(ACCOUNT_LOGIN_START, ChatgptLoginAccountParams())
    assert isinstance(answer, ChatgptLoginAccountResponse)
    return answer


async def visit(address: str, *, follow: bool = True) -> tuple[int, str]:
    """A browser without the user: one page, redirects to this machine followed or not."""

    def fetch() -> tuple[int, str]:
        target = address
        while True:
            parts = urlsplit(target)
            with closing(http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)) as page:
                page.request("GET", f"{parts.path}?{parts.query}")
                answer = page.getresponse()
                text = answer.read().decode()
            if answer.status != 302 or not follow:
                return answer.status, text
            target = answer.headers["location"]

    return await asyncio.to_thread(fetch)


async def told(client: Client, count: int) -> list[Any]:
    """So many notifications about the account, as they come."""
    events: list[Any] = []
    async with asyncio.timeout(30):
        while len(events) < count:
            await client.arrival()
            events += [event for event in client.drain() if "account/" in event.method]
    return events
