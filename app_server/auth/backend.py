"""The sign-in service: its addresses, and how it is asked.

The HTTP client is handed in, since this room opens no door to the one that owns it.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec

from app_server.auth.json_text import NotReadable, read_json

ISSUER = "https://auth.openai.com"
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"

TIMEOUT_SECONDS = 30.0
"""For one question to the sign-in service."""

MAX_SHOWN_CHARACTERS = 500


class Reply(msgspec.Struct, frozen=True):
    """What the service answered."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def status_line(self) -> str:
        """As `400 Bad Request`."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object, empty if it is none."""
        try:
            return read_json(self.body, dict[str, Any])
        except NotReadable:
            return {}

    def text(self, *secrets: str) -> str:
        """The body as it may be shown; a web page, as proxies answer with, is only named."""
        words = self.body.decode("utf-8", "replace").strip()
        return "a web page" if words.startswith("<") else shown(words, *secrets)

    def error_code(self) -> str | None:
        """The error's code, wherever this service puts it."""
        content = self.json
        error = content.get("error")
        nested = error.get("code") if isinstance(error, dict) else error
        for code in (nested, content.get("code")):
            if isinstance(code, str) and code:
                return code
        return None

    def detail(self, *secrets: str) -> str:
        """The best words the service gave for a failure, without the secrets it was sent."""
        content = self.json
        error = content.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        for words in (content.get("error_description"), message, self.error_code()):
            if isinstance(words, str) and words:
                return shown(words, *secrets)
        return self.text(*secrets) or "unknown error"


class Http(Protocol):
    """Asks questions over HTTP."""

    async def post(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Reply:
        """Raises `Unreachable` when there is no answer."""
        ...

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Reply:
        """Raises `Unreachable` when there is no answer."""
        ...


SHORTEST_SECRET = 8
"""What is shorter is none, and may be part of an ordinary word."""


def without_secrets(text: str, *secrets: str) -> str:
    """A text that came back from outside, without what we had sent there."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return text


def shown(words: str, *secrets: str) -> str:
    """Words from outside as they may stand in a terminal: no secrets, no controls, not endless."""
    # secrets first: the part of one that the cut leaves would not be known for what it is
    told = without_secrets(words, *secrets)[:MAX_SHOWN_CHARACTERS]
    return "".join(char if char.isprintable() else " " for char in told)


ISSUER_VARIABLE = "CODEX_APP_SERVER_LOGIN_ISSUER"
"""Names another place to sign in; its tokens are renewed and given back there, nowhere else."""


def issuer_url(environment: Mapping[str, str]) -> str:
    return (environment.get(ISSUER_VARIABLE) or ISSUER).rstrip("/")


def client_id(environment: Mapping[str, str]) -> str:
    """As which program we sign in and renew."""
    return environment.get("CODEX_APP_SERVER_LOGIN_CLIENT_ID") or CLIENT_ID


def refresh_url(environment: Mapping[str, str]) -> str:
    """Where tokens are renewed."""
    named = environment.get("CODEX_REFRESH_TOKEN_URL_OVERRIDE")
    return named or f"{issuer_url(environment)}/oauth/token"


def revoke_url(environment: Mapping[str, str]) -> str:
    """Where tokens are given back: beside the place where they are renewed, unless named."""
    named = environment.get("CODEX_REVOKE_TOKEN_URL_OVERRIDE")
    if named:
        return named
    parts = urlsplit(refresh_url(environment))
    return urlunsplit((parts.scheme, parts.netloc, "/oauth/revoke", "", ""))
