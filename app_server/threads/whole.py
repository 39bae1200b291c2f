"""Putting a thread together: its file, its session, its actor.

Works for threads without a past and for those that carry one (resumed, forked). Touches the disk,
so call it off the event loop; nothing is shared until the manager is given the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.agent.actor import Actor
from app_server.agent.history import History
from app_server.agent.projection.history import Timeline
from app_server.agent.session import Session
from app_server.protocol.thread import DynamicToolSpec
from app_server.protocol.thread_data import GitInfo, SessionSource
from app_server.storage import rollout
from app_server.storage.shapes import stored_source
from app_server.threads.loaded import LoadedThread, ThreadFacts
from app_server.threads.opening import Opening
from app_server.threads.restored import Restored
from app_server.version import COMPATIBLE_WITH

if TYPE_CHECKING:
    from app_server.storage.rollout_write import RolloutWriter
    from app_server.threads.manager import ThreadManager


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """A thread that is about to be."""

    id: str
    opening: Opening
    created_at: int
    source: SessionSource
    ephemeral: bool = False
    forked_from_id: str | None = None
    git_info: GitInfo | None = None
    """The repository around it, kept in its first line; clients see it once it was stored."""
    name: str | None = None
    keeps_actions: bool = False
    dynamic_tools: list[DynamicToolSpec] = []
    past: Restored | None = None
    """What it remembers, from its own file or its parent's."""


def make_thread(manager: ThreadManager, birth: Birth, writer: RolloutWriter | None) -> LoadedThread:
    """The whole thread; hand it to the manager to make it known."""
    opening, past = birth.opening, birth.past
    facts = ThreadFacts(
        id=birth.id,
        cwd=str(opening.settings.cwd),
        cli_version=COMPATIBLE_WITH,
        model_provider=opening.provider.id,
        source=birth.source,
        created_at=birth.created_at,
        ephemeral=birth.ephemeral,
        forked_from_id=birth.forked_from_id,
        name=birth.name,
        git_info=birth.git_info,
    )
    recorder = manager.services.recorder(opening.config)
    recording = None
    if recorder is not None:
        from app_server.threads.recording import Recording

        recording = Recording(recorder, birth.id, opening.settings.model)
    thread = LoadedThread(facts, manager.questions, manager.broadcast, recording)
    session = Session(
        thread_id=birth.id,
        services=manager.services,
        config=opening.config,
        settings=opening.settings,
        model=manager.services.model_client(opening.provider),
        outlet=thread,
        writer=writer,
        project_docs=opening.project_docs,
        rules=opening.rules.rules,
        history=History(past.items) if past else None,
        timeline=past.timeline if past else Timeline(),
        dynamic_tools=birth.dynamic_tools,
        keeps_actions=birth.keeps_actions or manager.services.session_source == "cli",
    )
    if past is not None:
        past.hand_over(session)
    for warning in opening.rules.warnings:
        if warning not in manager.services.told_warnings:
            thread.warn_of_config(warning)
    thread.load_settings = opening.load_again
    for sentence in opening.overruled:
        thread.warn(sentence)
    thread.actor = Actor(session, manager.start_task)
    return thread


def first_line(birth: Birth, originator: str) -> rollout.SessionMeta:
    """The line that says which thread a file holds."""
    opening = birth.opening
    git: rollout.GitFacts | None = None
    if birth.git_info is not None:
        found = birth.git_info
        git = rollout.GitFacts(
            commit_hash=found.sha, branch=found.branch, repository_url=found.origin_url
        )
    return rollout.SessionMeta(
        id=birth.id,
        forked_from_id=birth.forked_from_id,
        timestamp=clock.utc_timestamp(),
        cwd=str(opening.settings.cwd),
        originator=originator,
        cli_version=COMPATIBLE_WITH,
        source=stored_source(birth.source),
        model_provider=opening.provider.id,
        base_instructions=rollout.BaseInstructions(text=opening.settings.base_instructions),
        dynamic_tools=[msgspec.to_builtins(tool) for tool in birth.dynamic_tools] or None,
        git=git,
    )


async def git_info_of(cwd: Path) -> GitInfo | None:
    """The repository a thread starts in; None outside of one."""
    from app_server.git.facts import repository_facts

    facts = await repository_facts(cwd)
    if facts is None:
        return None
    return GitInfo(sha=facts.commit_hash, branch=facts.branch, origin_url=facts.repository_url)
