"""What happened to a thread, as figures and events for whoever runs the program. Pure.

Names are those of the original's log events. Nothing here holds what was said, read or written,
except the user's words where the settings allow it.
"""

from __future__ import annotations

from collections.abc import Iterator

from app_server.agent.context_window import TokenInfo
from app_server.agent.events import (
    ItemCompleted,
    ThreadEvent,
    TokensCounted,
    TurnAborted,
    TurnCompleted,
    TurnFailed,
    UserSpoke,
)
from app_server.agent.user_input import plain_text
from app_server.protocol.item import (
    CommandExecutionThreadItem,
    DynamicToolCallThreadItem,
    FileChangeThreadItem,
    McpToolCallThreadItem,
    ThreadItem,
)
from app_server.telemetry.records import Attributes, Record

WITHHELD = "[withheld]"


class ThreadRecords:
    """The records of one thread; remembers what was counted, so that nothing counts twice."""

    def __init__(self, thread_id: str, model: str, *, with_prompts: bool) -> None:
        self._facts: Attributes = {"conversation.id": thread_id, "model": model}
        self._with_prompts = with_prompts
        self._counted_tokens = 0

    def opened(self) -> Record:
        """The thread was begun, or taken up again."""
        return self._record("codex.conversation_starts", {})

    def decided(self, item_id: str, decision: str) -> Record:
        """A person, or whoever answers for one, decided about a call."""
        return self._record("codex.tool_decision", {"call_id": item_id, "decision": decision})

    def of(self, event: ThreadEvent) -> Iterator[Record]:
        """What an event adds; nothing for most."""
        match event:
            case UserSpoke():
                words = plain_text(event.message.parts)
                prompt = words if self._with_prompts else WITHHELD
                yield self._record(
                    "codex.user_prompt", {"prompt_length": len(words), "prompt": prompt}
                )
            case ItemCompleted(item=item):
                tool = _tool(item)
                if tool is not None:
                    yield self._record("codex.tool_result", tool)
            case TokensCounted(info=TokenInfo() as info):
                yield from self._tokens(info)
            case TurnFailed():
                yield self._record(
                    "codex.turn_error", {"will_retry": event.will_retry, "kind": _kind(event)}
                )
            case TurnCompleted() | TurnAborted():
                status = event.status if isinstance(event, TurnCompleted) else "interrupted"
                told: Attributes = {"status": status, "turn_id": event.turn_id}
                yield self._record("codex.turn", told, event.duration_ms)
            case _:
                pass

    def _tokens(self, info: TokenInfo) -> Iterator[Record]:
        total = info.total_token_usage.total_tokens
        if total <= self._counted_tokens:
            return
        self._counted_tokens = total
        last = info.last_token_usage
        yield self._record(
            "codex.sse_event",
            {
                "event.kind": "response.completed",
                "input_token_count": last.input_tokens,
                "cached_token_count": last.cached_input_tokens,
                "output_token_count": last.output_tokens,
                "reasoning_token_count": last.reasoning_output_tokens,
            },
        )

    def _record(self, name: str, attributes: Attributes, duration_ms: int | None = None) -> Record:
        return Record(name=name, attributes={**self._facts, **attributes}, duration_ms=duration_ms)


def _tool(item: ThreadItem) -> Attributes | None:
    """What is told of a call that ended; None for items that are no calls."""
    match item:
        case CommandExecutionThreadItem():
            name = "exec_command"
        case FileChangeThreadItem():
            name = "apply_patch"
        case McpToolCallThreadItem() | DynamicToolCallThreadItem():
            name = item.tool
        case _:
            return None
    told: Attributes = {
        "tool_name": name,
        "call_id": item.id,
        "success": item.status == "completed",
        "status": item.status,
    }
    duration_ms = getattr(item, "duration_ms", None)
    return told if duration_ms is None else {**told, "duration_ms": duration_ms}


def _kind(event: TurnFailed) -> str:
    info = event.error.codex_error_info
    return info if isinstance(info, str) else type(info).__name__
