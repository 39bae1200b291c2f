"""What happened to a thread, as its file keeps it. Pure.

What readers see and what the model sees of one event are written together, so that a crash never
leaves one without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from app_server.agent import events
from app_server.agent.projection.extended import stored_item
from app_server.agent.settings import TurnSettings
from app_server.agent.user_input import plain_text
from app_server.prompts.environment import WorkEnvironment
from app_server.protocol.item import (
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    ImageGenerationThreadItem,
    ReasoningThreadItem,
    ThreadItem,
    WebSearchThreadItem,
)
from app_server.protocol.turn_error import TurnError
from app_server.protocol.user_input import ImageUserInput, LocalImageUserInput, TextUserInput
from app_server.storage import rollout
from app_server.storage.shapes import (
    permission_profile,
    stored_rate_limits,
    stored_sandbox_policy,
)


def stored_lines(
    event: events.ThreadEvent, *, keeps_actions: bool = False
) -> Sequence[rollout.RolloutItem]:
    """The lines an event leaves; none for what is only told.

    `keeps_actions`: commands, patches, pictures and messages that broke off are kept as well.
    """
    match event:
        case events.ItemsRecorded():
            return event.items
        case events.ItemStarted(item=CommandExecutionThreadItem() | FileChangeThreadItem()):
            return _action_lines(event, keeps_actions)
        case events.ItemKept():
            return _action_lines(event, keeps_actions)
        case events.ItemCompleted():
            return _item_lines(event, keeps_actions)
        case events.UserSpoke():
            return (event.recorded, _user_message(event))
        case events.TokensCounted():
            return (_token_count(event),)
        case events.TurnStarted():
            started = rollout.TaskStarted(
                turn_id=event.turn_id,
                started_at=event.started_at,
                model_context_window=event.context_window,
            )
            return (started,)
        case events.TurnContextSet():
            return (event.context,)
        case events.TurnFailed(will_retry=False):
            return (stored_error(event.error),)
        case events.TurnCompleted():
            completed = rollout.TaskComplete(
                turn_id=event.turn_id,
                last_agent_message=event.last_agent_message,
                completed_at=event.completed_at,
                duration_ms=event.duration_ms,
                time_to_first_token_ms=event.time_to_first_token_ms,
            )
            return (completed,)
        case events.TurnAborted():
            aborted = rollout.TurnAborted(
                turn_id=event.turn_id,
                reason=event.reason,
                completed_at=event.completed_at,
                duration_ms=event.duration_ms,
            )
            return (aborted,)
        case events.Compacted():
            history = [msgspec.to_builtins(item) for item in event.replacement]
            return (
                rollout.Compacted(message=event.message, replacement_history=history),
                rollout.ContextCompacted(),
            )
        case events.BrokeOff():
            # readers of a rebuilt thread see it; the model does not, as it never finished it
            return (rollout.AgentMessage(message=event.text),) if keeps_actions else ()
        case events.ReviewEntered():
            entered = rollout.EnteredReviewMode(target=event.target, user_facing_hint=event.hint)
            return (entered,)
        case events.ReviewExited():
            output = None if event.output is None else msgspec.to_builtins(event.output)
            return (rollout.ExitedReviewMode(review_output=output),)
        case events.Renamed():
            named = rollout.ThreadNameUpdated(thread_id=event.thread_id, thread_name=event.name)
            return (named,)
        case events.RolledBack():
            return (rollout.ThreadRolledBack(num_turns=event.num_turns),)
        case _:
            return ()


def _token_count(event: events.TokensCounted) -> rollout.TokenCount:
    info: rollout.StoredTokenInfo | None = None
    if event.info is not None:
        info = msgspec.convert(event.info, rollout.StoredTokenInfo, from_attributes=True)
    return rollout.TokenCount(info=info, rate_limits=stored_rate_limits(event.rate_limits))


def stored_error(error: TurnError) -> rollout.OtherEvent:
    """Why a turn failed, in the original's form."""
    return rollout.OtherEvent(
        type="error",
        message=error.message,
        codex_error_info=_snake(msgspec.to_builtins(error.codex_error_info)),
        **({"additional_details": details} if (details := error.additional_details) else {}),
    )


def turn_context_line(
    turn_id: str, settings: TurnSettings, environment: WorkEnvironment
) -> rollout.TurnContext:
    """The settings of a turn as a line."""
    return rollout.TurnContext(
        turn_id=turn_id,
        cwd=str(settings.cwd),
        current_date=environment.current_date,
        timezone=environment.timezone,
        approval_policy=msgspec.to_builtins(settings.approval_policy),
        sandbox_policy=stored_sandbox_policy(settings.sandbox_policy),
        permission_profile=permission_profile(settings.permissions),
        model=settings.model,
        personality=settings.personality,
        collaboration_mode=rollout.CollaborationMode(
            mode="default",
            settings=rollout.CollaborationSettings(
                model=settings.model, reasoning_effort=settings.effort
            ),
        ),
        realtime_active=False,
        effort=settings.effort,
        summary=settings.summary or settings.facts.default_summary,
        developer_instructions=settings.developer_instructions,
        final_output_json_schema=settings.output_schema,
        truncation_policy=rollout.TruncationPolicy(
            mode=settings.facts.truncation.mode, limit=settings.facts.truncation.limit
        ),
    )


def _item_lines(event: events.ItemCompleted, keeps_actions: bool) -> Sequence[rollout.RolloutItem]:
    lines = [*_item_events(event.item), *_action_lines(event, keeps_actions)]
    if event.recorded is not None:
        lines.append(event.recorded)
    return lines


def _action_lines(
    event: events.ItemStarted | events.ItemKept | events.ItemCompleted, keeps_actions: bool
) -> list[rollout.RolloutItem]:
    action = stored_item(event.turn_id, event.item) if keeps_actions else None
    return [] if action is None else [action]


def _item_events(item: ThreadItem) -> Sequence[rollout.KnownEvent]:
    match item:
        case AgentMessageThreadItem():
            return (rollout.AgentMessage(message=item.text, phase=item.phase),)
        case ReasoningThreadItem():
            return (
                *(rollout.AgentReasoning(text=text) for text in item.summary),
                *(rollout.AgentReasoningRawContent(text=text) for text in item.content),
            )
        case WebSearchThreadItem():
            action: Any = item.action and msgspec.to_builtins(item.action)
            if action is not None:
                action["type"] = _snake(action["type"])
            return (rollout.WebSearchEnd(call_id=item.id, query=item.query, action=action),)
        case ImageGenerationThreadItem():
            ended = rollout.ImageGenerationEnd(
                call_id=item.id,
                status=item.status,
                revised_prompt=item.revised_prompt,
                result=item.result,
            )
            return (ended,)
        case _:
            return ()


def _user_message(event: events.UserSpoke) -> rollout.UserMessage:
    parts = event.message.parts
    return rollout.UserMessage(
        message=plain_text(parts),
        images=[part.url for part in parts if isinstance(part, ImageUserInput)],
        local_images=[part.path for part in parts if isinstance(part, LocalImageUserInput)],
        text_elements=[
            msgspec.to_builtins(element)
            for part in parts
            if isinstance(part, TextUserInput)
            for element in part.text_elements
        ],
    )


def _snake(value: Any) -> Any:
    """camelCase names as snake_case: error kinds and their keys."""
    if isinstance(value, str):
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in value)
    if isinstance(value, dict):
        return {_snake(key): _snake(entry) for key, entry in value.items()}
    return value
