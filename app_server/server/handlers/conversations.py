"""Two calls of the first generation that clients still make: a stored conversation in short, and
what a folder holds that its remote does not.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from app_server import clock
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.legacy import (
    GET_CONVERSATION_SUMMARY,
    GIT_DIFF_TO_REMOTE,
    ConversationGitInfo,
    ConversationSummary,
    GetConversationSummaryParams,
    GetConversationSummaryResponse,
    GitDiffToRemoteParams,
    GitDiffToRemoteResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(GET_CONVERSATION_SUMMARY)
async def summarize(
    ctx: RequestContext, params: GetConversationSummaryParams
) -> GetConversationSummaryResponse:
    home = ctx.services.codex_home
    summary = await asyncio.to_thread(_summary, home, params)
    return GetConversationSummaryResponse(summary=summary)


@handles(GIT_DIFF_TO_REMOTE)
async def diff_to_remote(
    ctx: RequestContext, params: GitDiffToRemoteParams
) -> GitDiffToRemoteResponse:
    from app_server.git.remote_diff import diff_to_remote

    found = await diff_to_remote(ctx.services.cwd / params.cwd)
    if found is None:
        raise InvalidRequest(f'failed to compute git diff to remote for cwd: "{params.cwd}"')
    return GitDiffToRemoteResponse(sha=found.sha, diff=found.diff)


def _summary(home: Path, params: GetConversationSummaryParams) -> ConversationSummary:
    from app_server.storage.errors import RolloutUnusable
    from app_server.threads.stored import find_stored, named_file, read_stored

    if params.conversation_id is not None:
        path = find_stored(home, params.conversation_id)
        if path is None:
            raise InvalidRequest(f"no rollout found for conversation id {params.conversation_id}")
    elif params.rollout_path is not None:
        path = named_file(home / params.rollout_path)
    else:
        raise InvalidRequest("getConversationSummary requires conversationId or rolloutPath")
    try:
        stored = read_stored(home, path)
    except RolloutUnusable as error:
        raise InvalidRequest(f"failed to load conversation summary from {path}: {error}") from error
    thread = stored.described(include_turns=False)
    git = thread.git_info
    return ConversationSummary(
        conversation_id=thread.id,
        path=str(path),
        preview=thread.preview,
        timestamp=stored.meta.timestamp,
        updated_at=clock.utc_timestamp(thread.updated_at),
        model_provider=thread.model_provider,
        cwd=thread.cwd,
        cli_version=thread.cli_version,
        source=thread.source,
        git_info=None
        if git is None
        else ConversationGitInfo(sha=git.sha, branch=git.branch, origin_url=git.origin_url),
    )
