"""The model in tests: a script on loopback.

    async def test_…(model):
        model.script(says("Hello."), runs_command("ls"), fails_with(500))

`model` is a running `ScriptedModel` on a thread of its own, so it serves async tests, sync tests
and programs in another process alike. Each helper gives one `Reply`, the answer to one request.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.demo.provider import ScriptedModel
from app_server.demo.script import (
    CustomToolCall,
    Failure,
    FunctionCall,
    Gate,
    Message,
    RawEvent,
    RawItem,
    Reasoning,
    Reply,
    Request,
    Step,
)
from app_server.demo.thread import ModelThread

__all__ = [
    "ModelThread",
    "Reply",
    "ScriptedModel",
    "applies_patch",
    "calls_tool",
    "disconnects",
    "fails_with",
    "hangs",
    "in_one_answer",
    "model",
    "provider_toml",
    "refuses",
    "requests_seen",
    "runs_command",
    "says",
    "says_slowly",
    "searches_web",
    "sends_event",
    "stops_early",
    "streams",
    "thinks",
    "updates_plan",
    "waits_at",
    "writes_to_command",
]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A running scripted model; without a script it answers "ok"."""
    with ModelThread() as running:
        yield running


async def requests_seen(model: ScriptedModel, count: int) -> list[Request]:
    """Wait until `count` requests have arrived in all."""
    return await asyncio.to_thread(model.wait_for_requests, count)


def says(text: str, *, phase: Any = None, **reply: Any) -> Reply:
    """One message, in one piece."""
    return Reply(items=[Message(text=text, phase=phase)], **reply)


def streams(*deltas: str, delay_ms: float = 0, phase: Any = None, **reply: Any) -> Reply:
    """One message in these pieces."""
    return Reply(items=[Message(deltas=list(deltas), delay_ms=delay_ms, phase=phase)], **reply)


def says_slowly(count: int, *, size: int = 8, delay_ms: float = 0, **reply: Any) -> Reply:
    """One message of `count` generated pieces."""
    return Reply(items=[Message(n=count, size=size, delay_ms=delay_ms)], **reply)


def thinks(*summary: str, then: str | None = None, content: tuple[str, ...] = ()) -> Reply:
    """Reasoning with these summary sections, and a message if `then` is given."""
    items: list[Step] = [Reasoning(summary=list(summary), content=list(content))]
    if then is not None:
        items.append(Message(text=then))
    return Reply(items=items)


def calls_tool(name: str, arguments: Any, *, call_id: str | None = None, **reply: Any) -> Reply:
    """One tool call; arguments given as text are sent as they are."""
    call = FunctionCall(name=name, arguments=arguments, call_id=call_id)
    return Reply(items=[call], **reply)


def runs_command(cmd: str, *, call_id: str | None = None, **arguments: Any) -> Reply:
    """A call of `exec_command`; `arguments` are its other parameters."""
    return calls_tool("exec_command", {"cmd": cmd, **arguments}, call_id=call_id)


def writes_to_command(session_id: int | str, chars: str = "", **arguments: Any) -> Reply:
    """A call of `write_stdin`; a session named "${NAME}" is filled in by a capture."""
    return calls_tool("write_stdin", {"session_id": session_id, "chars": chars, **arguments})


def applies_patch(patch: str, *, call_id: str | None = None, chunk: int | None = None) -> Reply:
    """A call of `apply_patch` with this text."""
    call = CustomToolCall(name="apply_patch", input=patch, call_id=call_id, chunk=chunk)
    return Reply(items=[call])


def updates_plan(*steps: tuple[str, str], explanation: str | None = None) -> Reply:
    """A call of `update_plan`; each step is (text, status)."""
    plan = [{"step": step, "status": status} for step, status in steps]
    told = {} if explanation is None else {"explanation": explanation}
    return calls_tool("update_plan", {**told, "plan": plan})


def searches_web(query: str) -> Reply:
    """A web search done by the service."""
    action = {"type": "search", "query": query}
    return Reply(items=[RawItem(item={"type": "web_search_call", "action": action})])


def in_one_answer(*replies: Reply, **reply: Any) -> Reply:
    """The items of several replies in a single answer."""
    return Reply(items=[item for part in replies for item in part.items], **reply)


def waits_at(gate: str, reply: Reply) -> Reply:
    """Hold back the reply's items until `model.release(gate)`."""
    return msgspec.structs.replace(reply, items=[Gate(name=gate), *reply.items])


def hangs(*deltas: str) -> Reply:
    """A message that begins with these pieces, then silence on an open connection."""
    message = Message(deltas=list(deltas))
    events_before_and_in_message = 3 + len(deltas)
    return Reply(items=[message], hang_after=events_before_and_in_message)


def disconnects(*deltas: str) -> Reply:
    """A message that begins with these pieces, then a closed connection."""
    message = Message(deltas=list(deltas))
    events_before_and_in_message = 3 + len(deltas)
    return Reply(items=[message], disconnect_after=events_before_and_in_message)


def fails_with(status: int, body: Any = None, **headers: str) -> Reply:
    """A plain HTTP answer; underscores in header names become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = {"error": {"message": "scripted error"}} if body is None else body
    return Reply(status=status, body=content, headers=named)


def refuses(code: str, message: str = "") -> Reply:
    """A stream that ends in `response.failed`."""
    return Reply(failed=Failure(code=code, message=message))


def stops_early(reason: str = "max_output_tokens") -> Reply:
    """A stream that ends in `response.incomplete`."""
    return Reply(incomplete=reason)


def sends_event(event: dict[str, Any]) -> Reply:
    """A stream with one raw event in it."""
    return Reply(items=[RawEvent(event=event)])


def provider_toml(model: ScriptedModel, *, retries: int = 0, home: Path | None = None) -> str:
    """config.toml that makes the scripted model the provider; written to `home` if given."""
    text = (
        'model = "gpt-5.5"\n'
        'model_provider = "mock"\n'
        "[model_providers.mock]\n"
        'name = "mock"\n'
        f'base_url = "{model.url}"\n'
        'wire_api = "responses"\n'
        f"request_max_retries = {retries}\n"
        f"stream_max_retries = {retries}\n"
    )
    if home is not None:
        (home / "config.toml").write_text(text)
    return text
