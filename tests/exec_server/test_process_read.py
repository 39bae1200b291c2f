"""Polling retained output."""

import base64
import signal
from pathlib import Path
from typing import Any

from app_server.exec_server.gathering import GATHERED_BYTES
from app_server.exec_server.output import RETAINED_BYTES
from app_server.exec_server.processes import READ_BYTES
from tests.exec_server.stdio_peer import StdioPeer, encode, kill


def read(peer: StdioPeer, process_id: str, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = peer.call("process/read", {"processId": process_id, **params})[
        "result"
    ]
    return result


def data(result: dict[str, Any]) -> bytes:
    return b"".join(base64.b64decode(chunk["chunk"]) for chunk in result["chunks"])


def test_an_ended_process_is_read_from_the_beginning_and_onwards(peer: StdioPeer) -> None:
    peer.shell("a", "echo one")
    peer.exited("a")
    first = read(peer, "a")
    assert first == {
        "chunks": [{"seq": 1, "stream": "stdout", "chunk": encode(b"one\n")}],
        "nextSeq": 2,
        "exited": True,
        "exitCode": 0,
    }
    assert read(peer, "a", afterSeq=1)["chunks"] == []


def test_a_limit_never_splits_a_chunk_and_always_gives_one(peer: StdioPeer) -> None:
    peer.shell("a", "cat", tty=True)
    for word in (b"first\n", b"second\n"):
        peer.call("process/write", {"processId": "a", "chunk": encode(word)})
        peer.output_until("a", word.strip() + b"\r\n" + word.strip() + b"\r\n")
    everything = read(peer, "a")["chunks"]
    assert len(everything) >= 2
    assert read(peer, "a", maxBytes=1)["chunks"] == everything[:1]
    assert read(peer, "a", maxBytes=10_000)["chunks"] == everything


def test_waiting_ends_with_output(peer: StdioPeer, tmp_path: Path) -> None:
    go = tmp_path / "go"
    peer.shell("a", f"while [ ! -e {go} ]; do :; done; echo there; exec sleep 60")
    waiting = peer.ask("process/read", {"processId": "a", "waitMs": 30_000})
    go.touch()
    result = peer.answer(waiting)["result"]
    assert (data(result), result["exited"]) == (b"there\n", False)


def test_waiting_ends_with_the_exit(peer: StdioPeer) -> None:
    pid = peer.start("a", "/bin/sleep", "60")["result"]["pid"]
    waiting = peer.ask("process/read", {"processId": "a", "waitMs": 30_000})
    kill(pid, signal.SIGKILL)
    result = peer.answer(waiting)["result"]
    assert (result["chunks"], result["exited"], result["exitCode"]) == ([], True, -1)


def test_requests_behind_a_waiting_read_are_handled_after_it_in_order(peer: StdioPeer) -> None:
    pid = peer.start("a", "/bin/sleep", "60")["result"]["pid"]
    asked = [peer.ask("process/read", {"processId": "a", "waitMs": 30_000})]
    asked.append(peer.ask("process/terminate", {"processId": "no-such"}))
    asked.append(peer.ask("process/read", {"processId": "a"}))
    kill(pid, signal.SIGKILL)
    peer.answer(asked[-1])
    answered = [message["id"] for message in peer.seen if "id" in message]
    assert answered[-3:] == asked


def test_waiting_without_news_gives_an_empty_list(peer: StdioPeer) -> None:
    peer.start("a", "/bin/sleep", "60")
    assert read(peer, "a", waitMs=1) == {
        "chunks": [],
        "nextSeq": 1,
        "exited": False,
        "exitCode": None,
    }


LARGEST_CHUNK_BYTES = READ_BYTES + GATHERED_BYTES
"""What is dropped is dropped in whole chunks, whose size depends on how fast the reader is."""


def test_a_mebibyte_is_retained_and_a_gap_shows_what_was_dropped(peer: StdioPeer) -> None:
    peer.shell("a", "head -c 3000000 /dev/zero")
    peer.exited("a")
    chunks = read(peer, "a")["chunks"]
    kept_bytes = sum(len(base64.b64decode(chunk["chunk"])) for chunk in chunks)
    assert RETAINED_BYTES - LARGEST_CHUNK_BYTES < kept_bytes <= RETAINED_BYTES == 1_048_576
    assert chunks[0]["seq"] > 1
    assert [chunk["seq"] for chunk in chunks] == list(
        range(chunks[0]["seq"], chunks[0]["seq"] + len(chunks))
    )
    assert len(peer.output("a")) == 3_000_000


def test_unknown_ids_are_refused(peer: StdioPeer) -> None:
    unknown = {"code": -32600, "message": "unknown process id no-such"}
    assert peer.call("process/read", {"processId": "no-such"})["error"] == unknown
    written = peer.call("process/write", {"processId": "no-such", "chunk": ""})
    assert written["error"] == unknown
    assert peer.call("process/terminate", {"processId": "no-such"})["result"] == {"running": False}


def test_garbage_instead_of_base64_is_refused(peer: StdioPeer) -> None:
    peer.shell("a", "cat", tty=True)
    assert peer.call("process/write", {"processId": "a", "chunk": "%%%"})["error"]["code"] == -32602
    assert "result" in peer.call("process/write", {"processId": "a", "chunk": encode(b"ok\n")})


def test_writing_to_a_terminal_that_is_gone_is_an_internal_error(peer: StdioPeer) -> None:
    peer.start("a", "true", tty=True)
    peer.exited("a")
    assert peer.call("process/write", {"processId": "a", "chunk": encode(b"x")})["error"] == {
        "code": -32603,
        "message": "failed to write to process stdin",
    }


def test_hundreds_of_requests_behind_a_waiting_read_are_all_answered(peer: StdioPeer) -> None:
    pid = peer.start("a", "/bin/sleep", "60")["result"]["pid"]
    peer.ask("process/read", {"processId": "a", "waitMs": 30_000})
    asked = [peer.ask("process/terminate", {"processId": "no-such"}) for _ in range(500)]
    kill(pid, signal.SIGKILL)
    peer.answer(asked[-1])
    assert [message["id"] for message in peer.seen if "id" in message][-500:] == asked
