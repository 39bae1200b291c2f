"""A thread in memory: its actor, who hears it, what it is doing.

This is the thread's outlet: what the actor says has happened becomes status changes for everyone
and notifications for its subscribers, in the order it happened. Joining reads the present state and
subscribes in one step, so the joiner misses nothing and hears nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from app_server import clock
from app_server.agent.context_window import as_wire
from app_server.agent.events import (
    Renamed,
    ThreadEvent,
    TurnAborted,
    TurnCompleted,
    TurnFailed,
    TurnStarted,
)
from app_server.agent.projection.notifications import notifications
from app_server.agent.user_input import MAX_INPUT_CHARS, input_chars
from app_server.protocol.approvals import ITEM_TOOL_CALL, ITEM_TOOL_REQUEST_USER_INPUT
from app_server.protocol.errors import InvalidParams
from app_server.protocol.method import ServerMethod, ServerNotification
from app_server.protocol.notices import (
    CONFIG_WARNING,
    WARNING,
    ConfigWarningNotification,
    WarningNotification,
)
from app_server.protocol.permissions import (
    ManagedPermissionProfile,
    PermissionProfile,
    SandboxPolicy,
)
from app_server.protocol.response_item import (
    OtherResponseItem,
    ResponseItem,
    decode_response_item,
)
from app_server.protocol.review import ReviewTarget
from app_server.protocol.thread import (
    THREAD_STATUS_CHANGED,
    THREAD_TOKEN_USAGE_UPDATED,
    ThreadStatusChangedNotification,
    ThreadTokenUsageUpdatedNotification,
)
from app_server.protocol.thread_data import GitInfo, SessionSource, Thread, ThreadStatus, Turn
from app_server.protocol.turn import (
    TURN_PLAN_UPDATED,
    TurnPlanUpdatedNotification,
    TurnStartParams,
    TurnSteerParams,
)
from app_server.protocol.user_input import UserInput
from app_server.threads.errors import Refused
from app_server.threads.status import StatusFacts
from app_server.threads.subscriptions import Subscriber, Subscriptions

if TYPE_CHECKING:
    from app_server.agent.actor import Actor
    from app_server.agent.session import Session
    from app_server.agent.turn import Turn as AgentTurn
    from app_server.config.load import LoadedConfig
    from app_server.threads.recording import Recording

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

Broadcast = Callable[[ServerNotification[Any], Any], None]


class QuestionDesk(Protocol):
    """The server's open questions; `server.questions.Questions` implements it."""

    async def ask(
        self,
        row: ServerMethod[P, R],
        params: P,
        audience: Callable[[], list[Subscriber]],
        *,
        thread_id: str | None = None,
    ) -> R: ...

    def put_again(self, thread_id: str, subscriber: Subscriber) -> None: ...

    def drop_thread(self, thread_id: str) -> None: ...


class ThreadFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a thread apart from its conversation."""

    id: str
    cwd: str
    cli_version: str
    model_provider: str
    source: SessionSource
    created_at: int
    ephemeral: bool = False
    forked_from_id: str | None = None
    name: str | None = None
    git_info: GitInfo | None = None
    preview: str = ""
    """What the thread was about before it was loaded; a running one knows better."""


class LoadedThread:
    """One thread in memory. `actor` and `load_settings` are set as soon as it is whole."""

    actor: Actor
    load_settings: Callable[[Path], LoadedConfig]
    """The settings as they stand now, for work in a folder; reads files."""

    def __init__(
        self,
        facts: ThreadFacts,
        questions: QuestionDesk,
        broadcast: Broadcast,
        recording: Recording | None = None,
    ) -> None:
        """`recording` counts what happens, where the settings ask for it."""
        self.facts = facts
        self.subscriptions = Subscriptions()
        self.status = StatusFacts(self._status_changed)
        self.idle_since = clock.monotonic()
        self.closing = False
        self._questions = questions
        self._broadcast = broadcast
        self._recording = recording
        self._unsaid: list[Callable[[], None]] = []
        self._replied = False
        self._git_was_corrected = False

    @property
    def thread_id(self) -> str:
        return self.facts.id

    @property
    def session(self) -> Session:
        return self.actor.session

    def described(self, *, include_turns: bool) -> Thread:
        """The thread as clients see it now."""
        facts, session = self.facts, self.session
        return Thread(
            id=facts.id,
            forked_from_id=facts.forked_from_id,
            preview=session.timeline.preview or facts.preview,
            ephemeral=facts.ephemeral,
            model_provider=facts.model_provider,
            created_at=facts.created_at,
            updated_at=session.updated_at,
            status=self.status.status,
            path=None if session.file is None else str(session.file),
            cwd=facts.cwd,
            cli_version=facts.cli_version,
            source=facts.source,
            git_info=facts.git_info if self._git_is_known else None,
            name=facts.name,
            turns=session.timeline.turns() if include_turns else [],
        )

    def opening(self, *, include_turns: bool) -> dict[str, Any]:
        """The fields of the answer to start, resume and fork."""
        session, settings = self.session, self.session.settings
        return {
            "thread": self.described(include_turns=include_turns),
            "model": settings.model,
            "model_provider": self.facts.model_provider,
            "service_tier": settings.service_tier,
            "cwd": str(settings.cwd),
            "instruction_sources": list(session.project_docs.sources),
            "approval_policy": settings.approval_policy,
            "approvals_reviewer": settings.approvals_reviewer,
            "sandbox": settings.sandbox_policy,
            "permission_profile": wire_permission_profile(settings.permissions),
            "active_permission_profile": settings.active_profile,
            "reasoning_effort": settings.effort,
        }

    def prepare_turn(self, params: TurnStartParams) -> tuple[Turn, Callable[[], None]]:
        """Take a message; see `Actor.prepare_turn`."""
        too_long(params.input)
        return self.actor.prepare_turn(params)

    def prepare_compaction(self) -> Callable[[], None]:
        """Make room in the model's context; returns what begins it."""
        if self.actor.running:
            raise Refused("Cannot compact while a turn is in progress.")
        return self.actor.prepare_compaction()

    def prepare_review(self, target: ReviewTarget) -> tuple[Turn, Callable[[], None]]:
        """Review a change; see `Actor.prepare_review`."""
        if self.actor.running:
            raise Refused("Cannot start a review while a turn is in progress.")
        return self.actor.prepare_review(target)

    def prepare_user_command(self, line: str) -> Callable[[], None]:
        """Run a line of the user; returns what begins it."""
        if not line.strip():
            raise Refused("command must not be empty")
        return self.actor.prepare_user_command(line)

    def steer(self, params: TurnSteerParams) -> str:
        too_long(params.input)
        return self.actor.steer(params)

    def inject(self, items: list[Any]) -> None:
        """Append raw model items to the history."""
        if not items:
            raise Refused("items must not be empty")
        self.session.inject([as_response_item(index, item) for index, item in enumerate(items)])

    def file_moved(self, path: Path) -> None:
        """Its file was moved while it is loaded: it was put away and is brought back."""
        self.session.file_moved(path)

    def rename(self, name: str) -> None:
        self.facts = msgspec.structs.replace(self.facts, name=name)
        self.session.emit(Renamed(thread_id=self.thread_id, name=name))

    @property
    def _git_is_known(self) -> bool:
        """A thread tells of its repository from its first turn on."""
        return self._git_was_corrected or self.session.timeline.latest_turn_id is not None

    def correct_git(self, git: GitInfo) -> None:
        """A client knows better what repository this is about."""
        self.facts = msgspec.structs.replace(self.facts, git_info=git)
        self._git_was_corrected = True

    @property
    def is_idle(self) -> bool:
        """Nobody listens and nothing runs."""
        return not len(self.subscriptions) and not self.status.running

    def publish(self, event: ThreadEvent) -> None:
        match event:
            case TurnStarted():
                self.status.turn_began()
            case TurnCompleted() | TurnAborted():
                self.status.turn_ended()
                self.idle_since = clock.monotonic()
            case TurnFailed(will_retry=False):
                self.status.failed()
            case _:
                pass
        if self._recording is not None:
            self._recording.happened(event)
        for row, params in notifications(self.thread_id, event):
            self.subscriptions.notify(row, params)

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        is_input = row.name == ITEM_TOOL_REQUEST_USER_INPUT.name
        counted = row.name != ITEM_TOOL_CALL.name
        if counted:
            (self.status.input_asked if is_input else self.status.approval_asked)()
        settled = False
        try:
            answer = await self._questions.ask(
                row, params, self.subscriptions.listening, thread_id=self.thread_id
            )
            settled = True
            if self._recording is not None:
                self._recording.decided(params, answer)
            return answer
        except asyncio.CancelledError:
            raise  # the turn is over, and its end has cleared the counts
        except Exception:
            settled = True
            raise
        finally:
            if counted and settled:
                (self.status.input_settled if is_input else self.status.approval_settled)()

    def interrupt(self, turn: AgentTurn) -> None:
        self.actor.abort_turn("interrupted", turn)

    def announce_loaded(self) -> None:
        """Everybody learns that a stored thread is in memory now."""
        self._status_changed(self.status.status)

    def warn(self, message: str) -> None:
        """Tell the subscribers; before the thread has been answered for, keep it until then."""
        warning = WarningNotification(thread_id=self.thread_id, message=message)
        self._say_after_reply(lambda: self.subscriptions.notify(WARNING, warning))

    def warn_of_config(self, warning: ConfigWarningNotification) -> None:
        """The same about the configuration this thread was opened with."""
        self._say_after_reply(lambda: self.subscriptions.notify(CONFIG_WARNING, warning))

    def _say_after_reply(self, say: Callable[[], None]) -> None:
        if self._replied:
            say()
        else:
            self._unsaid.append(say)

    def tell_warnings(self) -> None:
        """Say what had to wait for the reply that announces the thread."""
        self._replied = True
        waiting, self._unsaid = self._unsaid, []
        for say in waiting:
            say()

    def _tell_usage(self, subscriber: Subscriber) -> None:
        session = self.actor.session
        turn_id = session.timeline.latest_turn_id
        if session.tokens is not None and turn_id is not None:
            usage = ThreadTokenUsageUpdatedNotification(
                thread_id=self.thread_id, turn_id=turn_id, token_usage=as_wire(session.tokens)
            )
            subscriber.notify(THREAD_TOKEN_USAGE_UPDATED, usage)

    def tell_past(self, subscriber: Subscriber) -> None:
        """Tell one subscriber what the turns of this thread do not say: the last known usage and,
        where its actions are kept, the plan that is being worked on."""
        self._tell_usage(subscriber)
        plan = self.session.timeline.open_plan()
        if plan is not None and self.session.keeps_actions:
            turn_id, steps = plan
            told = TurnPlanUpdatedNotification(
                thread_id=self.thread_id, turn_id=turn_id, plan=steps
            )
            subscriber.notify(TURN_PLAN_UPDATED, told)

    def catch_up(self, subscriber: Subscriber) -> None:
        """What a client that has just joined is told after its answer."""
        self.tell_past(subscriber)
        self.tell_warnings()
        self._questions.put_again(self.thread_id, subscriber)

    def _status_changed(self, status: ThreadStatus) -> None:
        change = ThreadStatusChangedNotification(thread_id=self.thread_id, status=status)
        self._broadcast(THREAD_STATUS_CHANGED, change)


def too_long(parts: Sequence[UserInput]) -> None:
    """Refuse more text than a message may have."""
    count = input_chars(parts)
    if count > MAX_INPUT_CHARS:
        raise InvalidParams(
            f"Input exceeds the maximum length of {MAX_INPUT_CHARS} characters.",
            {
                "input_error_code": "input_too_large",
                "max_chars": MAX_INPUT_CHARS,
                "actual_chars": count,
            },
        )


def as_response_item(index: int, raw: Any) -> ResponseItem:
    """A raw item as one of the model's; refuses what is none."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str):
        raise Refused(f"items[{index}] is not a valid response item: missing field `type`")
    item = decode_response_item(raw)
    if isinstance(item, OtherResponseItem):
        log.info("injected item %d is of unknown kind %r", index, kind)
    return item


def wire_permission_profile(
    policy: SandboxPolicy | ManagedPermissionProfile,
) -> PermissionProfile:
    """The detailed permissions a policy stands for, as clients see them."""
    if isinstance(policy, ManagedPermissionProfile):
        return policy
    from app_server.storage.shapes import permission_profile

    stored = permission_profile(policy)
    if "network" in stored:
        stored["network"] = {"enabled": stored["network"] == "enabled"}
    if "file_system" in stored:
        stored["fileSystem"] = stored.pop("file_system")
    profile: PermissionProfile = msgspec.convert(stored, PermissionProfile)
    return profile
