"""Who is signed in, how much of the account is used, and signing out. Signing in: `login`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from app_server.auth.errors import AuthError
from app_server.protocol.account import (
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    GetAccountParams,
    GetAccountResponse,
    LogoutAccountResponse,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.legacy import GET_AUTH_STATUS, GetAuthStatusParams, GetAuthStatusResponse
from app_server.protocol.rate_limits import (
    ACCOUNT_RATE_LIMITS_READ,
    ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL,
    GetAccountRateLimitsResponse,
    SendAddCreditsNudgeEmailParams,
    SendAddCreditsNudgeEmailResponse,
)
from app_server.server.context import RequestContext
from app_server.server.handlers.login import tell_who_is_signed_in
from app_server.server.registry import handles

if TYPE_CHECKING:
    from app_server.auth.account_service import AccountService


@handles(ACCOUNT_READ)
async def read_account(ctx: RequestContext, params: GetAccountParams) -> GetAccountResponse:
    provider = await asyncio.to_thread(ctx.services.default_provider)
    auth = ctx.services.auth
    await auth.ready()
    if params.refresh_token:
        with suppress(AuthError):
            await auth.refresh()
    return auth.account(requires_openai_auth=provider.requires_openai_auth)


@handles(ACCOUNT_LOGOUT)
async def log_out(ctx: RequestContext, params: None) -> LogoutAccountResponse:
    auth = ctx.services.auth
    await ctx.services.logins.end_current()
    try:
        await auth.sign_out()
    except AuthError as error:
        raise InternalError(f"logout failed: {error}") from error
    ctx.after_reply(lambda: tell_who_is_signed_in(ctx.server))
    return LogoutAccountResponse()


@handles(ACCOUNT_RATE_LIMITS_READ)
async def read_rate_limits(ctx: RequestContext, params: None) -> GetAccountRateLimitsResponse:
    service = await _account_service(ctx, "read rate limits")
    try:
        limits = await service.limits()
    except AuthError as problem:
        raise InternalError(f"failed to fetch codex rate limits: {problem}") from problem
    return GetAccountRateLimitsResponse(
        rate_limits=limits[0],
        rate_limits_by_limit_id={limit.limit_id: limit for limit in limits if limit.limit_id},
    )


@handles(ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL)
async def nudge_owner(
    ctx: RequestContext, params: SendAddCreditsNudgeEmailParams
) -> SendAddCreditsNudgeEmailResponse:
    service = await _account_service(ctx, "notify workspace owner")
    try:
        status = await service.nudge_owner(params.credit_type)
    except AuthError as problem:
        raise InternalError(f"failed to notify workspace owner: {problem}") from problem
    return SendAddCreditsNudgeEmailResponse(status=status)


@handles(GET_AUTH_STATUS)
async def read_auth_status(
    ctx: RequestContext, params: GetAuthStatusParams
) -> GetAuthStatusResponse:
    provider = await asyncio.to_thread(ctx.services.default_provider)
    if not provider.requires_openai_auth:
        return GetAuthStatusResponse(requires_openai_auth=False)
    auth = ctx.services.auth
    await auth.ready()
    if params.refresh_token:
        with suppress(AuthError):
            await auth.refresh()
    found = auth.credentials
    if found is None:
        return GetAuthStatusResponse(requires_openai_auth=True)
    gives_token = params.include_token and not auth.is_beyond_renewal
    return GetAuthStatusResponse(
        auth_method=found.mode,
        auth_token=found.bearer.reveal() if gives_token else None,
        requires_openai_auth=True,
    )


async def _account_service(ctx: RequestContext, purpose: str) -> AccountService:
    """The backend as the signed-in user; `purpose` completes the words for who has no account."""
    from app_server.auth.account_service import AccountService

    services = ctx.services
    found = await services.auth.ready()
    if found is None:
        raise InvalidRequest(f"codex account authentication required to {purpose}")
    if not found.uses_chatgpt_backend:
        raise InvalidRequest(f"chatgpt authentication required to {purpose}")
    config = await asyncio.to_thread(services.current_config)
    return AccountService(
        config.chatgpt_base_url, services.auth, services.http, services.user_agent
    )
