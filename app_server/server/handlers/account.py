"""Who is signed in: read, sign in with a key, sign out.

Signing in through a browser, with a device code or with a host's tokens is not part of this
release; those calls say so.
"""

from __future__ import annotations

import asyncio

from app_server.ids import is_uuid
from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETED,
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    ACCOUNT_UPDATED,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ApiKeyLoginAccountParams,
    ApiKeyLoginAccountResponse,
    CancelLoginAccountParams,
    CancelLoginAccountResponse,
    GetAccountParams,
    GetAccountResponse,
    LoginAccountParams,
    LoginAccountResponse,
    LogoutAccountResponse,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.legacy import GET_AUTH_STATUS, GetAuthStatusParams, GetAuthStatusResponse
from app_server.protocol.rate_limits import ACCOUNT_RATE_LIMITS_READ, GetAccountRateLimitsResponse
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(ACCOUNT_READ)
async def read_account(ctx: RequestContext, params: GetAccountParams) -> GetAccountResponse:
    provider = await asyncio.to_thread(ctx.services.default_provider)
    auth = ctx.services.auth
    return await asyncio.to_thread(auth.account, requires_openai_auth=provider.requires_openai_auth)


@handles(ACCOUNT_LOGIN_START)
async def log_in(ctx: RequestContext, params: LoginAccountParams) -> LoginAccountResponse:
    if not isinstance(params, ApiKeyLoginAccountParams):
        raise InvalidRequest(
            f"`account/login/start` of type `{params.__struct_config__.tag}` is not implemented "
            "yet in this release; sign in with an API key"
        )
    config = await asyncio.to_thread(ctx.services.current_config)
    if config.forced_login_method == "chatgpt":
        raise InvalidRequest("API key login is disabled. Use ChatGPT login instead.")
    await asyncio.to_thread(ctx.services.auth.login_with_api_key, params.api_key)
    completed = AccountLoginCompletedNotification(success=True)
    ctx.after_reply(lambda: ctx.server.broadcast(ACCOUNT_LOGIN_COMPLETED, completed))
    ctx.after_reply(lambda: _tell_who_is_signed_in(ctx))
    return ApiKeyLoginAccountResponse()


@handles(ACCOUNT_LOGIN_CANCEL)
async def cancel_login(
    ctx: RequestContext, params: CancelLoginAccountParams
) -> CancelLoginAccountResponse:
    """No sign-in takes time in this release, so there is never one to cancel."""
    if not is_uuid(params.login_id):
        raise InvalidRequest(f"invalid login id: {params.login_id}")
    return CancelLoginAccountResponse(status="notFound")


@handles(ACCOUNT_LOGOUT)
async def log_out(ctx: RequestContext, params: None) -> LogoutAccountResponse:
    from app_server.auth.errors import AuthError

    try:
        await asyncio.to_thread(ctx.services.auth.logout)
    except AuthError as error:
        raise InternalError(f"logout failed: {error}") from error
    ctx.after_reply(lambda: _tell_who_is_signed_in(ctx))
    return LogoutAccountResponse()


@handles(ACCOUNT_RATE_LIMITS_READ)
async def read_rate_limits(ctx: RequestContext, params: None) -> GetAccountRateLimitsResponse:
    credentials = await asyncio.to_thread(lambda: ctx.services.auth.credentials)
    if credentials is None:
        raise InvalidRequest("codex account authentication required to read rate limits")
    if not credentials.uses_chatgpt_backend:
        raise InvalidRequest("chatgpt authentication required to read rate limits")
    raise InvalidRequest(
        "`account/rateLimits/read` is not implemented yet in this release; the limits that came "
        "with the last answer are told by `account/rateLimits/updated`"
    )


@handles(GET_AUTH_STATUS)
async def read_auth_status(
    ctx: RequestContext, params: GetAuthStatusParams
) -> GetAuthStatusResponse:
    provider = await asyncio.to_thread(ctx.services.default_provider)
    if not provider.requires_openai_auth:
        return GetAuthStatusResponse(requires_openai_auth=False)
    found = await asyncio.to_thread(lambda: ctx.services.auth.credentials)
    if found is None:
        return GetAuthStatusResponse(requires_openai_auth=True)
    return GetAuthStatusResponse(
        auth_method=found.mode,
        auth_token=found.bearer.reveal() if params.include_token else None,
        requires_openai_auth=True,
    )


def _tell_who_is_signed_in(ctx: RequestContext) -> None:
    auth = ctx.services.auth
    update = AccountUpdatedNotification(auth_mode=auth.mode, plan_type=auth.plan_type)
    ctx.server.broadcast(ACCOUNT_UPDATED, update)
