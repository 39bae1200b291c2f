"""Stored lines back into the turns a reader sees. Pure.

A loaded thread feeds its timeline with the very lines it writes, so what is shown of a running
thread and what is rebuilt from its file agree. Items are numbered through the whole thread, since
the ids they had while they streamed are not stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from app_server.agent.projection import plan
from app_server.agent.projection.extended import broken_off, restored_item
from app_server.agent.review_output import in_words, restored_output
from app_server.protocol.item import (
    AgentMessageThreadItem,
    ContextCompactionThreadItem,
    EnteredReviewModeThreadItem,
    ExitedReviewModeThreadItem,
    ImageGenerationThreadItem,
    ReasoningThreadItem,
    ThreadItem,
    UserMessageThreadItem,
    WebSearchAction,
    WebSearchThreadItem,
)
from app_server.protocol.response_item import FunctionCallResponseItem
from app_server.protocol.shared import MessagePhase
from app_server.protocol.thread_data import Turn, TurnStatus
from app_server.protocol.turn import TurnPlanStep
from app_server.protocol.turn_error import CodexErrorInfo, TurnError
from app_server.protocol.user_input import (
    ImageUserInput,
    LocalImageUserInput,
    TextElement,
    TextUserInput,
    UserInput,
)
from app_server.storage import rollout


class Timeline:
    """The turns of one thread, growing line by line."""

    def __init__(self, lines: Iterable[rollout.RolloutItem] = ()) -> None:
        self._turns: list[_Open] = []
        self._items = 0
        self._implicit = 0
        self.preview = ""
        """What the user said first."""
        self._plan: tuple[str, list[TurnPlanStep]] | None = None
        self._taken_back: set[str] = set()
        """Turns whose commands may still come to an end."""
        for line in lines:
            self.take(line)

    @property
    def latest_turn_id(self) -> str | None:
        return self._turns[-1].id if self._turns else None

    def turns(self) -> list[Turn]:
        """All turns, oldest first, as they are now."""
        return [turn.whole() for turn in self._turns]

    def open_plan(self) -> tuple[str, list[TurnPlanStep]] | None:
        """The latest plan and its turn, as long as something of it is left to do."""
        if self._plan is None or all(step.status == "completed" for step in self._plan[1]):
            return None
        return self._plan

    def close_interrupted(self) -> None:
        """Nothing runs: what has no end was cut off, by a crash or with the program."""
        for turn in self._turns:
            if turn.status == "inProgress":
                turn.status = "interrupted"
            turn.break_off()

    def take(self, line: rollout.RolloutItem) -> None:
        """Add what a line says; most lines concern only the model."""
        match line:
            case rollout.TaskStarted():
                self._turns.append(_Open(line.turn_id, started_at=line.started_at))
            case rollout.TaskComplete():
                self._end(line.turn_id, "completed", line.completed_at, line.duration_ms)
            case rollout.TurnAborted():
                self._end(line.turn_id, "interrupted", line.completed_at, line.duration_ms)
            case rollout.UserMessage():
                self._user_message(line)
            case rollout.AgentMessage():
                if line.message:
                    item = AgentMessageThreadItem(
                        id=self._next_id(), text=line.message, phase=_phase(line.phase)
                    )
                    self._add(item)
            case rollout.AgentReasoning():
                self._reasoning(summary=line.text)
            case rollout.AgentReasoningRawContent():
                self._reasoning(content=line.text)
            case rollout.WebSearchEnd():
                self._add(
                    WebSearchThreadItem(
                        id=line.call_id, query=line.query, action=_search_action(line.action)
                    )
                )
            case rollout.ImageGenerationEnd():
                self._add(
                    ImageGenerationThreadItem(
                        id=line.call_id,
                        status=line.status,
                        result=line.result,
                        revised_prompt=line.revised_prompt,
                    )
                )
            case rollout.ContextCompacted():
                self._add(ContextCompactionThreadItem(id=self._next_id()))
            case rollout.EnteredReviewMode():
                self._enter_review(line)
            case rollout.ExitedReviewMode():
                words = in_words(restored_output(line.review_output))
                self._add(ExitedReviewModeThreadItem(id=self._next_id(), review=words))
            case rollout.ThreadRolledBack():
                self._roll_back(line.num_turns)
            case rollout.OtherEvent():
                self._other(line)
            case FunctionCallResponseItem(name=plan.TOOL_NAME):
                steps = plan.stored_plan(line.arguments)
                if steps is not None and self._turns:
                    self._plan = self._turns[-1].id, steps
            case _:
                pass

    def _user_message(self, line: rollout.UserMessage) -> None:
        self.preview = self.preview or line.message
        content: list[UserInput] = []
        if line.message:
            elements = [msgspec.convert(each, TextElement) for each in line.text_elements]
            content.append(TextUserInput(text=line.message, text_elements=elements))
        content += [ImageUserInput(url=url) for url in line.images or []]
        content += [LocalImageUserInput(path=path) for path in line.local_images]
        if not self._turns or self._turns[-1].status != "inProgress":
            self._open_implicitly()
        self._add(UserMessageThreadItem(id=self._next_id(), content=content))

    def _enter_review(self, line: rollout.EnteredReviewMode) -> None:
        if not self._turns or self._turns[-1].status != "inProgress":
            self._open_implicitly()  # files of the original begin the turn one line later
        hint = line.user_facing_hint or str(line.target.get("type", ""))
        self._add(EnteredReviewModeThreadItem(id=self._next_id(), review=hint))

    def _reasoning(self, summary: str = "", content: str = "") -> None:
        turn = self._current()
        last = turn.items[-1] if turn.items else None
        if isinstance(last, ReasoningThreadItem):
            turn.items[-1] = msgspec.structs.replace(
                last,
                summary=[*last.summary, summary] if summary else last.summary,
                content=[*last.content, content] if content else last.content,
            )
        elif summary or content:
            item = ReasoningThreadItem(
                id=self._next_id(),
                summary=[summary] if summary else [],
                content=[content] if content else [],
            )
            turn.items.append(item)

    def _other(self, line: rollout.OtherEvent) -> None:
        action = restored_item(line)
        if action is not None:
            turn_id, item = action
            if turn_id not in self._taken_back:
                self._turn(turn_id).put(item)
            return
        if line.get("type") == "error" and self._turns:
            turn = self._turns[-1]
            turn.error = TurnError(
                message=str(line.get("message", "")),
                codex_error_info=_error_info(line.get("codex_error_info")),
                additional_details=str(line.get("additional_details") or "") or None,
            )

    def _end(
        self, turn_id: str | None, status: TurnStatus, at: int | None, duration: int | None
    ) -> None:
        for turn in reversed(self._turns):
            if turn_id is None or turn.id == turn_id:
                failed = status == "completed" and turn.error is not None
                turn.status = "failed" if failed else status
                turn.completed_at, turn.duration_ms = at, duration
                return

    def _roll_back(self, count: int) -> None:
        """Forget the last `count` turns in which the user spoke, and what lies between."""
        while count > 0 and self._turns:
            dropped = self._turns.pop()
            self._taken_back.add(dropped.id)
            count -= any(isinstance(item, UserMessageThreadItem) for item in dropped.items)
            if self._plan is not None and self._plan[0] == dropped.id:
                self._plan = None
        self._items = sum(
            item.id.startswith("item-") for turn in self._turns for item in turn.items
        )

    def _add(self, item: ThreadItem) -> None:
        self._current().items.append(item)

    def _turn(self, turn_id: str | None) -> _Open:
        for turn in reversed(self._turns):
            if turn.id == turn_id:
                return turn
        return self._current()

    def _current(self) -> _Open:
        if not self._turns:
            self._open_implicitly()
        return self._turns[-1]

    def _open_implicitly(self) -> None:
        """Old files have no lines that begin turns; a message of the user begins one."""
        self._implicit += 1
        self._turns.append(_Open(f"turn-{self._implicit}", status="completed"))

    def _next_id(self) -> str:
        self._items += 1
        return f"item-{self._items}"


class _Open:
    """A turn that may still grow."""

    def __init__(
        self, turn_id: str, *, started_at: int | None = None, status: TurnStatus = "inProgress"
    ) -> None:
        self.id = turn_id
        self.items: list[ThreadItem] = []
        self.status: TurnStatus = status
        self.error: TurnError | None = None
        self.started_at = started_at
        self.completed_at: int | None = None
        self.duration_ms: int | None = None
        self._places: dict[str, int] = {}

    def put(self, item: ThreadItem) -> None:
        """Add an item, in the place of what was known of it before."""
        place = self._places.setdefault(item.id, len(self.items))
        self.items[place : place + 1] = [item]

    def break_off(self) -> None:
        """Whatever began and has no end was ended from outside."""
        for place in self._places.values():
            self.items[place] = broken_off(self.items[place])

    def whole(self) -> Turn:
        return Turn(
            id=self.id,
            items=list(self.items),
            status=self.status,
            error=self.error if self.status == "failed" else None,
            started_at=self.started_at,
            completed_at=self.completed_at,
            duration_ms=self.duration_ms,
        )


def _phase(stored: str | None) -> MessagePhase | None:
    if stored == "commentary":
        return "commentary"
    return "final_answer" if stored == "final_answer" else None


def _search_action(stored: Any) -> WebSearchAction | None:
    if not isinstance(stored, dict):
        return None
    kind = str(stored.get("type", "other"))
    named = {
        **stored,
        "type": {"open_page": "openPage", "find_in_page": "findInPage"}.get(kind, kind),
    }
    try:
        action: WebSearchAction = msgspec.convert(named, WebSearchAction)
    except msgspec.ValidationError:
        return None
    return action


def _error_info(stored: Any) -> CodexErrorInfo | None:
    try:
        info: CodexErrorInfo = msgspec.convert(_camel(stored), CodexErrorInfo)
    except (msgspec.ValidationError, ValueError):
        return None
    return info


def _camel(value: Any) -> Any:
    if isinstance(value, str):
        head, *rest = value.split("_")
        return head + "".join(word.capitalize() for word in rest)
    if isinstance(value, dict):
        return {_camel(key): _camel(entry) for key, entry in value.items()}
    return value
