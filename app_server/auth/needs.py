"""What a provider asks of whoever uses it: the sign-in, a key of its own, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app_server.auth.token_command import TokenCommand


class ProviderNeeds(Protocol):
    """What a provider says of how to sign in to it."""

    @property
    def env_key(self) -> str | None: ...

    @property
    def env_key_instructions(self) -> str | None: ...

    @property
    def bearer_token(self) -> str | None: ...

    @property
    def token_command(self) -> TokenCommand | None: ...

    @property
    def requires_openai_auth(self) -> bool: ...


class Remedy(Protocol):
    """What can be done about one refused request."""

    async def improve(self) -> bool:
        """Take the next step; False when none is left. Raises `RefreshFailed`."""
        ...


class _OpenAi:
    """What OpenAI's own services need: the sign-in and nothing else."""

    env_key: str | None = None
    env_key_instructions: str | None = None
    bearer_token: str | None = None
    token_command: TokenCommand | None = None
    requires_openai_auth = True


OPENAI: ProviderNeeds = _OpenAi()


class AuthSource(Protocol):
    """Where the model client gets its credentials."""

    async def headers(self, provider: ProviderNeeds) -> dict[str, str]:
        """Headers for one request; none for a provider that needs none.

        Raises `MissingKey` or `UnusableKey`.
        """
        ...

    def recovery(self, provider: ProviderNeeds) -> Remedy:
        """For one request: what to try when it is answered 401."""
        ...

    def origin(self, provider: ProviderNeeds) -> str | None:
        """Where the credentials of a request come from, in words; None if there are none."""
        ...

    @property
    def uses_chatgpt_backend(self) -> bool:
        """Whether OpenAI requests go to ChatGPT's address and not to the API's."""
        ...


def uses_sign_in(provider: ProviderNeeds) -> bool:
    """Whether requests to it carry the sign-in, and not a key of its own."""
    return (
        provider.requires_openai_auth and provider.env_key is None and provider.bearer_token is None
    )
