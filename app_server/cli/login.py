"""`codex login` and `codex logout`: which way of signing in, a key, who is signed in, signing out.

What the user is told goes to stderr; the first line of each answer is worded as scripts know it
from `codex`. The ways through ChatGPT are in `login_chatgpt`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app_server.cli.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_server.auth.credentials import Credentials
    from app_server.auth.manager import AuthManager
    from app_server.config.resolve import Config
    from app_server.model.http import HttpClients

MAX_KEY_BYTES = 64 * 1024
"""What is longer is no key, but a file or a device."""

KEYS_IN_THE_ENVIRONMENT = ("CODEX_API_KEY", "OPENAI_API_KEY")


def run(options: Options) -> int:
    """Carry out the command; returns the exit status."""
    from app_server.auth.errors import AuthError
    from app_server.paths import codex_home

    home = codex_home()
    try:
        config = settings(home, options)
        if options.command == "logout":
            return asyncio.run(_sign_out(home, config))
        if options.action == "status":
            return asyncio.run(_tell_status(home, config))
        return _sign_in(options, home, config)
    except AuthError as error:
        return told(f"codex {options.command}: {error}", status=1)
    except KeyboardInterrupt:
        return told("Not signed in: stopped", status=130)


def told(text: str, *, status: int = 0) -> int:
    """Say something to whoever called, who may be a script; returns the exit status."""
    print(text, file=sys.stderr, flush=True)
    return status


def settings(home: Path, options: Options) -> Config:
    """As the command line and the files have them. Blocks."""
    from app_server.config.load import load_config

    return load_config(
        home, Path(options.cwd), options.overrides, {}, profile=options.profile
    ).config


def open_manager(
    home: Path,
    config: Config,
    http: HttpClients | None = None,
    environment: Mapping[str, str] | None = None,
) -> AuthManager:
    """The sign-in of this home, where the settings say that it is kept."""
    from app_server.auth.manager import AuthManager
    from app_server.auth.store import open_store

    store = open_store(config.cli_auth_credentials_store, home)
    return AuthManager(home, http=http, store=store, environment=environment)


def _sign_in(options: Options, home: Path, config: Config) -> int:
    from app_server.auth import rules

    if options.api_key_in_the_open:
        return told(
            "codex login: --api-key would leave the key in your shell's history. Hand it over "
            "with `printenv OPENAI_API_KEY | codex login --with-api-key`, or type it after "
            "`codex login --with-api-key`.",
            status=1,
        )
    if options.api_key_from_stdin:
        if config.forced_login_method == "chatgpt":
            return told(rules.API_KEYS_DISABLED, status=1)
        return _store_key(home, config)
    if config.forced_login_method == "api":
        return told(rules.CHATGPT_DISABLED, status=1)
    from app_server.cli.login_chatgpt import sign_in

    return asyncio.run(sign_in(options, home, config))


def _store_key(home: Path, config: Config) -> int:
    if sys.stdin.isatty():
        from app_server.cli.secret_prompt import read_secret

        key = read_secret("API key: ").strip()
    else:
        told("Reading API key from stdin...")
        key = sys.stdin.buffer.read(MAX_KEY_BYTES + 1).decode("utf-8", "replace").strip()
        if not key:
            return told("No API key provided via stdin.", status=1)
    from app_server.auth.credentials import is_usable

    if not is_usable(key) or len(key) > MAX_KEY_BYTES:
        return told("codex login: that is not an API key", status=1)
    open_manager(home, config).login_with_api_key(key)
    if config.cli_auth_credentials_store == "ephemeral":
        return told(
            "The key was not kept: cli_auth_credentials_store is `ephemeral`, which ends with "
            "this command",
            status=1,
        )
    told("Successfully logged in")
    return tell_what_wins(open_manager(home, config).credentials)


def tell_what_wins(found: Credentials | None) -> int:
    """Say if a key in the environment is used in place of what was just stored."""
    if found is not None and found.source in KEYS_IN_THE_ENVIRONMENT:
        told(f"{found.source} is set in your environment, and is used instead while it is.")
    return 0


async def _tell_status(home: Path, config: Config) -> int:
    from app_server.auth.needs import OPENAI
    from app_server.auth.secret import masked

    auth = open_manager(home, config)
    found = await auth.ready()
    if found is None:
        return told("Not logged in", status=1)
    if found.mode == "apikey":
        told(f"Logged in using an API key - {masked(found.bearer.reveal())}")
    else:
        told("Logged in using ChatGPT")
        told(described(found))
    return told(f"From {auth.origin(OPENAI)}")


def described(found: Credentials) -> str:
    """Whose account it is, and which plan it has."""
    plan = (found.plan_type or "unknown").replace("_", " ")
    return f"{found.email or 'No e-mail address'}, plan: {plan}"


async def _sign_out(home: Path, config: Config) -> int:
    from app_server.model.http import HttpClients

    async with HttpClients() as http:
        auth = open_manager(home, config, http)
        was_signed_in = await auth.sign_out()
    told("Successfully logged out" if was_signed_in else "Not logged in")
    for name in KEYS_IN_THE_ENVIRONMENT:
        if os.environ.get(name, "").strip():
            told(f"The key in {name} stays in use: it is in your environment, not stored by Codex.")
    return 0
