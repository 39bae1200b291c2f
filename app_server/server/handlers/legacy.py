"""Signing in and out by the names of the first generation, for clients that still use them.

Each is answered by the handler of today's name. A client that has called one of them is told by the
older names as well, for as long as it stays: `authStatusChange` whenever the sign-in changes, and
`loginChatGptComplete` for the sign-ins it has begun. Nobody else hears these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app_server.protocol.account import (
    ACCOUNT_LOGIN_COMPLETED,
    ACCOUNT_UPDATED,
    ApiKeyLoginAccountParams,
    AuthMode,
    ChatgptLoginAccountParams,
    ChatgptLoginAccountResponse,
)
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.legacy import (
    AUTH_STATUS_CHANGE,
    CANCEL_LOGIN_CHAT_GPT,
    LOGIN_API_KEY,
    LOGIN_CHAT_GPT,
    LOGIN_CHAT_GPT_COMPLETE,
    LOGOUT_CHAT_GPT,
    USER_INFO,
    AuthStatusChangeNotification,
    CancelLoginChatGptParams,
    CancelLoginChatGptResponse,
    LoginApiKeyParams,
    LoginApiKeyResponse,
    LoginChatGptCompleteNotification,
    LoginChatGptResponse,
    LogoutChatGptResponse,
    UserInfoResponse,
)
from app_server.server.context import RequestContext
from app_server.server.handlers.account import log_out
from app_server.server.handlers.login import log_in
from app_server.server.registry import handles

if TYPE_CHECKING:
    from app_server.protocol.method import ServerNotification
    from app_server.server.connection import Connection


@handles(LOGIN_API_KEY)
async def log_in_with_key(ctx: RequestContext, params: LoginApiKeyParams) -> LoginApiKeyResponse:
    _older_ears(ctx)
    await log_in(ctx, ApiKeyLoginAccountParams(api_key=params.api_key))
    return LoginApiKeyResponse()


@handles(LOGIN_CHAT_GPT)
async def log_in_with_chatgpt(ctx: RequestContext, params: None) -> LoginChatGptResponse:
    ears = _older_ears(ctx)
    begun = await log_in(ctx, ChatgptLoginAccountParams())
    assert isinstance(begun, ChatgptLoginAccountResponse)
    ears.begun.add(begun.login_id)
    return LoginChatGptResponse(login_id=begun.login_id, auth_url=begun.auth_url)


@handles(CANCEL_LOGIN_CHAT_GPT)
async def cancel_login(
    ctx: RequestContext, params: CancelLoginChatGptParams
) -> CancelLoginChatGptResponse:
    _older_ears(ctx)
    if not ctx.services.logins.cancel(params.login_id):
        raise InvalidRequest(f"login id not found: {params.login_id}")
    return CancelLoginChatGptResponse()


@handles(LOGOUT_CHAT_GPT)
async def log_out_of_chatgpt(ctx: RequestContext, params: None) -> LogoutChatGptResponse:
    _older_ears(ctx)
    await log_out(ctx, None)
    return LogoutChatGptResponse()


@handles(USER_INFO)
async def read_user_info(ctx: RequestContext, params: None) -> UserInfoResponse:
    found = await ctx.services.auth.ready()
    return UserInfoResponse(alleged_user_email=found.email if found is not None else None)


class _OlderEars:
    """What one client hears by the older names."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        """The sign-ins this client has begun, by id."""
        self._connection: Connection | None = None

    def open(self, connection: Connection) -> None:
        """Begin to listen, unless that was done before."""
        if self._connection is None:
            self._connection = connection
            connection.server.broadcast_listeners.append(self._hear)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.server.broadcast_listeners.remove(self._hear)

    def _hear(self, row: ServerNotification[Any], params: Any) -> None:
        assert self._connection is not None
        if row is ACCOUNT_UPDATED:
            # one word stood for every ChatGPT sign-in
            mode: AuthMode | None = params.auth_mode
            mode = "chatgpt" if mode == "chatgptAuthTokens" else mode
            changed = AuthStatusChangeNotification(auth_method=mode)
            self._connection.notify(AUTH_STATUS_CHANGE, changed)
        elif row is ACCOUNT_LOGIN_COMPLETED and params.login_id in self.begun:
            self.begun.discard(params.login_id)
            ended = LoginChatGptCompleteNotification(
                login_id=params.login_id, success=params.success, error=params.error
            )
            self._connection.notify(LOGIN_CHAT_GPT_COMPLETE, ended)


def _older_ears(ctx: RequestContext) -> _OlderEars:
    """Those of the client that calls, open from now on."""
    ears = ctx.connection.belonging(_OlderEars)
    ears.open(ctx.connection)
    return ears
