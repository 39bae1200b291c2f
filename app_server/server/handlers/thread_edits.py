"""Changing threads: name, archive, rollback, raw items."""

from __future__ import annotations

from app_server.protocol.thread import (
    THREAD_ARCHIVE,
    THREAD_ARCHIVED,
    THREAD_METADATA_UPDATE,
    THREAD_NAME_SET,
    THREAD_NAME_UPDATED,
    THREAD_UNARCHIVE,
    THREAD_UNARCHIVED,
    ThreadArchivedNotification,
    ThreadArchiveParams,
    ThreadArchiveResponse,
    ThreadMetadataUpdateParams,
    ThreadMetadataUpdateResponse,
    ThreadNameUpdatedNotification,
    ThreadSetNameParams,
    ThreadSetNameResponse,
    ThreadUnarchivedNotification,
    ThreadUnarchiveParams,
    ThreadUnarchiveResponse,
)
from app_server.protocol.thread_history import (
    THREAD_INJECT_ITEMS,
    THREAD_ROLLBACK,
    ThreadInjectItemsParams,
    ThreadInjectItemsResponse,
    ThreadRollbackParams,
    ThreadRollbackResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles
from app_server.threads.thread_ids import check_id


@handles(THREAD_NAME_SET)
async def set_name(ctx: RequestContext, params: ThreadSetNameParams) -> ThreadSetNameResponse:
    name = await ctx.threads.set_name(params.thread_id, params.name)
    update = ThreadNameUpdatedNotification(thread_id=check_id(params.thread_id), thread_name=name)
    ctx.after_reply(lambda: ctx.threads.broadcast(THREAD_NAME_UPDATED, update))
    return ThreadSetNameResponse()


@handles(THREAD_METADATA_UPDATE)
async def update_metadata(
    ctx: RequestContext, params: ThreadMetadataUpdateParams
) -> ThreadMetadataUpdateResponse:
    thread = await ctx.threads.update_metadata(params.thread_id, params.git_info)
    return ThreadMetadataUpdateResponse(thread=thread)


@handles(THREAD_ARCHIVE)
async def archive(ctx: RequestContext, params: ThreadArchiveParams) -> ThreadArchiveResponse:
    await ctx.threads.archive(params.thread_id)
    archived = ThreadArchivedNotification(thread_id=check_id(params.thread_id))
    ctx.after_reply(lambda: ctx.threads.broadcast(THREAD_ARCHIVED, archived))
    return ThreadArchiveResponse()


@handles(THREAD_UNARCHIVE)
async def unarchive(ctx: RequestContext, params: ThreadUnarchiveParams) -> ThreadUnarchiveResponse:
    thread = await ctx.threads.unarchive(params.thread_id)
    restored = ThreadUnarchivedNotification(thread_id=check_id(params.thread_id))
    ctx.after_reply(lambda: ctx.threads.broadcast(THREAD_UNARCHIVED, restored))
    return ThreadUnarchiveResponse(thread=thread)


@handles(THREAD_ROLLBACK)
async def roll_back(ctx: RequestContext, params: ThreadRollbackParams) -> ThreadRollbackResponse:
    thread = ctx.threads.roll_back(params.thread_id, params.num_turns)
    return ThreadRollbackResponse(thread=thread)


@handles(THREAD_INJECT_ITEMS)
async def inject_items(
    ctx: RequestContext, params: ThreadInjectItemsParams
) -> ThreadInjectItemsResponse:
    ctx.threads.loaded(params.thread_id).inject(params.items)
    return ThreadInjectItemsResponse()
