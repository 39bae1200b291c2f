"""Looking at threads without loading them: read, list, turns."""

from __future__ import annotations

from app_server.protocol.thread_history import (
    THREAD_LIST,
    THREAD_LOADED_LIST,
    THREAD_READ,
    THREAD_TURNS_LIST,
    ThreadListParams,
    ThreadListResponse,
    ThreadLoadedListParams,
    ThreadLoadedListResponse,
    ThreadReadParams,
    ThreadReadResponse,
    ThreadTurnsListParams,
    ThreadTurnsListResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(THREAD_READ)
async def read_thread(ctx: RequestContext, params: ThreadReadParams) -> ThreadReadResponse:
    thread = await ctx.threads.read(params.thread_id, include_turns=params.include_turns)
    return ThreadReadResponse(thread=thread)


@handles(THREAD_LIST)
async def list_threads(ctx: RequestContext, params: ThreadListParams) -> ThreadListResponse:
    return await ctx.threads.list(params)


@handles(THREAD_LOADED_LIST)
async def list_loaded(
    ctx: RequestContext, params: ThreadLoadedListParams
) -> ThreadLoadedListResponse:
    return ctx.threads.list_loaded(params)


@handles(THREAD_TURNS_LIST)
async def list_turns(ctx: RequestContext, params: ThreadTurnsListParams) -> ThreadTurnsListResponse:
    return await ctx.threads.list_turns(params)
