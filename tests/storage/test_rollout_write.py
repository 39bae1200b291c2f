"""Appending to a thread's file, also when the disk does not cooperate."""

import errno
import os
import random
from contextlib import suppress
from pathlib import Path

import pytest

from app_server.storage import rollout_write
from app_server.storage.rollout import AgentMessage, SessionMeta, UserMessage
from app_server.storage.rollout_read import read_rollout
from app_server.storage.rollout_write import RolloutWriter

META = SessionMeta(
    id="019a0000-0000-7000-8000-000000000001",
    timestamp="2026-01-02T03:04:05.000Z",
    cwd="/w",
    originator="test",
    cli_version="0",
    source="vscode",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions/2026/01/02/rollout-x.jsonl"


def said(path: Path) -> list[str]:
    items = [line.item for line in read_rollout(path).lines]
    return [item.message for item in items if isinstance(item, UserMessage | AgentMessage)]


def test_the_file_appears_with_the_first_append(path: Path) -> None:
    writer = RolloutWriter(path, [META])
    assert not path.exists()
    writer.append([UserMessage(message="one")])
    assert said(path) == ["one"]
    assert read_rollout(path).meta == META


def test_a_thread_that_was_never_used_leaves_no_file(path: Path) -> None:
    RolloutWriter(path, [META]).close()
    assert not path.exists()


def test_a_fork_can_be_written_at_once(path: Path) -> None:
    writer = RolloutWriter(path, [META, UserMessage(message="parent")])
    writer.begin()
    assert said(path) == ["parent"]


def test_each_append_is_readable_by_others_when_it_returns(path: Path) -> None:
    writer = RolloutWriter(path, [META])
    for number in range(5):
        writer.append([UserMessage(message=str(number))])
        assert said(path)[-1] == str(number)


def test_files_and_folders_are_the_owners_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        RolloutWriter(path, [META]).begin()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_resumed_thread_goes_on_in_the_same_file(path: Path) -> None:
    first = RolloutWriter(path, [META])
    first.append([UserMessage(message="one")])
    first.close()
    second = RolloutWriter(path)
    second.append([UserMessage(message="two")])
    second.close()
    assert said(path) == ["one", "two"]


def test_a_resumed_thread_whose_file_is_gone_is_not_made_anew(path: Path) -> None:
    writer = RolloutWriter(path)
    with pytest.raises(FileNotFoundError):
        writer.append([UserMessage(message="one")])
    assert not path.exists()


@pytest.mark.parametrize("seed", range(8))
def test_a_torn_last_line_costs_only_itself(path: Path, seed: int) -> None:
    dice = random.Random(seed)
    writer = RolloutWriter(path, [META])
    messages = [f"message {number} é😀" for number in range(5)]
    for message in messages:
        writer.append([UserMessage(message=message)])
    writer.close()
    content = path.read_bytes()
    last_line = content[:-1].rfind(b"\n") + 1
    path.write_bytes(content[: dice.randrange(last_line + 1, len(content) - 1)])
    again = RolloutWriter(path)
    again.append([UserMessage(message="after")])
    again.close()
    assert said(path) == [*messages[:-1], "after"]


class FullDisk:
    """Takes so many bytes and then no more, until there is room."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room_bytes <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = min(self.room_bytes, len(data))
        self.room_bytes -= taken
        return _really_write(descriptor, data[:taken])


_really_write = os.write


@pytest.mark.parametrize("room_bytes", [0, 1, 100, 250, 400])
def test_a_full_disk_loses_nothing_and_leaves_no_half_line(
    path: Path, room_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RolloutWriter(path, [META])
    writer.begin()
    disk = FullDisk(room_bytes)
    monkeypatch.setattr(rollout_write.os, "write", disk.write)
    for number in range(10):
        with suppress(OSError):
            writer.append([UserMessage(message=f"message {number}")])
    assert writer.has_unwritten
    assert path.read_bytes().endswith(b"\n")
    assert read_rollout(path).skipped == []
    disk.room_bytes = 10_000
    writer.flush()
    assert not writer.has_unwritten
    assert said(path) == [f"message {number}" for number in range(10)]


def test_closing_with_lines_that_cannot_be_written_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RolloutWriter(path, [META])
    writer.begin()
    monkeypatch.setattr(rollout_write.os, "write", FullDisk(0).write)
    with pytest.raises(OSError, match="No space"):
        writer.append([UserMessage(message="one")])
    with pytest.raises(OSError, match="No space"):
        writer.close()


def test_a_file_that_could_never_be_made_is_not_forgotten_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("in the way")
    writer = RolloutWriter(tmp_path / "sessions" / "rollout.jsonl", [META])
    with pytest.raises(OSError, match=r"directory|exists"):
        writer.append([UserMessage(message="one")])
    with pytest.raises(OSError, match=r"directory|exists"):
        writer.close()
