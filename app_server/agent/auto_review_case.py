"""What a reviewing model is shown of an action, and what it answered. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from app_server.agent.context_window import estimate_text
from app_server.agent.history import is_users_own, message_text
from app_server.protocol.guardian import (
    ApplyPatchGuardianApprovalReviewAction,
    CommandGuardianApprovalReviewAction,
    GuardianApprovalReviewAction,
    GuardianRiskLevel,
    GuardianUserAuthorization,
)
from app_server.protocol.response_item import MessageResponseItem, ResponseItem
from app_server.truncate import truncate_middle_tokens

SHOWN_TOKENS = 16_000
"""Of the conversation, the newest part."""
SHOWN_TOKENS_EACH = 2_000
SHOWN_TOKENS_OF_ACTION = 24_000
"""What is longer is cut, and refused: the instructions say so."""


class Assessment(msgspec.Struct, frozen=True):
    """A reviewer's answer."""

    outcome: Literal["allow", "deny"]
    risk_level: GuardianRiskLevel
    user_authorization: GuardianUserAuthorization = "unknown"
    rationale: str = ""


ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "outcome": {"type": "string", "enum": ["allow", "deny"]},
        "risk_level": {"type": "string", "enum": ["low", "medium", "high", "critical"]},
        "user_authorization": {"type": "string", "enum": ["unknown", "low", "medium", "high"]},
        "rationale": {"type": "string"},
    },
    "required": ["outcome", "risk_level", "user_authorization", "rationale"],
    "additionalProperties": False,
}


def read_assessment(message: str | None) -> Assessment | None:
    """The answer in a reviewer's last message; None when it makes no sense.

    A critical risk is never allowed, whatever the outcome says.
    """
    words = message or ""
    begin, end = words.find("{"), words.rfind("}")
    try:
        found = msgspec.json.decode(words[begin : end + 1], type=Assessment)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if found.risk_level == "critical":
        return msgspec.structs.replace(found, outcome="deny")
    return found


def action_key(action: GuardianApprovalReviewAction) -> Hashable:
    """What makes two actions the same one."""
    match action:
        case CommandGuardianApprovalReviewAction():
            return "command", action.command, action.cwd
        case ApplyPatchGuardianApprovalReviewAction():
            return "applyPatch", action.cwd, tuple(sorted(action.files))
        case _:
            return msgspec.json.encode(action)


def refused_action(event: Any) -> GuardianApprovalReviewAction:
    """The action in the report of a refusal, as notified or in the agent's own spelling.

    Raises ValueError for anything that is no such report.
    """
    if not isinstance(event, dict):
        raise ValueError("not an object")
    review = event.get("review", event)
    if not isinstance(review, dict) or review.get("status") != "denied":
        raise ValueError("not a denied review")
    action = event.get("action")
    if isinstance(action, dict):
        respelled = {"apply_patch": "applyPatch", "unified_exec": "unifiedExec"}
        action = {
            name: respelled.get(value, value) if name in ("type", "source") else value
            for name, value in action.items()
        }
    found: GuardianApprovalReviewAction = msgspec.convert(action, GuardianApprovalReviewAction)
    return found


def question(
    history: Sequence[ResponseItem],
    action: GuardianApprovalReviewAction,
    reason: str | None,
    details: Mapping[str, Any],
) -> str:
    """The one message a reviewer gets."""
    shown = {"action": action, "reason_given_by_the_agent": reason, **details}
    encoded = msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
    encoded = truncate_middle_tokens(encoded, SHOWN_TOKENS_OF_ACTION)
    return (
        "The conversation so far, oldest first; long pieces are cut:\n\n"
        f"<conversation>\n{_conversation(history)}\n</conversation>\n\n"
        f"The action to judge:\n\n<action>\n{encoded}\n</action>\n\n"
        "May the agent take it?"
    )


def _conversation(history: Sequence[ResponseItem]) -> str:
    pieces: list[str] = []
    left = SHOWN_TOKENS
    for item in reversed(history):
        piece = _piece(item)
        if piece is None:
            continue
        piece = truncate_middle_tokens(piece, SHOWN_TOKENS_EACH)
        left -= estimate_text(piece)
        if left < 0:
            pieces.append("[earlier parts are left out]")
            break
        pieces.append(piece)
    return "\n\n".join(reversed(pieces))


def _piece(item: ResponseItem) -> str | None:
    if isinstance(item, MessageResponseItem):
        if item.role == "assistant":
            return f"[agent] {message_text(item)}"
        return f"[person] {message_text(item)}" if is_users_own(item) else None
    fields = msgspec.to_builtins(item)
    kind = fields.get("type")
    if kind in ("reasoning", "compaction"):
        return None
    return f"[{kind}] {msgspec.json.encode(fields).decode()}"
