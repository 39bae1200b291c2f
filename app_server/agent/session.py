"""What lives as long as a thread is loaded: history, settings, approvals, terminals, the log.

`emit` is the one place where something that happened becomes lasting and known: first the lines go
to the thread's file and are flushed, then the readable history grows, then listeners are told.
All of it happens in one step of the event loop, so every reader sees the same order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app_server import clock
from app_server.agent.approvals import ApprovalMemory
from app_server.agent.context import ToldContext
from app_server.agent.context_window import TokenInfo, estimate_items
from app_server.agent.events import ThreadEvent
from app_server.agent.history import History
from app_server.agent.projection.history import Timeline
from app_server.agent.projection.rollout import stored_lines, turn_context_line
from app_server.agent.settings import TurnSettings
from app_server.agent.tools.offer import tools_for
from app_server.agent.tools.registry import ToolRegistry
from app_server.prompts.environment import WorkEnvironment, current_date, local_timezone
from app_server.prompts.project_docs import ProjectDocs
from app_server.protocol.method import ServerMethod
from app_server.protocol.rate_limits import RateLimitSnapshot

if TYPE_CHECKING:
    from app_server.agent.services import AgentServices
    from app_server.agent.turn import Turn
    from app_server.config.resolve import Config
    from app_server.exec.sessions import TerminalSessions
    from app_server.model.client import ModelClient
    from app_server.patch.turn_diff import TurnDiff
    from app_server.storage.rollout import TurnContext
    from app_server.storage.rollout_write import RolloutWriter

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")


class Outlet(Protocol):
    """The world outside the thread."""

    def publish(self, event: ThreadEvent) -> None:
        """Tell whoever listens; called after the event was stored."""
        ...

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        """Put a question to whoever listens; raises `QuestionRefused`."""
        ...

    def interrupt(self, turn: Turn) -> None:
        """End a turn from inside, because an answer demands it."""
        ...

    def warn(self, message: str) -> None:
        """Tell whoever listens something that is not part of the conversation."""
        ...


class Session:
    """One loaded thread, as its turns and tools see it."""

    def __init__(
        self,
        *,
        thread_id: str,
        services: AgentServices,
        config: Config,
        settings: TurnSettings,
        model: ModelClient,
        outlet: Outlet,
        writer: RolloutWriter | None,
        project_docs: ProjectDocs,
        history: History | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.thread_id = thread_id
        self.services = services
        self.config = config
        self.settings = settings
        self.model = model
        self.outlet = outlet
        self.project_docs = project_docs
        self.history = history or History()
        self.timeline = timeline or Timeline()
        self.told: ToldContext | None = None
        self.tokens: TokenInfo | None = None
        self.rate_limits = RateLimitSnapshot(limit_id="codex")
        self.counted_items = 0
        self.compactions = 0
        self.approvals = ApprovalMemory()
        self.updated_at = int(clock.now())
        self._writer = writer
        self._cannot_store = False
        self._terminals: TerminalSessions | None = None

    def emit(self, event: ThreadEvent) -> None:
        """Store, then tell."""
        lines = stored_lines(event)
        if lines:
            self._store(lines)
            for line in lines:
                self.timeline.take(line)
        self.outlet.publish(event)

    def _store(self, lines: Sequence[Any]) -> None:
        self.updated_at = int(clock.now())
        if self._writer is None:
            return
        try:
            self._writer.append(lines)
        except OSError as error:
            log.warning("thread %s: cannot store: %s", self.thread_id, error)
            if not self._cannot_store:
                self._cannot_store = True
                self.outlet.warn(
                    f"This thread cannot be stored at the moment ({error.strerror or error}); "
                    "the conversation goes on and is stored once that is possible again."
                )
        else:
            self._cannot_store = False

    def tokens_in_context(self) -> int:
        """What the service counted last, and an estimate of what came since."""
        counted = self.tokens.last_token_usage.total_tokens if self.tokens else 0
        return counted + estimate_items(self.history.items[self.counted_items :])

    def tools_for(self, settings: TurnSettings) -> ToolRegistry:
        return tools_for(self.config, settings)

    def work_environment(self, settings: TurnSettings) -> WorkEnvironment:
        from app_server.exec.shell import user_shell  # with the first turn, not at start

        return WorkEnvironment(
            cwd=str(settings.cwd),
            shell=user_shell().name,
            current_date=current_date(clock.now()),
            timezone=local_timezone(),
        )

    def turn_context(self, turn_id: str, settings: TurnSettings) -> TurnContext:
        """The settings of a turn, as its line in the file holds them."""
        return turn_context_line(turn_id, settings, self.work_environment(settings))

    def new_turn_diff(self, cwd: Path) -> TurnDiff:
        from app_server.patch.turn_diff import TurnDiff

        return TurnDiff(cwd)
