"""Forgetting the last turns of a loaded thread. Files the agent changed stay as they are."""

from __future__ import annotations

from app_server import ids
from app_server.agent.context_window import estimated
from app_server.agent.events import RolledBack, TokensCounted
from app_server.protocol.thread_data import Thread
from app_server.threads.errors import Refused
from app_server.threads.loaded import LoadedThread


def roll_back(thread: LoadedThread, num_turns: int) -> Thread:
    """Drop the last turns from what the model and readers see; the file keeps a marker."""
    if num_turns < 1:
        raise Refused("numTurns must be >= 1")
    if thread.actor.running:
        raise Refused("Cannot rollback while a turn is in progress.")
    if thread.session.file is None:
        raise Refused("thread rollback requires persisted thread history")
    session = thread.session
    session.history.drop_last_turns(num_turns)
    session.told = None
    session.counted_items = len(session.history.items)
    session.tokens = estimated(
        session.tokens,
        session.estimated_context(),
        session.settings.context_window,
    )
    session.emit(RolledBack(num_turns=num_turns))
    session.emit(
        TokensCounted(turn_id=ids.uuid7(), info=session.tokens, rate_limits=session.rate_limits)
    )
    return thread.described(include_turns=True)
