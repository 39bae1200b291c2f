"""Opening threads: start, resume, fork; and ceasing to hear one."""

from __future__ import annotations

from app_server.protocol.thread import (
    THREAD_FORK,
    THREAD_RESUME,
    THREAD_START,
    THREAD_STARTED,
    THREAD_UNSUBSCRIBE,
    ThreadForkParams,
    ThreadForkResponse,
    ThreadResumeParams,
    ThreadResumeResponse,
    ThreadStartedNotification,
    ThreadStartParams,
    ThreadStartResponse,
    ThreadUnsubscribeParams,
    ThreadUnsubscribeResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(THREAD_START)
async def start_thread(ctx: RequestContext, params: ThreadStartParams) -> ThreadStartResponse:
    loaded = await ctx.threads.start(params, ctx.connection)
    response = ThreadStartResponse(**loaded.opening(include_turns=True))
    started = ThreadStartedNotification(thread=response.thread)
    ctx.after_reply(lambda: ctx.threads.broadcast(THREAD_STARTED, started))
    ctx.after_reply(loaded.tell_warnings)
    return response


@handles(THREAD_RESUME)
async def resume_thread(ctx: RequestContext, params: ThreadResumeParams) -> ThreadResumeResponse:
    loaded = await ctx.threads.resume(params, ctx.connection)
    response = ThreadResumeResponse(**loaded.opening(include_turns=not params.exclude_turns))
    ctx.after_reply(lambda: loaded.catch_up(ctx.connection))
    return response


@handles(THREAD_FORK)
async def fork_thread(ctx: RequestContext, params: ThreadForkParams) -> ThreadForkResponse:
    loaded = await ctx.threads.fork(params, ctx.connection)
    response = ThreadForkResponse(**loaded.opening(include_turns=not params.exclude_turns))
    started = ThreadStartedNotification(thread=loaded.described(include_turns=False))
    ctx.after_reply(lambda: ctx.threads.broadcast(THREAD_STARTED, started))
    ctx.after_reply(lambda: loaded.tell_past(ctx.connection))
    ctx.after_reply(loaded.tell_warnings)
    return response


@handles(THREAD_UNSUBSCRIBE)
async def unsubscribe(
    ctx: RequestContext, params: ThreadUnsubscribeParams
) -> ThreadUnsubscribeResponse:
    status = ctx.threads.unsubscribe(params.thread_id, ctx.connection)
    return ThreadUnsubscribeResponse(status=status)
