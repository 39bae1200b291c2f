"""The prompts of a user, in one file that several programs share."""

import fcntl
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from app_server import clock
from app_server.client import message_history
from app_server.client.message_history import (
    HistoryBusy,
    HistoryEntry,
    HistoryMetadata,
    MessageHistory,
    NoMessageHistory,
)


@pytest.fixture
def history(codex_home: Path, monkeypatch: pytest.MonkeyPatch) -> MessageHistory:
    monkeypatch.setattr(clock, "now", lambda: 1_767_323_045.9)
    monkeypatch.setattr(message_history, "LOCK_PAUSE_SECONDS", 0.0)
    return MessageHistory(codex_home)


def test_a_prompt_is_one_line_of_json(history: MessageHistory) -> None:
    history.append("t1", "two\nlines é")
    assert [json.loads(line) for line in history.path.read_text().splitlines()] == [
        {"session_id": "t1", "ts": 1_767_323_045, "text": "two\nlines é"}
    ]


def test_the_file_is_the_owners_alone_and_is_repaired(history: MessageHistory) -> None:
    history.append("t", "one")
    history.path.chmod(0o644)
    history.append("t", "two")
    assert history.path.stat().st_mode & 0o777 == 0o600


def test_entries_are_looked_up_by_file_and_line(history: MessageHistory) -> None:
    assert history.metadata() == HistoryMetadata(0, 0)
    for text in ("one", "two", "three"):
        history.append("t", text)
    metadata = history.metadata()
    assert metadata == HistoryMetadata(os.stat(history.path).st_ino, 3)
    second = HistoryEntry(session_id="t", ts=1_767_323_045, text="two")
    assert history.lookup(metadata.log_id, 1) == second
    assert history.lookup(0, 1) == second
    assert history.lookup(metadata.log_id + 1, 1) is None
    assert history.lookup(metadata.log_id, 3) is None
    assert history.lookup(metadata.log_id, -1) is None


def test_the_newest_prompt_comes_first_and_bad_lines_are_passed_over(
    history: MessageHistory,
) -> None:
    history.append("t", "one")
    with history.path.open("ab") as file:
        file.write(b'garbage\n\xff\n{"session_id":"t","ts":1,"te')
    history.append("t", "two")
    assert [entry.text for entry in history.newest_first()] == ["two", "one"]
    assert history.lookup(0, 1) is None


def test_nothing_is_kept_when_that_is_switched_off(codex_home: Path) -> None:
    history = MessageHistory(codex_home, persistence="none")
    history.append("t", "secret")
    assert not history.path.exists()


def test_a_file_that_outgrew_its_limit_loses_its_oldest_lines(codex_home: Path) -> None:
    history = MessageHistory(codex_home, max_bytes=1_000)
    history.append("t", "first")
    inode = os.stat(history.path).st_ino
    for number in range(40):
        history.append("t", f"prompt {number:02}")
        assert history.path.stat().st_size <= 1_000
    texts = [entry.text for entry in history.newest_first()]
    assert texts[0] == "prompt 39"
    assert texts == sorted(texts, reverse=True)
    assert "first" not in texts
    assert os.stat(history.path).st_ino == inode
    assert all(json.loads(line) for line in history.path.read_text().splitlines())


def test_the_newest_prompt_stays_however_large(codex_home: Path) -> None:
    history = MessageHistory(codex_home, max_bytes=100)
    history.append("t", "small")
    history.append("t", "x" * 500)
    assert [entry.text for entry in history.newest_first()] == ["x" * 500]


def test_a_lock_held_too_long_is_an_error(history: MessageHistory) -> None:
    history.append("t", "one")
    with history.path.open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(HistoryBusy, match="could not acquire exclusive lock"):
            history.append("t", "two")
        assert history.lookup(0, 0) is None
    history.append("t", "three")
    assert [entry.text for entry in history.newest_first()] == ["three", "one"]


def _write_many(home: Path, name: str, count: int) -> None:
    history = MessageHistory(home)
    for number in range(count):
        history.append(name, f"{number} " + "x" * 3_000)


def test_programs_sharing_the_file_write_whole_lines(codex_home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write_many, args=(codex_home, name, 50)) for name in ("a", "b")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    entries = list(MessageHistory(codex_home).newest_first())
    assert len(entries) == 100
    for name in ("a", "b"):
        own = [int(entry.text.split()[0]) for entry in entries if entry.session_id == name]
        assert own == list(range(49, -1, -1))


def test_lone_surrogates_are_replaced(history: MessageHistory) -> None:
    history.append("t", "a\udc80")
    assert [entry.text for entry in history.newest_first()] == ["a?"]


def test_the_stand_in_keeps_nothing_and_says_so() -> None:
    nothing = NoMessageHistory("the server runs elsewhere.")
    nothing.append("t", "x")
    assert nothing.metadata() == HistoryMetadata(0, 0)
    assert list(nothing.newest_first()) == []
    assert nothing.unavailable_notice == (
        "Earlier prompts are not available: the server runs elsewhere."
    )
