"""A thread that is open, and short words for what happens in it."""

from typing import Any

from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.protocol.shared import ReasoningEffort
from app_server.protocol.thread import ThreadStartParams, ThreadStartResponse
from app_server.protocol.thread_data import IdleThreadStatus, Thread, Turn
from app_server.protocol.turn import TurnStartResponse
from tests.tui.state.recorded import Screen, heard
from tui.state.actions import OpenNewThread
from tui.state.effects import Effect
from tui.state.events import Connected

THREAD = "thread-1"


def stored(thread_id: str = THREAD, turns: list[Turn] | None = None, **fields: Any) -> Thread:
    return Thread(
        id=thread_id,
        cli_version="0.1",
        created_at=1_700_000_000,
        cwd="/home/me/work",
        ephemeral=False,
        model_provider="openai",
        preview="",
        source="cli",
        status=IdleThreadStatus(),
        turns=turns or [],
        updated_at=1_700_000_000,
        **fields,
    )


def opened(thread: Thread | None = None, effort: ReasoningEffort = "medium") -> ThreadStartResponse:
    return ThreadStartResponse(
        approval_policy="on-request",
        approvals_reviewer="user",
        cwd="/home/me/work",
        model="gpt-5.5",
        model_provider="openai",
        sandbox=WorkspaceWriteSandboxPolicy(),
        thread=thread or stored(),
        reasoning_effort=effort,
    )


def open_screen() -> Screen:
    """A connected interface with an idle thread."""
    screen = Screen()
    screen.apply(Connected())
    screen.apply(OpenNewThread(params=ThreadStartParams()))
    screen.reply("thread/start", opened())
    screen.effects.clear()
    return screen


def turn_began(screen: Screen, turn_id: str = "turn-1") -> list[Effect]:
    """The server answers turn/start (if one was sent) and begins."""
    if any(request.row.name == "turn/start" for request in screen.open):
        turn = Turn(id=turn_id, items=[], status="inProgress")
        screen.reply("turn/start", TurnStartResponse(turn=turn))
    turn_json = {"id": turn_id, "items": [], "status": "inProgress"}
    return screen.apply(heard("turn/started", {"threadId": THREAD, "turn": turn_json}))


def turn_ended(
    screen: Screen,
    status: str = "completed",
    turn_id: str = "turn-1",
    error: dict[str, Any] | None = None,
) -> list[Effect]:
    turn = {"id": turn_id, "items": [], "status": status, "error": error, "durationMs": 5_000}
    return screen.apply(heard("turn/completed", {"threadId": THREAD, "turn": turn}))


def started(screen: Screen, **item: Any) -> None:
    screen.apply(heard("item/started", _item(item)))


def completed(screen: Screen, **item: Any) -> None:
    screen.apply(heard("item/completed", _item(item)))


def said(screen: Screen, text: str, item_id: str = "m1") -> None:
    params = {"threadId": THREAD, "turnId": "turn-1", "itemId": item_id, "delta": text}
    screen.apply(heard("item/agentMessage/delta", params))


def taken_up(screen: Screen, text: str, item_id: str = "u1", client_id: str | None = None) -> None:
    """The server puts a message of the user's into the conversation."""
    item: dict[str, Any] = {
        "type": "userMessage",
        "id": item_id,
        "content": [{"type": "text", "text": text}],
    }
    if client_id is not None:
        item["clientId"] = client_id
    started(screen, **item)
    completed(screen, **item)


def command(screen: Screen, item_id: str, line: str = "make", **fields: Any) -> dict[str, Any]:
    """A started command's item."""
    item = {
        "type": "commandExecution",
        "id": item_id,
        "command": line,
        "commandActions": [{"type": "unknown", "command": line}],
        "cwd": "/home/me/work",
        "status": "inProgress",
        "processId": "1",
        **fields,
    }
    started(screen, **item)
    return item


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {"threadId": THREAD, "turnId": "turn-1", "item": item}
