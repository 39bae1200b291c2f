"""`codex login` and `codex logout`: by browser, by device code, with a key; who is signed in.

What the user is told goes to stderr. Where no browser can open, a code is shown instead; where it
runs on another machine, the address it ends on can be pasted here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app_server.cli.options import Options

if TYPE_CHECKING:
    from app_server.auth.browser_login import BrowserLogin
    from app_server.auth.exchange import Issuer
    from app_server.auth.manager import AuthManager
    from app_server.auth.store import StoredAuth
    from app_server.config.resolve import Config
    from app_server.model.http import HttpClients

Keep = Callable[["StoredAuth"], None]
Flow = Callable[["HttpClients", "Issuer", "Config", Keep], Awaitable[None]]

LIMIT_SECONDS = 10 * 60.0
"""For somebody to come back from the browser."""


def run(options: Options) -> int:
    """Carry out the command; returns the exit status."""
    from app_server.auth.errors import AuthError
    from app_server.paths import codex_home

    home = codex_home()
    try:
        config = _config(home, options)
        if options.command == "login" and options.action is None:
            return _sign_in(options, home, config)
        return asyncio.run(_look_or_leave(options, home, config))
    except AuthError as error:
        return _told(f"codex {options.command}: {error}", status=1)
    except KeyboardInterrupt:
        return _told("Not signed in: stopped", status=130)


def _sign_in(options: Options, home: Path, config: Config) -> int:
    from app_server.auth import rules

    if options.api_key_from_stdin:
        if config.forced_login_method == "chatgpt":
            return _told(rules.API_KEYS_DISABLED, status=1)
        return _store_key(home, config)
    if config.forced_login_method == "api":
        return _told(rules.CHATGPT_DISABLED, status=1)
    by_code = options.device_auth or not _can_open_browser()
    if by_code and not options.device_auth:
        _told("No browser can be opened here, so you sign in with a code.")
    return asyncio.run(_with_chatgpt(_by_code if by_code else _by_browser, options, home, config))


async def _with_chatgpt(flow: Flow, options: Options, home: Path, config: Config) -> int:
    from app_server.auth.exchange import issuer_from
    from app_server.model.http import HttpClients

    environment = dict(os.environ)
    if options.issuer is not None:
        environment["CODEX_APP_SERVER_LOGIN_ISSUER"] = options.issuer
    async with HttpClients() as http:
        auth = _manager(home, config, http)
        await auth.ready()
        replaced = auth.stored
        await flow(http, issuer_from(environment), config, auth.keep)
        if replaced is not None:
            await auth.revoke(replaced)
    return _told("Signed in with ChatGPT")


async def _by_browser(http: HttpClients, issuer: Issuer, config: Config, keep: Keep) -> None:
    import webbrowser

    from app_server.auth import browser_login
    from app_server.auth.errors import LoginFailed

    async with browser_login.BrowserLogin(
        http,
        issuer,
        originator="codex_cli_rs",
        workspace_id=config.forced_chatgpt_workspace_id,
        ports=browser_login.PORTS,
    ) as login:
        _told(
            f"Waiting for your browser on http://localhost:{login.port}.\n"
            "If it did not open, or runs on another machine, open this address:\n\n"
            f"{login.auth_url}\n\n"
            "If the page you end on cannot be shown, paste its address here."
        )
        await asyncio.to_thread(webbrowser.open, login.auth_url)
        loop = asyncio.get_running_loop()
        _take_pasted_addresses(loop, login)
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await login.wait(keep)
        except TimeoutError:
            raise LoginFailed("nobody came back from the browser within 10 minutes") from None
        finally:
            if sys.stdin.isatty():
                loop.remove_reader(sys.stdin)


def _take_pasted_addresses(loop: asyncio.AbstractEventLoop, login: BrowserLogin) -> None:
    """Hand lines typed into the terminal to the sign-in, for browsers on other machines."""
    if not sys.stdin.isatty():
        return
    taking: set[asyncio.Task[None]] = set()

    async def take(line: str) -> None:
        if not await login.come_back(line):
            _told("That is not the address this sign-in ends on.")

    def typed() -> None:
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
        elif line.strip():
            task = loop.create_task(take(line))
            taking.add(task)
            task.add_done_callback(taking.discard)

    loop.add_reader(sys.stdin, typed)


async def _by_code(http: HttpClients, issuer: Issuer, config: Config, keep: Keep) -> None:
    from app_server.auth.device_login import request_code, wait_for_approval

    code = await request_code(http, issuer)
    _told(
        f"Open {code.verification_url} on any device, sign in, and type this code within "
        f"15 minutes:\n\n    {code.user_code}\n\n"
        "Give the code to nobody: whoever types it signs you in as themselves."
    )
    stored = await wait_for_approval(
        http, issuer, code, workspace_id=config.forced_chatgpt_workspace_id
    )
    await asyncio.to_thread(keep, stored)


async def _look_or_leave(options: Options, home: Path, config: Config) -> int:
    from app_server.model.http import HttpClients

    async with HttpClients() as http:
        auth = _manager(home, config, http)
        found = await auth.ready()
        if options.command == "logout":
            await auth.revoke()
            was_signed_in = await asyncio.to_thread(auth.logout)
            return _told("Signed out" if was_signed_in else "Nobody was signed in")
        if found is None:
            return _told("Not signed in", status=1)
        if found.mode == "apikey":
            from app_server.auth.secret import masked

            return _told(f"Signed in with an API key - {masked(found.bearer.reveal())}")
        return _told("Signed in with ChatGPT")


def _store_key(home: Path, config: Config) -> int:
    if sys.stdin.isatty():
        return _told(
            "codex login --with-api-key reads the key from stdin, so that it does not end up in "
            "your shell's history: printenv OPENAI_API_KEY | codex login --with-api-key",
            status=1,
        )
    key = sys.stdin.read().strip()
    if not key or any(character.isspace() for character in key):
        return _told("codex login: what came on stdin is not an API key", status=1)
    _manager(home, config, None).login_with_api_key(key)
    if config.cli_auth_credentials_store == "ephemeral":
        return _told(
            "The key was not kept: cli_auth_credentials_store is `ephemeral`, which ends with "
            "this command",
            status=1,
        )
    return _told("Signed in with an API key")


def _config(home: Path, options: Options) -> Config:
    from app_server.config.load import load_config

    return load_config(
        home, Path(options.cwd), options.overrides, {}, profile=options.profile
    ).config


def _manager(home: Path, config: Config, http: HttpClients | None) -> AuthManager:
    from app_server.auth.keyring_store import open_store
    from app_server.auth.manager import AuthManager

    store = open_store(config.cli_auth_credentials_store, home)
    return AuthManager(home, http=http, store=store)


def _can_open_browser() -> bool:
    """Whether a browser opened here would be seen by whoever sits at this terminal."""
    if any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")):
        return False
    if sys.platform == "darwin":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _told(text: str, *, status: int = 0) -> int:
    print(text, file=sys.stderr, flush=True)
    return status
