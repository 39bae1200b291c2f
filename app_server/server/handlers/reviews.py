"""Reviewing a change, on the thread itself or beside it."""

from __future__ import annotations

from app_server.agent.review import checked_target
from app_server.protocol.review import REVIEW_START, ReviewStartParams, ReviewStartResponse
from app_server.protocol.thread import THREAD_STARTED, ThreadForkParams, ThreadStartedNotification
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(REVIEW_START)
async def start_review(ctx: RequestContext, params: ReviewStartParams) -> ReviewStartResponse:
    """A detached review works on a copy of the thread, which is announced before the answer."""
    target = checked_target(params.target)
    thread = ctx.threads.loaded(params.thread_id)
    if params.delivery == "detached":
        thread = await ctx.threads.fork(
            ThreadForkParams(thread_id=params.thread_id), ctx.connection
        )
        started = ThreadStartedNotification(thread=thread.described(include_turns=False))
        ctx.threads.broadcast(THREAD_STARTED, started)
        ctx.after_reply(thread.tell_warnings)
    turn, begin = thread.prepare_review(target)
    ctx.after_reply(begin)
    return ReviewStartResponse(turn=turn, review_thread_id=thread.thread_id)
