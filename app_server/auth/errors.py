"""What can go wrong with signing in.

    AuthError
    ├── StoreFailed        auth.json or the keyring could not be read or written
    ├── MissingKey         the variable that should hold a provider's key is unset or blank
    ├── TokenCommandFailed the program that should print a provider's token did not
    ├── UnusableKey        what should be a key or a token cannot be sent as one
    ├── IncompleteAccount  the stored sign-in names no e-mail address or plan
    ├── BadToken           not a token we can read
    ├── Unreachable        the sign-in service could not be asked
    ├── LoginFailed        a sign-in did not come to its end
    └── RefreshFailed      tokens could not be renewed; `is_final` until somebody signs in again

Messages are one sentence for a person and never contain a secret.
"""

from __future__ import annotations

from pathlib import Path


class AuthError(Exception):
    """Something about signing in went wrong."""


class StoreFailed(AuthError):
    """The place where the sign-in is kept cannot be read or written."""

    def __init__(self, doing: str, path: Path | str, reason: str) -> None:
        super().__init__(f"failed to {doing} {path}: {reason}")
        self.path = path
        self.reason = reason


class MissingKey(AuthError):
    """The variable that should hold a provider's key is unset or blank."""

    def __init__(self, variable: str, instructions: str | None) -> None:
        hint = f" {instructions}" if instructions else ""
        super().__init__(f"Missing environment variable: `{variable}`.{hint}")
        self.variable = variable


class TokenCommandFailed(AuthError):
    """The program that should print a provider's token did not."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"`{command}` gave no token for the provider: {reason}")
        self.command = command


class UnusableKey(AuthError):
    """What should be a key or a token cannot be sent as one."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"The key from {origin} cannot be used: it has spaces, line breaks or letters in it "
            "that no key has. Set it again."
        )
        self.origin = origin


class IncompleteAccount(AuthError):
    """The stored sign-in names no e-mail address or plan."""

    def __init__(self) -> None:
        super().__init__("email and plan type are required for chatgpt authentication")


class BadToken(AuthError):
    """Not a token we can read."""


class Unreachable(AuthError):
    """The sign-in service could not be asked."""


class LoginFailed(AuthError):
    """A sign-in did not come to its end."""


class RefreshFailed(AuthError):
    """Tokens could not be renewed."""

    def __init__(self, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.is_final = is_final
        """Whether only a new sign-in helps."""
