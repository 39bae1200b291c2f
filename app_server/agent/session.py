"""What lives as long as a thread is loaded: history, settings, approvals, terminals, the log.

`emit` is the one place where something that happened becomes lasting and known: first the lines go
to the thread's file and are flushed, then the readable history grows, then listeners are told.
All of it happens in one step of the event loop, so every reader sees the same order.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from app_server import clock
from app_server.agent.approvals import ApprovalMemory
from app_server.agent.context import ToldContext
from app_server.agent.context_window import TokenInfo, estimate_items, estimate_text, estimated
from app_server.agent.errors import NoElicitation
from app_server.agent.events import ItemsRecorded, ThreadEvent
from app_server.agent.history import History
from app_server.agent.input_queue import QueuedInput
from app_server.agent.model_facts import model_facts
from app_server.agent.open_items import OpenItems
from app_server.agent.projection.history import Timeline
from app_server.agent.projection.rollout import stored_lines, turn_context_line
from app_server.agent.settings import TurnSettings
from app_server.agent.tools.offer import tools_for
from app_server.agent.tools.registry import ToolRegistry
from app_server.agent.user_input import recorded_input
from app_server.exec.waiting import StoppableClock
from app_server.execpolicy.rules import PrefixRule, RuleSet
from app_server.prompts import text
from app_server.prompts.environment import WorkEnvironment, current_date, local_timezone
from app_server.prompts.project_docs import ProjectDocs
from app_server.protocol.method import ServerMethod
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    NetworkPolicyRuleAction,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.response_item import ResponseItem
from app_server.protocol.thread import DynamicToolSpec
from app_server.protocol.thread_shell import ThreadBackgroundTerminal

if TYPE_CHECKING:
    from app_server.agent.services import AgentServices
    from app_server.agent.turn import Turn
    from app_server.config.resolve import Config
    from app_server.exec.sessions import TerminalSessions
    from app_server.model.client import ModelClient
    from app_server.sandbox.policy import Access
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
        keeps_actions: bool = False,
        rules: RuleSet | None = None,
        dynamic_tools: Sequence[DynamicToolSpec] = (),
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
        self.dynamic_tools = dynamic_tools
        """Tools the client runs itself."""
        self.keeps_actions = keeps_actions
        """Whether commands and patches are stored, so that a rebuilt thread shows them."""
        self.told: ToldContext | None = None
        self.tokens: TokenInfo | None = None
        self.rate_limits = RateLimitSnapshot(limit_id="codex")
        self.counted_items = 0
        self.compactions = 0
        self.approvals = ApprovalMemory()
        self.rules = rules or RuleSet()
        """What the user and the folders' files say of commands."""
        self.unread: list[QueuedInput] = []
        """What was said to turns that were interrupted before the model read it."""
        self.updated_at = int(clock.now())
        self.warned_of: set[str] = set()
        """Models the user was told we know nothing about, and what they heard of sandboxes
        elsewhere."""
        self.open_items = OpenItems()
        self._writer = writer
        self._cannot_store = False
        self._terminals: TerminalSessions | None = None
        self._waiting_time = StoppableClock()
        self._elicitations = 0
        self.terminal_items: dict[int, str] = {}
        """Running terminals and the items that show them."""

    def emit(self, event: ThreadEvent) -> None:
        """Store, then tell."""
        self.open_items.happened(event)
        lines = stored_lines(event, keeps_actions=self.keeps_actions)
        if lines:
            self._store(lines)
            for line in lines:
                self.timeline.take(line)
        self.outlet.publish(event)

    @property
    def has_begun_its_file(self) -> bool:
        return self._writer is not None and not self._writer.has_unwritten

    @property
    def file(self) -> Path | None:
        """Where the thread is stored, or will be with its first turn; None: nowhere."""
        return None if self._writer is None else self._writer.path

    def file_moved(self, path: Path) -> None:
        """Go on writing where the file is now."""
        if self._writer is not None:
            self._writer.moved_to(path)

    def _store(self, lines: Sequence[Any]) -> None:
        self.updated_at = int(clock.now())
        if self._writer is None:
            return
        try:
            if self._writer.append(lines):
                self.outlet.warn(
                    "The file of this thread was deleted while the thread was in use; "
                    f"it has been written again: {self._writer.path}"
                )
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

    def inject(self, items: Sequence[ResponseItem]) -> None:
        """Append raw items to the history, outside any turn."""
        self.history.append(*items)
        self.emit(ItemsRecorded(turn_id=None, items=tuple(items)))

    def take_unread(self, before: QueuedInput) -> list[QueuedInput]:
        """What the model has not read, without what `before` says again."""
        unread, self.unread = self.unread, []
        return [message for message in unread if not before.repeats(message)]

    async def keep_unread(self) -> None:
        """Put into the history what no turn came for."""
        for message in self.unread:
            recorded = await asyncio.to_thread(recorded_input, message.parts, self.settings.cwd)
            self.inject([recorded])
        self.unread.clear()

    def tokens_in_context(self) -> int:
        """What the service counted last, and an estimate of what came since."""
        counted = self.tokens.last_token_usage.total_tokens if self.tokens else 0
        return counted + estimate_items(self.history.items[self.counted_items :])

    def window_is_full(self, context_window: int | None) -> None:
        """The service refuses more: whatever was counted, the next turn makes room first."""
        if context_window is not None:
            self.tokens = estimated(self.tokens, context_window, context_window)
            self.counted_items = len(self.history.items)

    def estimated_context(self) -> int:
        """Tokens of a request as it would be sent now, by estimate alone."""
        instructions = estimate_text(self.settings.base_instructions)
        return instructions + estimate_items(self.history.items)

    def tools_for(self, settings: TurnSettings) -> ToolRegistry:
        has_environment = self.services.has_environment(settings.environment)
        return tools_for(self.config, settings, self.dynamic_tools, has_environment=has_environment)

    def resolved(self, settings: TurnSettings) -> TurnSettings:
        """The settings with the facts of the model they name."""
        if settings.model == settings.facts.slug:
            return settings
        return msgspec.structs.replace(settings, facts=model_facts(self.config, settings.model))

    @property
    def compact_prompt(self) -> str:
        return self.config.compact_prompt or text("compact.md")

    async def terminals(self) -> TerminalSessions:
        """The thread's terminals; the process service starts with the first command."""
        if self._terminals is None:
            from app_server.exec.sessions import TerminalSessions

            environment = await self.services.environment()
            self._terminals = self._terminals or TerminalSessions(
                environment, self.config.background_terminal_max_timeout_ms, self._waiting_time
            )
        return self._terminals

    def begin_elicitation(self) -> int:
        """A client asks its user something out of our sight; returns how many do so now.

        Waiting for commands stands still until `end_elicitation` was called as often.
        """
        self._elicitations += 1
        self._waiting_time.pause()
        return self._elicitations

    def end_elicitation(self) -> int:
        """Undo one `begin_elicitation`. Raises `NoElicitation`."""
        if not self._elicitations:
            raise NoElicitation
        self._elicitations -= 1
        self._waiting_time.resume()
        return self._elicitations

    async def end_terminals(self) -> None:
        """End every command that still runs."""
        if self._terminals is not None:
            for running in self._terminals.running():
                await self._terminals.terminate(running.session_id)

    async def end_terminal(self, process_id: str) -> bool:
        """End one command; False where none of this id runs."""
        if self._terminals is None or not process_id.isdecimal():
            return False
        return await self._terminals.terminate(int(process_id))

    def background_terminals(self) -> list[ThreadBackgroundTerminal]:
        """The commands that run, oldest first."""
        from app_server.execpolicy.shell_quote import shell_join

        running = [] if self._terminals is None else self._terminals.running()
        return [
            ThreadBackgroundTerminal(
                item_id=self.terminal_items.get(one.session_id, ""),
                process_id=str(one.session_id),
                command=shell_join(one.command),
                cwd=one.cwd,
                os_pid=one.pid,
            )
            for one in running
        ]

    async def allow_prefix(self, prefix: Sequence[str]) -> None:
        """Let commands that begin like this run unasked from now on."""
        from app_server.execpolicy.amend import append_allow_rule

        pattern = tuple((word,) for word in prefix)
        self.rules = self.rules.with_rule(PrefixRule(pattern=pattern))
        try:
            await asyncio.to_thread(append_allow_rule, self.services.codex_home, prefix)
        except OSError as error:
            self.outlet.warn(f"The rule holds for this thread only; it was not written: {error}")

    async def keep_network_rule(
        self, host: str, protocol: str, decision: NetworkPolicyRuleAction
    ) -> None:
        """Answer so whenever this host is wanted, from now on."""
        from app_server.execpolicy.amend import append_network_rule
        from app_server.execpolicy.rules import NetworkRule

        rule = NetworkRule(host=host, protocol=protocol, decision=decision)
        self.rules = self.rules.with_network_rule(rule)
        try:
            await asyncio.to_thread(append_network_rule, self.services.codex_home, rule)
        except OSError as error:
            self.outlet.warn(f"The rule holds for this thread only; it was not written: {error}")

    def access(self, settings: TurnSettings) -> Access:
        """What commands of this thread may do."""
        from app_server.sandbox.policy import resolve_access

        return resolve_access(
            settings.confinement,
            settings.cwd,
            os.environ,
            codex_home=self.services.codex_home,
            found_by_patterns=(),  # one path at a time is judged by the patterns themselves
        )

    def writable_roots(self, settings: TurnSettings) -> list[str]:
        if not isinstance(settings.sandbox_policy, WorkspaceWriteSandboxPolicy):
            return []
        return [root.path for root in self.access(settings).writable_roots]

    def may_write(self, settings: TurnSettings, real: Path) -> bool:
        """Whether the policy lets this link-free path be written or removed."""
        return self.access(settings).may_write(str(real))

    def may_read(self, settings: TurnSettings, path: Path) -> bool:
        """Whether the policy lets this file be read, links followed."""
        if settings.permission_profile is None:
            return True
        return self.access(settings).may_read(os.path.realpath(path))

    def sandbox_label(self, settings: TurnSettings) -> str:
        """The name of what holds this thread's commands, for a request's headers."""
        match settings.sandbox_policy:
            case DangerFullAccessSandboxPolicy():
                return "none"
            case ExternalSandboxSandboxPolicy():
                return "external"
            case _:
                return "seccomp"

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

    async def close(self) -> None:
        """End what runs for the thread and let go of its file."""
        await self.keep_unread()
        if self._terminals is not None:
            await self._terminals.close()
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError as error:
                log.error("thread %s: lines were not stored: %s", self.thread_id, error)
