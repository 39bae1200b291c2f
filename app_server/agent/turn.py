"""One turn: ask the model, run what it calls, ask again, until it has nothing left to do.

A turn lives in one task. It says what happens through `emit`, which the thread stores and passes
on; once the turn is closed — finished, failed or interrupted — it says nothing more, whatever
still unwinds. Reading answers is `sampling`'s business, running tools `tools.dispatch`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

from app_server import clock, ids
from app_server.agent import compaction
from app_server.agent.context import context_now, context_updates
from app_server.agent.events import (
    AbortReason,
    BrokeOff,
    ItemCompleted,
    ItemKept,
    ItemsRecorded,
    ItemStarted,
    ThreadEvent,
    TokensCounted,
    Told,
    TurnAborted,
    TurnCompleted,
    TurnContextSet,
    TurnFailed,
    TurnStarted,
    UserSpoke,
)
from app_server.agent.history import text_message
from app_server.agent.input_queue import InputQueue, QueuedInput
from app_server.agent.model_facts import is_same_model
from app_server.agent.sampling import sample
from app_server.agent.settings import TurnSettings
from app_server.agent.tools.dispatch import ToolDispatch
from app_server.agent.user_input import reads_files, recorded_input
from app_server.agent.user_shell import run_user_command
from app_server.model.catalog import unknown_model_warning
from app_server.model.errors import ContextWindowExceeded, ModelError, UsageLimitReached
from app_server.model.request import TurnIdentity, TurnState
from app_server.prompts import text
from app_server.prompts.fragments import marked
from app_server.protocol.item import ThreadItem
from app_server.protocol.method import ServerMethod
from app_server.protocol.model import MODEL_REROUTED, ModelReroutedNotification
from app_server.protocol.notices import WARNING, WarningNotification
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.response_item import ResponseItem
from app_server.protocol.review import ReviewTarget
from app_server.protocol.turn import TURN_DIFF_UPDATED, TurnDiffUpdatedNotification
from app_server.protocol.turn_error import TurnError

if TYPE_CHECKING:
    from app_server.agent.session import Session
    from app_server.patch.changes import FileChange
    from app_server.patch.files import Files
    from app_server.patch.turn_diff import TurnDiff

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")


class Turn:
    """One turn of one thread."""

    def __init__(
        self,
        session: Session,
        turn_id: str,
        settings: TurnSettings,
        kind: Literal["regular", "compact", "review"] = "regular",
    ) -> None:
        self.id = turn_id
        self.session = session
        self.settings = settings
        self.waiting = InputQueue()
        self.registry = session.tools_for(settings)
        self.dispatch: ToolDispatch | None = None
        self.closed = False
        self._started_ms = clock.now_ms()
        self._began = clock.monotonic()
        self._first_token_ms: int | None = None
        self._turn_state = TurnState()
        self._later: list[ResponseItem] = []
        self.unfinished: list[str] = []
        """The pieces of the message that is being streamed."""
        self._diff: TurnDiff | None = None
        self.aborted = False
        self.kind = kind
        self.subagent: str | None = None
        """What this turn is for where it is no turn of the thread itself, for request headers."""
        self.before_abort: Callable[[], None] | None = None
        """What still has to be said when the turn is ended from outside."""
        self._rerouted = False

    @property
    def thread_id(self) -> str:
        return self.session.thread_id

    async def run(self, *first: QueuedInput) -> None:
        """See the turn to its end, whatever that is. Returns when it is over."""
        await self._run(lambda: self._work_on(first))

    async def run_only(self, work: Callable[[Turn], Awaitable[None]]) -> None:
        """A turn that does one piece of work, then goes on with what was said meanwhile."""

        async def work_then_words() -> str | None:
            await work(self)
            return await self._work_on(()) if self.waiting else None

        await self._run(work_then_words)

    async def run_review(self, target: ReviewTarget) -> None:
        """A turn in which another mind reviews a change."""
        from app_server.agent import review  # with the first review

        review.announce(self, target)
        await self.run_only(lambda turn: review.review(turn, target))

    async def answer_to(self, message: QueuedInput) -> str | None:
        """Work on one message inside a turn that begins and ends elsewhere."""
        return await self._work_on((message,))

    async def run_user_command(self, line: str) -> None:
        """A turn that runs a line of the user."""

        async def command(turn: Turn) -> None:
            turn.record_later(await run_user_command(turn, line))

        await self.run_only(command)

    async def _run(self, work: Callable[[], Awaitable[str | None]]) -> None:
        try:
            self.emit(
                TurnStarted(
                    turn_id=self.id,
                    started_at=self._started_ms // 1000,
                    context_window=self.settings.context_window,
                )
            )
            last_message = await work()
        except ModelError as error:
            if isinstance(error, UsageLimitReached) and error.snapshot is not None:
                self.limits_are(error.snapshot)
            elif isinstance(error, ContextWindowExceeded):
                self.session.window_is_full(self.settings.context_window)
                self.tell_tokens()
            # only where the terminal reads along: other clients know no details of a final error
            details = (error.said or None) if self.session.keeps_actions else None
            told = TurnError(
                message=error.message, codex_error_info=error.info, additional_details=details
            )
            await self._fail(told)
        except Exception as error:
            log.exception("turn %s failed", self.id)
            what = f"internal error ({type(error).__name__}): see the log"
            await self._fail(TurnError(message=what, codex_error_info="other"))
        else:
            self._complete("completed", None, last_message)

    async def _work_on(self, first: Sequence[QueuedInput]) -> str | None:
        self.waiting.put_first(first)
        await compaction.before_turn(self)
        self._set_context()
        await self.take_input(len(first) or None)
        while True:
            answer = await sample(self)
            if not answer.made_calls and not self.waiting:
                return answer.last_message
            await compaction.within_turn(self)
            await self.take_input()

    def abort(self, reason: AbortReason) -> None:
        """End the turn here and now: answer its calls, mark the history, say that it is over.

        Nothing awaits: the task is the caller's to cancel, and unwinds in silence.
        """
        if self.closed:
            return
        self._keep_unfinished()
        if self.before_abort is not None:
            self.before_abort()
        for output in self.dispatch.abandon() if self.dispatch else []:
            self.record(output)
        self._record_what_waited()
        self.session.unread += self.waiting.take_all()
        self.record(text_message("user", marked("turn_aborted", text("turn_aborted.md"))))
        now_ms = clock.now_ms()
        self.emit(
            TurnAborted(
                turn_id=self.id,
                reason=reason,
                started_at=self._started_ms // 1000,
                completed_at=now_ms // 1000,
                duration_ms=self._elapsed_ms(),
            )
        )
        self.closed = self.aborted = True

    def emit(self, event: ThreadEvent) -> None:
        """Say that something happened, unless the turn is over."""
        if not self.closed:
            self.session.emit(event)

    def record(self, *items: ResponseItem) -> None:
        """Add items to the model's history that a reader does not see."""
        if not self.closed and items:
            self.session.history.append(*items)
            self.session.emit(ItemsRecorded(turn_id=self.id, items=items))

    def record_later(self, item: ResponseItem) -> None:
        """Add an item to the history where it cannot come between a call and its output."""
        if self.closed:
            self.session.inject([item])
        else:
            self._later.append(item)

    def _record_what_waited(self) -> None:
        waited, self._later = self._later, []
        self.record(*waited)

    def start(self, item: ThreadItem, *, waits: bool = False) -> None:
        """An item began; with `waits`, it still needs somebody's leave."""
        self.emit(ItemStarted(turn_id=self.id, item=item, at_ms=clock.now_ms(), waits=waits))

    def keep(self, item: ThreadItem) -> None:
        """Store how an item stands, without telling anybody."""
        self.emit(ItemKept(turn_id=self.id, item=item, at_ms=clock.now_ms()))

    def complete(self, item: ThreadItem, recorded: ResponseItem | None = None) -> None:
        """An item took its final form, with its entry in the model's history if it has one."""
        if self.closed:
            return
        if recorded is not None:
            self.session.history.append(recorded)
        self.session.emit(
            ItemCompleted(turn_id=self.id, item=item, at_ms=clock.now_ms(), recorded=recorded)
        )

    async def ask(self, row: ServerMethod[P, R], params: P) -> R:
        """Ask the user; raises `QuestionRefused`."""
        return await self.session.outlet.ask(row, params)

    def interrupt(self) -> None:
        """Interrupt this turn from inside, as an answer of the user can demand."""
        self.session.outlet.interrupt(self)

    def first_token_came(self) -> None:
        if self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()

    def limits_are(self, snapshot: RateLimitSnapshot) -> None:
        """The service counted the account's limits."""
        self.session.rate_limits = snapshot
        self.tell_tokens()

    def tell_tokens(self) -> None:
        session = self.session
        self.emit(
            TokensCounted(turn_id=self.id, info=session.tokens, rate_limits=session.rate_limits)
        )

    def answered_by(self, slug: str) -> None:
        """Say once when another model answers than was asked for."""
        asked = self.settings.model
        if self._rerouted or is_same_model(asked, slug):
            return
        self._rerouted = True
        self.emit(
            Told(
                row=MODEL_REROUTED,
                params=ModelReroutedNotification(
                    thread_id=self.thread_id,
                    turn_id=self.id,
                    from_model=asked,
                    to_model=slug,
                    reason="highRiskCyberActivity",
                ),
            )
        )
        self._warn(f"The service answered with `{slug}` although `{asked}` was asked for.")

    async def before_changes(self, changes: Sequence[FileChange], files: Files) -> None:
        """Remember how files are that a patch is about to change."""
        if self._diff is None:
            from app_server.patch.turn_diff import TurnDiff  # with the first patch

            cwd = self.settings.command_cwd
            self._diff = await asyncio.to_thread(TurnDiff, cwd, files)
        self._diff.files = files
        await asyncio.to_thread(self._diff.before, changes)

    async def tell_diff(self) -> None:
        """Show everything changed so far, if any file was touched."""
        diff = None if self._diff is None else await asyncio.to_thread(self._diff.text)
        if diff is not None:
            params = TurnDiffUpdatedNotification(
                thread_id=self.thread_id, turn_id=self.id, diff=diff
            )
            self.emit(Told(row=TURN_DIFF_UPDATED, params=params))

    def identity(self, subagent: str | None = None) -> TurnIdentity:
        """Who asks, for the headers of a request."""
        session = self.session
        return TurnIdentity(
            thread_id=self.thread_id,
            turn_id=self.id,
            window_id=f"{self.thread_id}:{session.compactions}",
            originator=session.services.originator,
            user_agent=session.services.user_agent,
            sandbox=session.sandbox_label(self.settings),
            turn_started_at_ms=self._started_ms,
            turn_state=self._turn_state,
            subagent=subagent or self.subagent,
        )

    async def take_input(self, count: int | None = None) -> None:
        """Let the user's waiting messages join the conversation: the first `count`, or all."""
        self._record_what_waited()
        taken = 0
        while self.waiting and taken != count:
            message = self.waiting.first
            if reads_files(message.parts):
                recorded = await asyncio.to_thread(recorded_input, message.parts, self.settings.cwd)
                if self.closed:
                    return
            else:
                recorded = recorded_input(message.parts, self.settings.cwd)
            self.waiting.take_first()
            taken += 1
            self.session.history.append(recorded)
            self.session.emit(
                UserSpoke(
                    turn_id=self.id,
                    item_id=ids.uuid4(),
                    message=message,
                    recorded=recorded,
                    at_ms=clock.now_ms(),
                )
            )

    def _set_context(self) -> None:
        """Tell the model what changed around it since it was last told, then store the settings."""
        session = self.session
        now = context_now(session, self.settings)
        self._warn_of_unknown_model()
        self.record(*context_updates(session, self.settings, now))
        session.told = now
        self.emit(TurnContextSet(context=session.turn_context(self.id, self.settings)))

    def _warn_of_unknown_model(self) -> None:
        """Say once per thread and model that its abilities are guessed."""
        facts, session = self.settings.facts, self.session
        if facts.is_known or session.model.provider.is_local or facts.slug in session.warned_of:
            return
        session.warned_of.add(facts.slug)
        self._warn(unknown_model_warning(facts.slug))

    def _warn(self, message: str) -> None:
        warning = WarningNotification(thread_id=self.thread_id, message=message)
        self.emit(Told(row=WARNING, params=warning))

    def _keep_unfinished(self) -> None:
        words = "".join(self.unfinished)
        if words:
            self.emit(BrokeOff(turn_id=self.id, text=words))
        for item in self.session.open_items.break_off(self.id, clock.now_ms()):
            self.keep(item)

    async def _fail(self, error: TurnError) -> None:
        self._keep_unfinished()
        await self.take_input()  # what was typed is kept
        self.emit(TurnFailed(turn_id=self.id, error=error, will_retry=False))
        self._complete("failed", error, None)

    def _complete(self, status: str, error: TurnError | None, last_message: str | None) -> None:
        self._record_what_waited()
        self.emit(
            TurnCompleted(
                turn_id=self.id,
                status="failed" if status == "failed" else "completed",
                error=error,
                last_agent_message=last_message,
                started_at=self._started_ms // 1000,
                completed_at=clock.now_ms() // 1000,
                duration_ms=self._elapsed_ms(),
                time_to_first_token_ms=self._first_token_ms,
            )
        )
        self.closed = True

    def _elapsed_ms(self) -> int:
        return int((clock.monotonic() - self._began) * 1000)
