"""Another mind inside a turn: a session of its own that answers one question, then is gone.

It shares the thread's model connection and place of work, and nothing of the conversation. Where
its doings go is its outlet's business; what it has started ends with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app_server.agent.input_queue import QueuedInput
from app_server.agent.settings import TurnSettings
from app_server.execpolicy.rules import RuleSet
from app_server.prompts.project_docs import ProjectDocs
from app_server.protocol.user_input import TextUserInput

if TYPE_CHECKING:
    from app_server.agent.session import Outlet
    from app_server.agent.turn import Turn


async def answer_of(
    turn: Turn,
    question: str,
    settings: TurnSettings,
    *,
    subagent: str,
    outlet: Outlet,
    project_docs: ProjectDocs,
    rules: RuleSet | None = None,
) -> str | None:
    """Its last message, None where it ended without one. Raises `ModelError`.

    `subagent` says in request headers what this mind is for.
    """
    from app_server.agent.session import Session  # session and turn know this module's callers
    from app_server.agent.turn import Turn as InnerTurn

    session = turn.session
    mind = Session(
        thread_id=session.thread_id,
        services=session.services,
        config=msgspec.structs.replace(session.config, web_search="disabled"),
        settings=session.resolved(settings),
        model=session.model,
        outlet=outlet,
        writer=None,
        project_docs=project_docs,
        rules=rules,
    )
    mind.warned_of = session.warned_of
    inner = InnerTurn(mind, turn.id, mind.settings, kind="review")
    inner.subagent = subagent
    try:
        return await inner.answer_to(QueuedInput.of([TextUserInput(text=question)]))
    finally:
        inner.closed = True  # what still unwinds says nothing
        await mind.close()
