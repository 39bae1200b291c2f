"""Things to do on a thread beside talking to it: make room, run a line, end what still
runs, let waiting time stand."""

from __future__ import annotations

from app_server.protocol.guardian import (
    THREAD_APPROVE_GUARDIAN_DENIED_ACTION,
    ThreadApproveGuardianDeniedActionParams,
    ThreadApproveGuardianDeniedActionResponse,
)
from app_server.protocol.thread_history import (
    THREAD_COMPACT_START,
    ThreadCompactStartParams,
    ThreadCompactStartResponse,
)
from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_CLEAN,
    THREAD_BACKGROUND_TERMINALS_LIST,
    THREAD_BACKGROUND_TERMINALS_TERMINATE,
    THREAD_DECREMENT_ELICITATION,
    THREAD_INCREMENT_ELICITATION,
    THREAD_SHELL_COMMAND,
    ThreadBackgroundTerminalsCleanParams,
    ThreadBackgroundTerminalsCleanResponse,
    ThreadBackgroundTerminalsListParams,
    ThreadBackgroundTerminalsListResponse,
    ThreadBackgroundTerminalsTerminateParams,
    ThreadBackgroundTerminalsTerminateResponse,
    ThreadDecrementElicitationParams,
    ThreadDecrementElicitationResponse,
    ThreadIncrementElicitationParams,
    ThreadIncrementElicitationResponse,
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


@handles(THREAD_APPROVE_GUARDIAN_DENIED_ACTION)
async def allow_refused(
    ctx: RequestContext, params: ThreadApproveGuardianDeniedActionParams
) -> ThreadApproveGuardianDeniedActionResponse:
    ctx.threads.loaded(params.thread_id).actor.allow_refused(params.event)
    return ThreadApproveGuardianDeniedActionResponse()


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


@handles(THREAD_INCREMENT_ELICITATION)
async def begin_elicitation(
    ctx: RequestContext, params: ThreadIncrementElicitationParams
) -> ThreadIncrementElicitationResponse:
    """The client asks its user something of its own: commands are not given up on meanwhile."""
    count = ctx.threads.loaded(params.thread_id).session.begin_elicitation()
    return ThreadIncrementElicitationResponse(count=count, paused=count > 0)


@handles(THREAD_DECREMENT_ELICITATION)
async def end_elicitation(
    ctx: RequestContext, params: ThreadDecrementElicitationParams
) -> ThreadDecrementElicitationResponse:
    count = ctx.threads.loaded(params.thread_id).session.end_elicitation()
    return ThreadDecrementElicitationResponse(count=count, paused=count > 0)
