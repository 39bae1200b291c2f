"""From a reply to the events of its stream, as the Responses API sends them. Pure.

The result is a list of cues: bytes to send, seconds to wait, gates to wait at. Only events count
for `disconnect_after` and `hang_after`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from app_server.demo.script import (
    CustomToolCall,
    FunctionCall,
    Gate,
    Json,
    Message,
    Pause,
    RawBytes,
    RawEvent,
    RawItem,
    Reasoning,
    Reply,
    Step,
    Usage,
)

Cue: TypeAlias = bytes | float | Gate
"""Bytes to send, seconds to let pass, or a gate."""


def cues(reply: Reply, response_id: str) -> Iterator[Cue]:
    """Everything the stream consists of, cut where the reply says."""
    limit = reply.disconnect_after if reply.disconnect_after is not None else reply.hang_after
    sent = 0
    for cue in _whole_stream(reply, response_id):
        if isinstance(cue, bytes):
            if limit is not None and sent >= limit:
                return
            sent += 1
        yield cue


def _whole_stream(reply: Reply, response_id: str) -> Iterator[Cue]:
    response: Json = {"id": response_id, "object": "response"}
    yield _event("response.created", response={**response, "status": "in_progress"})
    index = 0
    for step in reply.items:
        yield from _step(step, response_id, index)
        if not isinstance(step, Pause | Gate | RawEvent | RawBytes):
            index += 1
    if reply.failed is not None:
        error = {"code": reply.failed.code, "message": reply.failed.message}
        yield _event("response.failed", response={**response, "status": "failed", "error": error})
    elif reply.incomplete is not None:
        details = {"reason": reply.incomplete}
        ending = {**response, "status": "incomplete", "incomplete_details": details}
        yield _event("response.incomplete", response=ending)
    elif not reply.no_completed:
        ending = {**response, "status": "completed", "output": [], "usage": _usage(reply.usage)}
        yield _event("response.completed", response=ending)


def _step(step: Step, response_id: str, index: int) -> Iterator[Cue]:
    match step:
        case Pause(ms=ms):
            yield ms / 1000
        case Gate():
            yield step
        case RawEvent(event=event):
            yield _encoded(event)
        case RawBytes(text=text):
            yield text.encode()
        case Message():
            yield from _message(step, step.id or f"msg_{response_id}_{index}", index)
        case Reasoning():
            yield from _reasoning(step, step.id or f"rs_{response_id}_{index}", index)
        case FunctionCall():
            yield from _function_call(step, response_id, index)
        case CustomToolCall():
            yield from _custom_tool_call(step, response_id, index)
        case RawItem(item=given):
            item = {"id": f"it_{response_id}_{index}", **given}
            yield _event("response.output_item.added", output_index=index, item=item)
            item = {"status": "completed", **item}
            yield _event("response.output_item.done", output_index=index, item=item)


def _message(step: Message, item_id: str, index: int) -> Iterator[Cue]:
    item: Json = {"type": "message", "role": "assistant", "id": item_id}
    if step.phase is not None:
        item["phase"] = step.phase
    place = {"item_id": item_id, "output_index": index, "content_index": 0}
    started = {**item, "status": "in_progress", "content": []}
    yield _event("response.output_item.added", output_index=index, item=started)
    part = {"type": "output_text", "text": ""}
    yield _event("response.content_part.added", **place, part=part)
    deltas = _deltas(step)
    for delta in deltas:
        if step.delay_ms:
            yield step.delay_ms / 1000
        yield _event("response.output_text.delta", **place, delta=delta)
    text = "".join(deltas)
    yield _event("response.output_text.done", **place, text=text)
    content = [{"type": "output_text", "text": text, "annotations": []}]
    done = {**item, "status": "completed", "content": content}
    yield _event("response.output_item.done", output_index=index, item=done)


def _reasoning(step: Reasoning, item_id: str, index: int) -> Iterator[Cue]:
    item: Json = {"type": "reasoning", "id": item_id}
    place = {"item_id": item_id, "output_index": index}
    yield _event("response.output_item.added", output_index=index, item={**item, "summary": []})
    for number, text in enumerate(step.summary):
        section = {**place, "summary_index": number}
        part = {"type": "summary_text", "text": ""}
        yield _event("response.reasoning_summary_part.added", **section, part=part)
        for word in _words(text):
            if step.delay_ms:
                yield step.delay_ms / 1000
            yield _event("response.reasoning_summary_text.delta", **section, delta=word)
        yield _event("response.reasoning_summary_text.done", **section, text=text)
    for number, text in enumerate(step.content):
        yield _event("response.reasoning_text.delta", **place, content_index=number, delta=text)
    item["summary"] = [{"type": "summary_text", "text": text} for text in step.summary]
    if step.content:
        item["content"] = [{"type": "reasoning_text", "text": text} for text in step.content]
    item["encrypted_content"] = step.encrypted
    yield _event("response.output_item.done", output_index=index, item=item)


def _function_call(step: FunctionCall, response_id: str, index: int) -> Iterator[Cue]:
    given = step.arguments
    arguments = given if isinstance(given, str) else json.dumps(given)
    item: Json = {
        "type": "function_call",
        "id": step.id or f"fc_{response_id}_{index}",
        "name": step.name,
        "call_id": step.call_id or f"call_{response_id}_{index}",
    }
    if step.namespace is not None:
        item["namespace"] = step.namespace
    place = {"item_id": item["id"], "output_index": index}
    started = {**item, "arguments": "", "status": "in_progress"}
    yield _event("response.output_item.added", output_index=index, item=started)
    yield _event("response.function_call_arguments.delta", **place, delta=arguments)
    yield _event("response.function_call_arguments.done", **place, arguments=arguments)
    done = {**item, "arguments": arguments, "status": "completed"}
    yield _event("response.output_item.done", output_index=index, item=done)


def _custom_tool_call(step: CustomToolCall, response_id: str, index: int) -> Iterator[Cue]:
    item: Json = {
        "type": "custom_tool_call",
        "id": step.id or f"ctc_{response_id}_{index}",
        "name": step.name,
        "call_id": step.call_id or f"call_{response_id}_{index}",
    }
    place = {"item_id": item["id"], "output_index": index}
    started = {**item, "input": "", "status": "in_progress"}
    yield _event("response.output_item.added", output_index=index, item=started)
    size = step.chunk or max(1, len(step.input))
    for start in range(0, len(step.input), size):
        if step.delay_ms:
            yield step.delay_ms / 1000
        piece = step.input[start : start + size]
        named = {**place, "call_id": item["call_id"]}
        yield _event("response.custom_tool_call_input.delta", **named, delta=piece)
    yield _event("response.custom_tool_call_input.done", **place, input=step.input)
    done = {**item, "input": step.input, "status": "completed"}
    yield _event("response.output_item.done", output_index=index, item=done)


def _usage(usage: Usage) -> Json:
    total = usage.total_tokens
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_output_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens if total is None else total,
    }


def _deltas(step: Message) -> list[str]:
    if step.deltas is not None:
        return step.deltas
    if step.n is not None:
        return [_generated(number, step.size) for number in range(step.n)]
    return [step.text]


_FILLER = "one two three four five six seven eight nine ten eleven twelve "


def _generated(number: int, size: int) -> str:
    """`size` characters of words; every sixteenth piece ends its line."""
    start = number * size % len(_FILLER)
    text = (_FILLER * (size // len(_FILLER) + 2))[start : start + size]
    return text[:-1] + "\n" if number % 16 == 15 else text


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(" " + word for word in rest)]


def _event(kind: str, /, **fields: Any) -> bytes:
    return _encoded({"type": kind, **fields})


def _encoded(event: Json) -> bytes:
    name = str(event.get("type", "message")).encode()
    return b"event: " + name + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
