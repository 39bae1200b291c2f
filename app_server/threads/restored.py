"""What a stored thread remembers, rebuilt from its lines. Pure.

The model's history, the turns a reader sees, the settings of the last turn, the tokens used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from app_server.agent.compaction import KEPT_MESSAGES_TOKENS, kept_messages
from app_server.agent.context import ToldContext
from app_server.agent.context_window import TokenInfo
from app_server.agent.history import text_message, without_last_turns
from app_server.agent.projection.history import Timeline
from app_server.prompts import text
from app_server.prompts.environment import WorkEnvironment
from app_server.prompts.permissions import permissions_block
from app_server.protocol.permissions import AskForApproval
from app_server.protocol.response_item import (
    ResponseItem,
    decode_response_item,
)
from app_server.storage import rollout
from app_server.storage.shapes import wire_sandbox_policy

if TYPE_CHECKING:
    from app_server.agent.session import Session


class Restored:
    """A thread's past, growing line by line."""

    def __init__(self, lines: Iterable[rollout.RolloutItem] = ()) -> None:
        self.items: list[ResponseItem] = []
        self.timeline = Timeline()
        self.context: rollout.TurnContext | None = None
        """The settings of the last turn; None when the model must be told everything again."""
        self.last_context: rollout.TurnContext | None = None
        """The same, kept through compactions: what a resumed thread goes on with."""
        self.tokens: TokenInfo | None = None
        self.counted_items = 0
        self.compactions = 0
        for line in lines:
            self.take(line)
        self.timeline.close_interrupted()

    def take(self, line: rollout.RolloutItem) -> None:
        self.timeline.take(line)
        match line:
            case rollout.Compacted():
                self.items = _after_compaction(self.items, line)
                self.context = None
                self.compactions += 1
                self.counted_items = len(self.items)
            case rollout.ThreadRolledBack():
                self.items = without_last_turns(self.items, line.num_turns)
                self.context = None
                self.counted_items = len(self.items)
            case rollout.TurnContext():
                self.context = self.last_context = line
            case rollout.TokenCount(info=rollout.StoredTokenInfo() as info):
                self.tokens = msgspec.convert(info, TokenInfo, from_attributes=True)
                self.counted_items = len(self.items)
            case rollout.SessionMeta() | rollout.Event() | rollout.OtherEvent():
                pass
            case _:
                self.items.append(line)

    def hand_over(self, session: Session) -> None:
        """Give a new session this past."""
        session.tokens = self._tokens_in(session.settings.context_window)
        session.counted_items = self.counted_items
        session.compactions = self.compactions
        session.told = None if self.context is None else _told(session, self.context)

    def _tokens_in(self, window: int | None) -> TokenInfo | None:
        """What was counted, in the window of the model the thread goes on with."""
        if self.tokens is None or window is None:
            return self.tokens
        return msgspec.structs.replace(self.tokens, model_context_window=window)


def _told(session: Session, context: rollout.TurnContext) -> ToldContext | None:
    """What the model was last told, as far as the stored settings tell."""
    try:
        approvals = msgspec.convert(context.approval_policy, AskForApproval)
    except msgspec.ValidationError:
        return None
    environment = WorkEnvironment(
        cwd=context.cwd,
        shell=session.work_environment(session.settings).shell,
        current_date=context.current_date or "",
        timezone=context.timezone or "",
    )
    policy = wire_sandbox_policy(context.sandbox_policy)
    settings = msgspec.structs.replace(session.settings, sandbox_policy=policy)
    permissions = permissions_block(policy, approvals, session.writable_roots(settings))
    return ToldContext(context.model, permissions, environment)


def _after_compaction(before: list[ResponseItem], line: rollout.Compacted) -> list[ResponseItem]:
    if line.replacement_history is not None:
        return [decode_response_item(item) for item in line.replacement_history]
    kept = kept_messages(before, KEPT_MESSAGES_TOKENS)
    return [*kept, text_message("user", line.message or text("compact_prefix.md"))]
