"""`codex login` with ChatGPT: through a browser here or elsewhere, or with a code typed elsewhere.

Where no browser can open, a code is offered first, with a QR code and the time that is left; where
the browser runs on another machine, the address it ends on can be pasted here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app_server import clock
from app_server.cli.login import described, open_manager, tell_what_wins, told
from app_server.cli.options import Options

if TYPE_CHECKING:
    from app_server.auth.browser_login import BrowserLogin
    from app_server.auth.exchange import Issuer
    from app_server.auth.store import StoredAuth
    from app_server.config.resolve import Config
    from app_server.model.http import HttpClients

Keep: TypeAlias = Callable[["StoredAuth"], None]
Flow: TypeAlias = Callable[["HttpClients", "Issuer", "Config", Keep], Awaitable[None]]

LIMIT_SECONDS = 10 * 60.0
"""For somebody to come back from the browser."""

WHITE_ON_BLACK = "\x1b[97;40m"
AS_BEFORE = "\x1b[0m"


async def sign_in(options: Options, home: Path, config: Config) -> int:
    """Sign in and say as whom; returns the exit status. Raises `AuthError`."""
    from app_server.auth.backend import ISSUER_VARIABLE
    from app_server.auth.device_login import DeviceCodesNotOffered
    from app_server.auth.exchange import issuer_from
    from app_server.client.sign_in import can_open_browser
    from app_server.model.http import HttpClients

    environment = dict(os.environ)
    if options.issuer is not None:
        environment[ISSUER_VARIABLE] = options.issuer
    issuer = issuer_from(environment)
    by_code = options.device_auth or not (options.by_browser or can_open_browser(environment))
    async with HttpClients() as http:
        auth = open_manager(home, config, http, environment)
        await auth.ready()
        replaced = auth.stored
        if by_code and not options.device_auth:
            told(
                "No browser can be opened here, so you sign in with a code. "
                "(`codex login --browser` signs in through a browser on another machine.)"
            )
        try:
            flow: Flow = _by_code if by_code else _by_browser
            await flow(http, issuer, config, auth.keep)
        except DeviceCodesNotOffered:
            if options.device_auth:
                raise
            told("This service offers no codes, so you sign in through a browser elsewhere.")
            await _by_browser(http, issuer, config, auth.keep)
        if replaced is not None:
            await auth.revoke(replaced)
        told("Successfully logged in")
        found = auth.credentials
    if found is not None and found.uses_chatgpt_backend:
        told(described(found))
    return tell_what_wins(found)


async def _by_browser(http: HttpClients, issuer: Issuer, config: Config, keep: Keep) -> None:
    from app_server.auth import browser_login
    from app_server.auth.errors import LoginFailed
    from app_server.client.sign_in import can_open_browser

    async with browser_login.BrowserLogin(
        http,
        issuer,
        keep,
        originator="codex_cli_rs",
        workspace_id=config.forced_chatgpt_workspace_id,
        ports=browser_login.PORTS,
    ) as login:
        told(
            f"Waiting for your browser on http://localhost:{login.port}.\n"
            "If it did not open, or runs on another machine, open this address:\n\n"
            f"{login.auth_url}\n\n"
            "If the page you end on cannot be shown, paste its address here."
        )
        if can_open_browser(os.environ):
            import webbrowser

            await asyncio.to_thread(webbrowser.open, login.auth_url)
        try:
            async with _pasted_addresses(login), asyncio.timeout(LIMIT_SECONDS):
                await login.wait()
        except TimeoutError:
            raise LoginFailed("nobody came back from the browser within 10 minutes") from None


@asynccontextmanager
async def _pasted_addresses(login: BrowserLogin) -> AsyncIterator[None]:
    """Lines typed into the terminal go to the sign-in, for browsers on other machines."""
    if not sys.stdin.isatty():
        yield
        return
    loop = asyncio.get_running_loop()

    def typed() -> None:
        # past the buffer of `sys.stdin`, where a second pasted line would lie unseen
        line = os.read(sys.stdin.fileno(), 65_536).decode("utf-8", "replace")
        if not line:
            loop.remove_reader(sys.stdin)
        elif line.strip() and not login.accept(line):
            told("That is not the address this sign-in ends on.")

    loop.add_reader(sys.stdin, typed)
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin)


async def _by_code(http: HttpClients, issuer: Issuer, config: Config, keep: Keep) -> None:
    from app_server.auth.device_login import LIMIT_SECONDS, request_code, wait_for_approval

    code = await request_code(http, issuer)
    _show_picture(code.verification_url)
    told(
        f"Open {code.verification_url} on any device, sign in, and type this code within "
        f"15 minutes:\n\n    {code.user_code}\n\n"
        "Give the code to nobody: whoever types it signs you in as themselves."
    )
    async with _countdown(LIMIT_SECONDS):
        stored = await wait_for_approval(
            http, issuer, code, workspace_id=config.forced_chatgpt_workspace_id
        )
    await asyncio.to_thread(keep, stored)


def _show_picture(address: str) -> None:
    """The address as a QR code, where there is somebody to see it and room for it."""
    if not sys.stderr.isatty():
        return
    from app_server.client.sign_in import qr_code

    lines = qr_code(address)
    size = os.get_terminal_size(sys.stderr.fileno())
    if len(lines[0]) <= size.columns and len(lines) < size.lines:
        told("\n".join(f"{WHITE_ON_BLACK}{line}{AS_BEFORE}" for line in lines))


@asynccontextmanager
async def _countdown(seconds: float) -> AsyncIterator[None]:
    """While the block runs, a line of the terminal says how much time is left."""
    if not sys.stderr.isatty():
        yield
        return
    from app_server.client.sign_in import time_left

    ends_at = clock.monotonic() + seconds

    async def tell() -> None:
        while True:
            left = time_left(ends_at - clock.monotonic())
            print(f"\r\x1b[KWaiting for the code: {left} left", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(1)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
