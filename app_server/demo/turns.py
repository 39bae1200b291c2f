"""What a request says of the conversation so far, as far as the demo needs to know.

Read from the request alone: the demo remembers nothing, so an interrupted or resumed session goes
on as well as a fresh one. Calls the demo made are recognised by their ids, `demo_<step>_<turn>`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from app_server.demo.script import Json, Request


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The turn a request belongs to."""

    number: int
    """Counted from 1."""
    text: str
    """What the user typed last."""
    outputs: dict[str, str]
    """What the calls made in this turn gave, by step."""
    calls: int
    """How many calls were made in this turn, all told."""
    has_tools: bool
    """False for requests that only want a summary."""

    def call_id(self, step: str) -> str:
        return f"demo_{step}_{self.number}"

    def said(self, *words: str) -> bool:
        """Whether the user used one of these words, or one that begins like it."""
        return any(re.search(rf"\b{word}", self.text, re.IGNORECASE) for word in words)


def read_turn(request: Request) -> Turn:
    """The turn of a request to the model."""
    body = request.body if isinstance(request.body, dict) else {}
    items = [item for item in body.get("input") or [] if isinstance(item, dict)]
    own = [place for place, item in enumerate(items) if _is_typed(item)]
    latest = items[own[-1] :] if own else []
    outputs = {
        item["call_id"].split("_")[1]: _output_text(item)
        for item in latest
        if str(item.get("type")).endswith("_call_output") and _is_ours(item.get("call_id"))
    }
    return Turn(
        number=max(1, len(own)),
        text=_message_text(latest[0]) if latest else "",
        outputs=outputs,
        calls=sum(str(item.get("type")).endswith("_call") for item in latest),
        has_tools=bool(body.get("tools")),
    )


def command_output(output: str) -> str:
    """What the command itself printed, without the lines the tool puts before it."""
    return output.partition("\nOutput:\n")[2] or output


def running_session(output: str) -> int | None:
    """The number of the terminal a command still runs in; None once it has ended."""
    found = re.search(r"Process running with session ID (\d+)", output)
    return int(found[1]) if found else None


def _is_typed(item: Json) -> bool:
    """Whether a person wrote this; the rest of what users "say" is context added for them."""
    if item.get("type") != "message" or item.get("role") != "user":
        return False
    text = _message_text(item).lstrip()
    return not text.startswith(("<", "# AGENTS.md instructions"))


def _message_text(item: Json) -> str:
    return _joined(item.get("content"))


def _output_text(item: Json) -> str:
    return _joined(item.get("output"))


def _joined(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(
        str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part
    )


def _is_ours(call_id: Any) -> bool:
    return isinstance(call_id, str) and re.fullmatch(r"demo_[a-z]+_\d+", call_id) is not None
