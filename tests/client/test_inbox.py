"""What waits for one reader."""

import pytest

from app_server.client import inbox as room
from app_server.client.inbox import Inbox
from app_server.protocol.item_deltas import (
    AgentMessageDeltaNotification,
    CommandExecutionOutputDeltaNotification,
)


def piece(delta: str, item_id: str = "m") -> AgentMessageDeltaNotification:
    return AgentMessageDeltaNotification(thread_id="t", turn_id="u", item_id=item_id, delta=delta)


def output(delta: str) -> CommandExecutionOutputDeltaNotification:
    fields = {"thread_id": "t", "turn_id": "u", "item_id": "m"}
    return CommandExecutionOutputDeltaNotification(**fields, delta=delta)


async def test_events_come_in_order_and_the_end_comes_after_them() -> None:
    inbox: Inbox[object] = Inbox()
    for event in (piece("a"), piece("b")):
        inbox.put(event)
    inbox.close()
    inbox.put(piece("too late"))
    assert [await inbox.get() for _ in range(3)] == [piece("a"), piece("b"), None]


async def test_an_error_comes_after_what_was_heard_before_it() -> None:
    inbox: Inbox[object] = Inbox()
    inbox.put(piece("a"))
    inbox.close(ConnectionError("gone"))
    assert await inbox.get() == piece("a")
    with pytest.raises(ConnectionError, match="gone"):
        await inbox.get()


async def test_a_reader_that_is_far_behind_gets_growing_texts_in_fewer_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "WAITING_BEFORE_JOINING", 2)
    inbox: Inbox[object] = Inbox()
    given = [piece("a"), piece("b"), piece("c"), piece("d"), piece("x", "n"), output("o"), "other"]
    for event in given:
        inbox.put(event)
    inbox.close()
    got = [await inbox.get() for _ in range(5)]
    assert got == [piece("a"), piece("bcd"), piece("x", "n"), output("o"), "other"]
