"""Calls and their answers, without any I/O."""

from app_server.protocol.memory import MEMORY_RESET
from app_server.rpc.frames import ErrorFrame, RequestFrame, ResultFrame
from app_server.rpc.peer import ConnectionLost, Peer


def test_calls_get_fresh_ids_and_answers_find_their_call() -> None:
    peer: Peer[str] = Peer(first_id=1)
    assert peer.call(MEMORY_RESET, None, "first") == RequestFrame(1, "memory/reset", None)
    assert peer.call(MEMORY_RESET, None, "second") == RequestFrame(2, "memory/reset", None)
    second = peer.settle(ResultFrame(2, {}))
    first = peer.settle(ErrorFrame(1, ConnectionLost()))
    assert second is not None
    assert first is not None
    assert (second.waiter, first.waiter) == ("second", "first")
    assert len(peer) == 0


def test_an_answer_to_a_cancelled_call_is_a_late_reply() -> None:
    peer: Peer[str] = Peer()
    frame = peer.call(MEMORY_RESET, None, "call")
    peer.cancel(frame.id)
    assert peer.settle(ResultFrame(frame.id, {})) is None
    assert peer.late_replies == 1


def test_answers_to_calls_nobody_made_cost_no_memory() -> None:
    peer: Peer[str] = Peer()
    for number in range(1000):
        assert peer.settle(ResultFrame(f"unknown {number}", {})) is None
    assert len(peer) == 0
    assert peer.late_replies == 1000


def test_a_second_answer_is_a_late_reply() -> None:
    peer: Peer[str] = Peer()
    frame = peer.call(MEMORY_RESET, None, "call")
    assert peer.settle(ResultFrame(frame.id, {})) is not None
    assert peer.settle(ResultFrame(frame.id, {})) is None


def test_closing_gives_back_every_open_call_once() -> None:
    peer: Peer[str] = Peer()
    for name in ("a", "b"):
        peer.call(MEMORY_RESET, None, name)
    assert [call.waiter for call in peer.close()] == ["a", "b"]
    assert peer.close() == []
