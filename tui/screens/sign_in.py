"""Signing in: how, the way there, and what is said at its end. At the start and by /login.

All of it goes through the account methods; how a sign-in ended is read from the state, where the
server's word of it is kept. A sign-in that is given up is taken back from the server.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from app_server.client.sign_in import DEVICE_CODE_SECONDS, can_open_browser, qr_code
from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETE,
    ACCOUNT_LOGIN_START,
    ACCOUNT_READ,
    AccountLoginCompletedNotification,
    ApiKeyLoginAccountParams,
    CancelLoginAccountParams,
    ChatgptDeviceCodeLoginAccountParams,
    ChatgptDeviceCodeLoginAccountResponse,
    ChatgptLoginAccountParams,
    ChatgptLoginAccountResponse,
    CompleteLoginAccountParams,
    GetAccountParams,
)
from app_server.protocol.errors import RpcError
from tui.api_key import KeyCheck, bare_key
from tui.state.select import account_text
from tui.terminal.browser import open_page
from tui.widgets.panels.login import LoginPanel, Wish
from tui.widgets.pickers.list_picker import Choice
from tui.widgets.questions.text_input import TextInput

if TYPE_CHECKING:
    from tui.app import CodexApp

BROWSER_SECONDS = 10 * 60
"""How long the server waits for somebody to come back from the browser."""
CANCEL_SECONDS = 5.0
"""A sign-in that was given up is not waited for longer: it ends with its time."""

GIVEN_UP = "The sign-in was given up."
NOT_TAKEN = (
    "This is not the address this sign-in ends at: that begins with http://localhost: and belongs"
    " to the page above."
)


def ways(forced: object, *, remote: bool) -> list[Choice]:
    """The ways in, the likeliest first; `forced` is the configuration's `forced_login_method`.

    At a server elsewhere the code is: a browser here ends at an address that leads to it.
    """
    browser = Choice("Sign in with ChatGPT", "browser", "in your browser, with your plan")
    device = Choice("Sign in with a code", "device", "with ChatGPT, on any device; good over ssh")
    kept = "kept by that server" if remote else "kept on this machine, for you alone"
    key = Choice("Paste an OpenAI API key", "key", kept)
    is_here = can_open_browser(os.environ) and not remote
    chatgpt = [browser, device] if is_here else [device, browser]
    return [*([] if forced == "api" else chatgpt), *([] if forced == "chatgpt" else [key])]


def whose(app: "CodexApp", way: Literal["in", "out"]) -> list[str]:
    """Whom it concerns, where the sign-in is not this machine's."""
    if not app.options.remote:
        return []
    return [f"This signs {way} the server at {app.options.cwd}, for all who use it."]


async def sign_in_by(app: "CodexApp", way: str) -> str:
    """Go one way to its end; what is wrong, or nothing."""
    match way:
        case "key":
            problem = await _with_key(app)
        case "browser":
            problem = await _with_chatgpt(app, ChatgptLoginAccountParams())
        case _:
            problem = await _with_chatgpt(app, ChatgptDeviceCodeLoginAccountParams())
    if not problem:
        app.say("info", await who(app))
    return problem


async def sign_in_again(
    app: "CodexApp",
    title: str,
    intro: Sequence[str],
    forced: object = None,
    *,
    uncalled: bool = False,
) -> bool:
    """Offer the ways in during a session; whether somebody is signed in at the end.

    `uncalled` says that the user has not asked for it.
    """
    problem = ""
    async with app.chat.turn():
        while True:
            told = [*intro, *whose(app, "in"), *([problem] if problem else [])]
            choices = [*ways(forced, remote=app.options.remote), Choice("Not now", None)]
            way = await app.chat.choose(title, choices, told, uncalled=uncalled and not problem)
            if way is None:
                return False
            problem = await sign_in_by(app, way)
            if not problem:
                return True


async def who(app: "CodexApp") -> str:
    """Who is signed in, in a sentence."""
    try:
        account = await app.link.request(ACCOUNT_READ, GetAccountParams())
    except RpcError as error:
        return f"Signed in, but not known as whom: {error.message}"
    return f"Signed in: {account_text(account)}."


async def _with_key(app: "CodexApp") -> str:
    panel = TextInput(
        "API key",
        "paste it here; it is not shown",
        secret=True,
        check=KeyCheck(in_the_open=app.options.in_the_open),
        clean=bare_key,
        palette=app.palette,
    )
    key = await panel.ask(app.chat)
    if key is None:
        return "No key was given."
    try:
        await app.link.request(ACCOUNT_LOGIN_START, ApiKeyLoginAccountParams(api_key=key))
    except RpcError as error:
        return f"The key was not accepted: {error.message}"
    return ""


async def _with_chatgpt(
    app: "CodexApp", params: ChatgptLoginAccountParams | ChatgptDeviceCodeLoginAccountParams
) -> str:
    """Begin, and begin again as often as wanted, until it has succeeded or is given up."""
    panel = LoginPanel("Sign in with ChatGPT", app.clock, keymap=app.keymap, palette=app.palette)
    chat = app.chat
    await chat.until_free()
    chat.show_panel(panel, keeps=True)
    try:
        while True:
            panel.show_starting()
            try:
                started = await _begun(app, panel, params)
            except RpcError as error:
                problem = error.message
            else:
                if started is None:
                    return GIVEN_UP
                ended = await _wait(app, panel, started)
                if ended is None:
                    return GIVEN_UP
                if ended == "restart":
                    continue
                if ended == "":
                    return ""
                problem = ended
            panel.show_failed(f"It did not work: {problem}")
            if await _next(panel, "restart", "cancel") == "cancel":
                return f"The sign-in did not work: {problem}"
    finally:
        chat.close_panel()


async def _begun(
    app: "CodexApp",
    panel: LoginPanel,
    params: ChatgptLoginAccountParams | ChatgptDeviceCodeLoginAccountParams,
) -> Any:
    """The sign-in as the server has begun it; None when it is given up before. Raises `RpcError`.

    A service that says nothing keeps the server waiting for half a minute, but nobody here.
    """
    starting = asyncio.ensure_future(app.link.request(ACCOUNT_LOGIN_START, params))
    giving_up = asyncio.ensure_future(_next(panel, "cancel"))
    try:
        await asyncio.wait({starting, giving_up}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        starting.cancel()
        raise
    finally:
        giving_up.cancel()
    if not giving_up.done():
        return starting.result()
    app.run_worker(_take_back_begun(app, starting))
    return None


async def _take_back_begun(app: "CodexApp", starting: "asyncio.Future[Any]") -> None:
    """What was given up before it had begun ends as soon as it has."""
    try:
        started = await starting
    except RpcError:
        return
    await _take_back(app, started.login_id)


async def _wait(
    app: "CodexApp",
    panel: LoginPanel,
    started: ChatgptLoginAccountResponse | ChatgptDeviceCodeLoginAccountResponse | Any,
) -> str | None:
    """Until the sign-in ends: "" for success, else why not; "restart"; None when given up."""
    address = await _show(app, panel, started)
    ending = asyncio.ensure_future(app.when_signed_in(started.login_id))
    try:
        while True:
            wish = asyncio.ensure_future(panel.wishes.get())
            await asyncio.wait({ending, wish}, return_when=asyncio.FIRST_COMPLETED)
            if not wish.done():
                wish.cancel()
                return _problem(ending.result())
            match wish.result():
                case Wish("cancel"):
                    await _take_back(app, started.login_id)
                    return None
                case Wish("restart"):
                    return "restart"
                case Wish("copy"):
                    app.copy_text(address)
                    panel.show_problem("")
                case Wish("open"):
                    if not await open_page(address):
                        panel.show_problem("No browser could be opened here.")
                case Wish("deliver", text):
                    panel.show_problem(await _hand_in(app, started.login_id, text))
    finally:
        ending.cancel()


async def _show(app: "CodexApp", panel: LoginPanel, started: Any) -> str:
    """Say what to do; the address to go to."""
    if isinstance(started, ChatgptDeviceCodeLoginAccountResponse):
        url = started.verification_url
        picture = tuple(await asyncio.to_thread(qr_code, url))
        panel.show_code(url, started.user_code, picture, seconds=DEVICE_CODE_SECONDS)
        return url
    url = started.auth_url
    opened = can_open_browser(os.environ) and await open_page(url)
    panel.show_browser(url, opened=opened, seconds=BROWSER_SECONDS)
    return str(url)


def _problem(ended: AccountLoginCompletedNotification | None) -> str:
    if ended is None:
        return "the connection to the server was lost"
    return "" if ended.success else ended.error or "the service did not say why"


async def _hand_in(app: "CodexApp", login_id: str, pasted: str) -> str:
    """Give the server the address a browser elsewhere ended at; what is wrong, or nothing."""
    params = CompleteLoginAccountParams(login_id=login_id, callback_url="".join(pasted.split()))
    try:
        await app.link.request(ACCOUNT_LOGIN_COMPLETE, params)
    except RpcError:
        return NOT_TAKEN
    return ""


async def _take_back(app: "CodexApp", login_id: str) -> None:
    try:
        async with app.clock.timeout(CANCEL_SECONDS):
            await app.link.request(
                ACCOUNT_LOGIN_CANCEL, CancelLoginAccountParams(login_id=login_id)
            )
    except (RpcError, TimeoutError):
        pass  # it ends by itself, and nothing more is shown of it


async def _next(panel: LoginPanel, *wanted: str) -> str:
    """The next wish that is one of these."""
    while True:
        wish = await panel.wishes.get()
        if wish.what in wanted:
            return wish.what
