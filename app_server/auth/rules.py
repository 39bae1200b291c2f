"""What an administrator allows: one way of signing in, one workspace. Pure."""

from __future__ import annotations

from typing import Literal, Protocol

from app_server.auth.credentials import Credentials

API_KEYS_DISABLED = "API key login is disabled. Use ChatGPT login instead."
CHATGPT_DISABLED = "ChatGPT login is disabled. Use API key login instead."
LENT_TOKENS_DISABLED = "External ChatGPT auth is disabled. Use API key login instead."


class LoginSettings(Protocol):
    """The two settings, as the configuration has them."""

    @property
    def forced_login_method(self) -> Literal["chatgpt", "api"] | None: ...

    @property
    def forced_chatgpt_workspace_id(self) -> str | None: ...


def violation(credentials: Credentials | None, rules: LoginSettings) -> str | None:
    """Why this sign-in must not be used; None if it may."""
    if credentials is None:
        return None
    if rules.forced_login_method == "api" and credentials.uses_chatgpt_backend:
        return "API key login is required, but ChatGPT is currently being used. Logging out."
    if rules.forced_login_method == "chatgpt" and not credentials.uses_chatgpt_backend:
        return "ChatGPT login is required, but an API key is currently being used. Logging out."
    workspace = rules.forced_chatgpt_workspace_id
    if workspace is None or not credentials.uses_chatgpt_backend:
        return None
    if credentials.account_id is None:
        return (
            f"Login is restricted to workspace {workspace}, but current credentials lack a "
            "workspace identifier. Logging out."
        )
    if credentials.account_id != workspace:
        return (
            f"Login is restricted to workspace {workspace}, but current credentials belong to "
            f"{credentials.account_id}. Logging out."
        )
    return None
