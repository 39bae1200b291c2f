"""Things to do on a thread beside talking to it: make room, run a line, end what still runs."""

from __future__ import annotations

from app_server.protocol.thread_history import (
    THREAD_COMPACT_START,
    ThreadCompactStartParams,
    ThreadCompactStartResponse,
)
from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_CLEAN,
    THREAD_BACKGROUND_TERMINALS_LIST,
    THREAD_BACKGROUND_TERMINALS_TERMINATE,
    THREAD_SHELL_COMMAND,
    ThreadBackgroundTerminalsCleanParams,
    ThreadBackgroundTerminalsCleanResponse,
    ThreadBackgroundTerminalsListParams,
    ThreadBackgroundTerminalsListResponse,
    ThreadBackgroundTerminalsTerminateParams,
    ThreadBackgroundTerminalsTerminateResponse,
    ThreadShellCommandParams,
    ThreadShellCommandResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(THREAD_COMPACT_START)
async def compact(
    ctx: RequestContext, params: ThreadCompactStartParams
) -> ThreadCompactStartResponse:
    ctx.after_reply(ctx.threads.loaded(params.thread_id).prepare_compaction())
    return ThreadCompactStartResponse()


@handles(THREAD_SHELL_COMMAND)
async def run_users_line(
    ctx: RequestContext, params: ThreadShellCommandParams
) -> ThreadShellCommandResponse:
    ctx.after_reply(ctx.threads.loaded(params.thread_id).prepare_user_command(params.command))
    return ThreadShellCommandResponse()


@handles(THREAD_BACKGROUND_TERMINALS_CLEAN)
async def end_background_terminals(
    ctx: RequestContext, params: ThreadBackgroundTerminalsCleanParams
) -> ThreadBackgroundTerminalsCleanResponse:
    await ctx.threads.loaded(params.thread_id).session.end_terminals()
    return ThreadBackgroundTerminalsCleanResponse()


@handles(THREAD_BACKGROUND_TERMINALS_LIST)
async def list_background_terminals(
    ctx: RequestContext, params: ThreadBackgroundTerminalsListParams
) -> ThreadBackgroundTerminalsListResponse:
    """All of them in one page: a thread has a few dozen at most."""
    running = ctx.threads.loaded(params.thread_id).session.background_terminals()
    return ThreadBackgroundTerminalsListResponse(data=running)


@handles(THREAD_BACKGROUND_TERMINALS_TERMINATE)
async def end_background_terminal(
    ctx: RequestContext, params: ThreadBackgroundTerminalsTerminateParams
) -> ThreadBackgroundTerminalsTerminateResponse:
    session = ctx.threads.loaded(params.thread_id).session
    return ThreadBackgroundTerminalsTerminateResponse(
        terminated=await session.end_terminal(params.process_id)
    )
