"""Signing in, in four ways: a key, a host's tokens, a browser, a code typed elsewhere.

Key and tokens are in use when the call is answered. Browser and code are answered with what to show
the user; their end is told later to every client, by `account/login/completed` and, where it
succeeded, `account/updated`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server.auth import rules
from app_server.auth.credentials import is_usable
from app_server.auth.errors import AuthError
from app_server.ids import is_uuid
from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETE,
    ACCOUNT_LOGIN_COMPLETED,
    ACCOUNT_LOGIN_START,
    ACCOUNT_UPDATED,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ApiKeyLoginAccountParams,
    ApiKeyLoginAccountResponse,
    CancelLoginAccountParams,
    CancelLoginAccountResponse,
    ChatgptAuthTokensLoginAccountParams,
    ChatgptAuthTokensLoginAccountResponse,
    ChatgptDeviceCodeLoginAccountParams,
    ChatgptDeviceCodeLoginAccountResponse,
    ChatgptLoginAccountParams,
    ChatgptLoginAccountResponse,
    CompleteLoginAccountParams,
    CompleteLoginAccountResponse,
    LoginAccountParams,
    LoginAccountResponse,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.server.context import RequestContext
from app_server.server.registry import handles

if TYPE_CHECKING:
    from app_server.config.resolve import Config
    from app_server.server.server import Server

LENT_TOKENS_IN_USE = (
    "External auth is active. Use account/login/start (chatgptAuthTokens) to update it or "
    "account/logout to clear it."
)


@handles(ACCOUNT_LOGIN_START)
async def log_in(ctx: RequestContext, params: LoginAccountParams) -> LoginAccountResponse:
    config = await asyncio.to_thread(ctx.services.current_config)
    await ctx.services.auth.ready()
    if isinstance(params, ChatgptAuthTokensLoginAccountParams):
        return await _use_host_tokens(ctx, config, params)
    if ctx.services.auth.is_lent:
        raise InvalidRequest(LENT_TOKENS_IN_USE)
    match params:
        case ApiKeyLoginAccountParams():
            return await _keep_key(ctx, config, params)
        case ChatgptLoginAccountParams():
            return await _begin_in_browser(ctx, config, params)
        case ChatgptDeviceCodeLoginAccountParams():
            return await _begin_with_device(ctx, config)


@handles(ACCOUNT_LOGIN_CANCEL)
async def cancel_login(
    ctx: RequestContext, params: CancelLoginAccountParams
) -> CancelLoginAccountResponse:
    if not is_uuid(params.login_id):
        raise InvalidRequest(f"invalid login id: {params.login_id}")
    was_going_on = ctx.services.logins.cancel(params.login_id)
    return CancelLoginAccountResponse(status="canceled" if was_going_on else "notFound")


@handles(ACCOUNT_LOGIN_COMPLETE)
async def complete_login(
    ctx: RequestContext, params: CompleteLoginAccountParams
) -> CompleteLoginAccountResponse:
    if not ctx.services.logins.come_back(params.login_id, params.callback_url):
        raise InvalidRequest("this is not the address that this sign-in ends on")
    return CompleteLoginAccountResponse()


def tell_who_is_signed_in(server: Server) -> None:
    """Told to every client whenever the sign-in has changed."""
    auth = server.services.auth
    update = AccountUpdatedNotification(auth_mode=auth.mode, plan_type=auth.plan_type)
    server.broadcast(ACCOUNT_UPDATED, update)


async def _keep_key(
    ctx: RequestContext, config: Config, params: ApiKeyLoginAccountParams
) -> ApiKeyLoginAccountResponse:
    if config.forced_login_method == "chatgpt":
        raise InvalidRequest(rules.API_KEYS_DISABLED)
    if not is_usable(params.api_key.strip()):
        raise InvalidRequest("what was given is not an API key: it is empty, or has spaces in it")
    await ctx.services.logins.end_current()
    try:
        await asyncio.to_thread(ctx.services.auth.login_with_api_key, params.api_key)
    except AuthError as problem:
        raise InternalError(f"failed to save api key: {problem}") from problem
    ctx.after_reply(lambda: _tell_end(ctx.server, None, None))
    return ApiKeyLoginAccountResponse()


async def _use_host_tokens(
    ctx: RequestContext, config: Config, params: ChatgptAuthTokensLoginAccountParams
) -> ChatgptAuthTokensLoginAccountResponse:
    from app_server.auth.host_tokens import HostTokens

    if config.forced_login_method == "api":
        raise InvalidRequest(rules.LENT_TOKENS_DISABLED)
    allowed, given = config.forced_chatgpt_workspace_id, params.chatgpt_account_id
    if allowed is not None and given != allowed:
        raise InvalidRequest(f'External auth must use workspace {allowed}, but received "{given}".')
    lent = HostTokens(
        access_token=params.access_token, account_id=given, plan=params.chatgpt_plan_type
    )
    await ctx.services.logins.end_current()
    try:
        await asyncio.to_thread(ctx.services.auth.login_with_host_tokens, lent)
    except AuthError as problem:
        raise InternalError(str(problem)) from problem
    ctx.after_reply(lambda: _tell_end(ctx.server, None, None))
    return ChatgptAuthTokensLoginAccountResponse()


async def _begin_in_browser(
    ctx: RequestContext, config: Config, params: ChatgptLoginAccountParams
) -> ChatgptLoginAccountResponse:
    if config.forced_login_method == "api":
        raise InvalidRequest(rules.CHATGPT_DISABLED)
    server = ctx.server
    try:
        login_id, auth_url = await ctx.services.logins.begin_in_browser(
            lambda login_id, problem: _tell_end(server, login_id, problem),
            originator=ctx.services.originator,
            workspace_id=config.forced_chatgpt_workspace_id,
            is_streamlined=params.codex_streamlined_login,
        )
    except AuthError as problem:
        raise InternalError(f"failed to start login server: {problem}") from problem
    return ChatgptLoginAccountResponse(login_id=login_id, auth_url=auth_url)


async def _begin_with_device(
    ctx: RequestContext, config: Config
) -> ChatgptDeviceCodeLoginAccountResponse:
    if config.forced_login_method == "api":
        raise InvalidRequest(rules.CHATGPT_DISABLED)
    server = ctx.server
    try:
        login_id, code = await ctx.services.logins.begin_with_device(
            lambda login_id, problem: _tell_end(server, login_id, problem),
            workspace_id=config.forced_chatgpt_workspace_id,
        )
    except AuthError as problem:
        raise InternalError(f"failed to request device code: {problem}") from problem
    return ChatgptDeviceCodeLoginAccountResponse(
        login_id=login_id, user_code=code.user_code, verification_url=code.verification_url
    )


def _tell_end(server: Server, login_id: str | None, problem: str | None) -> None:
    completed = AccountLoginCompletedNotification(
        login_id=login_id, success=problem is None, error=problem
    )
    server.broadcast(ACCOUNT_LOGIN_COMPLETED, completed)
    if problem is None:
        tell_who_is_signed_in(server)
