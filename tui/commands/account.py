"""Commands about the session itself: status, the demo, signing in and out, leaving."""

import logging
from typing import TYPE_CHECKING

from app_server.protocol.account import ACCOUNT_LOGOUT, ChatgptAccount
from app_server.protocol.errors import RpcError
from app_server.protocol.rate_limits import (
    ACCOUNT_RATE_LIMITS_READ,
    AccountRateLimitsUpdatedNotification,
)
from app_server.protocol.sandbox_read import (
    SANDBOX_READ,
    SandboxReadParams,
    SandboxReadResponse,
)
from tui.state.actions import Show
from tui.state.events import Heard
from tui.state.select import account_text
from tui.widgets.panels.status import status_card
from tui.widgets.pickers.list_picker import Choice

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


log = logging.getLogger(__name__)

LIMITS_SECONDS = 3.0
"""A service that has not said by then how much is used is not waited for."""

SANDBOX_SECONDS = 3.0
"""Finding out what confines commands takes some tens of milliseconds, once."""


def status(chat: "ChatScreen", arguments: str) -> None:
    chat.run_worker(_show_status(chat))


async def _show_status(chat: "ChatScreen") -> None:
    """With limits as they are now, where the account has any and the service says so in time."""
    details = chat.state.account.details
    if details is not None and isinstance(details.account, ChatgptAccount):
        try:
            async with chat.app.clock.timeout(LIMITS_SECONDS):
                read = await chat.request(ACCOUNT_RATE_LIMITS_READ, None)
        except (RpcError, TimeoutError) as error:
            log.info("no rate limits for /status: %s", error)
        else:
            told = AccountRateLimitsUpdatedNotification(rate_limits=read.rate_limits)
            chat.app.take([Heard(told)])
    sandbox = await _sandbox(chat)
    chat.act(Show(status_card(chat.state, chat.app.clock.now(), sandbox)))


async def _sandbox(chat: "ChatScreen") -> SandboxReadResponse | None:
    try:
        async with chat.app.clock.timeout(SANDBOX_SECONDS):
            found: SandboxReadResponse = await chat.request(SANDBOX_READ, SandboxReadParams())
            return found
    except (RpcError, TimeoutError) as error:  # another server may not know the method
        log.info("what confines commands is not known: %s", error)
        return None


def demo_info(chat: "ChatScreen", arguments: str) -> None:
    if chat.state.demo:
        text = "This is the offline demo. No model is behind it: the answers are a script."
    else:
        text = "This is not the demo. `codex --demo` plays one offline."
    details = (
        "The script is served over HTTP on this machine and drives the real agent: its commands and"
        " patches go through the same sandbox and the same questions as a model's. It plays in a"
        " throwaway folder unless you name one with -C."
    )
    chat.say("info", text, details)


def log_in(chat: "ChatScreen", arguments: str) -> None:
    chat.run_worker(_log_in(chat), group="sign-in", exclusive=True)


async def _log_in(chat: "ChatScreen") -> None:
    from tui.screens.sign_in import sign_in_again  # loads the client, which the start does without

    details = chat.state.account.details
    intro = []
    if details is not None and details.account is not None:
        intro.append(f"Signed in now: {account_text(details)}.")
    elif details is not None and not details.requires_openai_auth:
        intro.append("The provider of this session needs no sign-in; OpenAI's models do.")
    await sign_in_again(chat.app, "Sign in", intro)


def log_out(chat: "ChatScreen", arguments: str) -> None:
    details = chat.state.account.details
    if details is not None and details.account is None:
        chat.say("info", "Nobody is signed in. /login signs in.")
        return
    who = "" if details is None else f"Signed in now: {account_text(details)}."
    chat.run_worker(_log_out(chat, [who] if who else []), group="sign-in", exclusive=True)


async def _log_out(chat: "ChatScreen", intro: list[str]) -> None:
    from tui.screens.sign_in import whose  # loads the client, which the start does without

    choices = [Choice("No, stay", False), Choice("Yes, forget the sign-in and leave", True)]
    intro += whose(chat.app, "out")
    if not await chat.choose("Sign out?", choices, intro):
        return
    try:
        await chat.request(ACCOUNT_LOGOUT, None)
    except RpcError as error:
        chat.say("error", f"Signing out failed: {error.message}")
        return
    chat.app.quit("Signed out.")


def leave(chat: "ChatScreen", arguments: str) -> None:
    chat.app.quit()
