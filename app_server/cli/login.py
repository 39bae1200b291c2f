"""`codex login` and `codex logout`: store an API key, say who is signed in, forget it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from app_server.cli.options import Options

if TYPE_CHECKING:
    from app_server.auth.manager import AuthManager


def run(options: Options) -> int:
    """Carry out the command; returns the exit status."""
    from app_server.auth.errors import AuthError
    from app_server.auth.manager import AuthManager
    from app_server.paths import codex_home

    auth = AuthManager(codex_home())
    try:
        if options.command == "logout":
            return _told("Signed out" if auth.logout() else "Nobody was signed in")
        if options.action == "status":
            return _status(auth.mode)
        if options.api_key_from_stdin:
            return _store_key(auth)
    except AuthError as error:
        return _told(f"codex {options.command}: {error}", status=1)
    return _told(
        "codex login: signing in with a browser is not part of this release yet.\n"
        "Store an API key instead: printenv OPENAI_API_KEY | codex login --with-api-key",
        status=1,
    )


def _status(mode: str | None) -> int:
    match mode:
        case None:
            return _told("Not signed in", status=1)
        case "apikey":
            return _told("Signed in with an API key")
        case _:
            return _told("Signed in with ChatGPT")


def _store_key(auth: AuthManager) -> int:
    if sys.stdin.isatty():
        return _told(
            "codex login --with-api-key reads the key from stdin, so that it does not end up in "
            "your shell's history: printenv OPENAI_API_KEY | codex login --with-api-key",
            status=1,
        )
    key = sys.stdin.read().strip()
    if not key or any(character.isspace() for character in key):
        return _told("codex login: what came on stdin is not an API key", status=1)
    auth.login_with_api_key(key)
    return _told("Signed in with an API key")


def _told(text: str, *, status: int = 0) -> int:
    print(text, file=sys.stderr)
    return status
