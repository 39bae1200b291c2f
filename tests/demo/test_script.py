"""The language of scripts, and the events a reply becomes."""

from typing import Any

import msgspec
import pytest

from app_server.demo.script import (
    CustomToolCall,
    Failure,
    FunctionCall,
    Gate,
    Message,
    Pause,
    Playlist,
    RawItem,
    Reply,
    Request,
    Usage,
    as_json,
    reply_from,
)
from app_server.demo.stream import cues


def request(text: str) -> Request:
    return Request(method="POST", path="/", query="", headers={}, text=text, body=None)


def events(reply: Reply) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(cue.partition(b"data: ")[2])
        for cue in cues(reply, "r")
        if isinstance(cue, bytes)
    ]


def kinds(reply: Reply) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events(reply)]


def test_a_reply_written_as_json_is_the_same_reply() -> None:
    reply = Reply(
        items=[
            Message(deltas=["a", "b"], delay_ms=2),
            FunctionCall(name="n", arguments={"x": 1}),
            CustomToolCall(name="p", input="text"),
            Pause(ms=1),
            RawItem(item={"type": "web_search_call", "action": {"type": "search"}}),
        ],
        usage=Usage(input_tokens=7),
        headers={"x": "y"},
        when="word",
        failed=Failure(code="c"),
    )
    assert reply_from(msgspec.json.decode(msgspec.json.encode(as_json(reply)))) == reply
    assert reply_from({"items": [{"type": "web_search_call", "action": {"type": "search"}}]}) == (
        Reply(items=[reply.items[-1]])
    )


@pytest.mark.parametrize(
    "given",
    [
        {"itmes": []},
        {"items": [{"type": "message", "txt": "a"}]},
        {"usage": {"tokens": 1}},
        {"status": "500"},
    ],
)
def test_a_misspelt_reply_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        reply_from(given)


def test_replies_are_played_in_order_each_when_its_word_comes_up() -> None:
    first, on_word, second = Reply(), Reply(when="word"), Reply(status=500)
    play = Playlist([on_word, first, second])
    assert play(request("nothing")) is first
    assert play(request("a word")) is on_word
    assert play(request("a word")) is second
    assert play(request("a word")) == Reply(items=[Message(text="ok")])


def test_a_message_is_announced_streamed_and_repeated_whole() -> None:
    message = Reply(items=[Message(deltas=["a", "b"])])
    assert kinds(message) == [
        "created",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "output_item.done",
        "completed",
    ]
    assert events(message)[-2]["item"]["content"][0]["text"] == "ab"


def test_generated_text_has_the_size_asked_for() -> None:
    deltas = [
        event["delta"]
        for event in events(Reply(items=[Message(n=100, size=9)]))
        if event["type"] == "response.output_text.delta"
    ]
    assert [len(delta) for delta in deltas] == [9] * 100


def test_arguments_given_as_text_stay_as_they_are() -> None:
    done = events(Reply(items=[FunctionCall(name="n", arguments="{broken")]))[-2]
    assert done["item"]["arguments"] == "{broken"


def test_only_events_count_towards_the_cut() -> None:
    items = [Pause(ms=1), Gate(name="g"), Message(text="a")]
    cut = list(cues(Reply(items=items, disconnect_after=2), "r"))
    assert [type(cue) for cue in cut] == [bytes, float, Gate, bytes]


@pytest.mark.parametrize(
    ("reply", "last"),
    [
        (Reply(), "completed"),
        (Reply(failed=Failure(code="c")), "failed"),
        (Reply(incomplete="max_output_tokens"), "incomplete"),
        (Reply(no_completed=True), "created"),
    ],
)
def test_a_stream_ends_as_the_reply_says(reply: Reply, last: str) -> None:
    assert kinds(reply)[-1] == last
