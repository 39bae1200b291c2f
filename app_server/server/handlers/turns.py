"""Talking to a thread: start a turn, add to it, end it."""

from __future__ import annotations

from app_server.protocol.turn import (
    TURN_INTERRUPT,
    TURN_START,
    TURN_STEER,
    TurnInterruptParams,
    TurnInterruptResponse,
    TurnStartParams,
    TurnStartResponse,
    TurnSteerParams,
    TurnSteerResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles
from app_server.server.startup import prewarm_commands


@handles(TURN_START)
async def start_turn(ctx: RequestContext, params: TurnStartParams) -> TurnStartResponse:
    turn, begin = ctx.threads.loaded(params.thread_id).prepare_turn(params)
    ctx.after_reply(begin)
    ctx.after_reply(lambda: prewarm_commands(ctx.server))
    return TurnStartResponse(turn=turn)


@handles(TURN_STEER)
async def steer_turn(ctx: RequestContext, params: TurnSteerParams) -> TurnSteerResponse:
    return TurnSteerResponse(turn_id=ctx.threads.loaded(params.thread_id).steer(params))


@handles(TURN_INTERRUPT)
async def interrupt_turn(ctx: RequestContext, params: TurnInterruptParams) -> TurnInterruptResponse:
    thread = ctx.threads.loaded(params.thread_id)
    thread.actor.check_interruptible(params.turn_id)
    ctx.after_reply(thread.actor.abort_turn)
    return TurnInterruptResponse()
