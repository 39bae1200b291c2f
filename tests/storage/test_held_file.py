"""A thread's file that others move, replace and delete while it is written."""

import errno
import os
from pathlib import Path

import pytest

from app_server.storage import held_file
from app_server.storage.rollout import UserMessage
from app_server.storage.rollout_read import read_rollout
from app_server.storage.rollout_write import RolloutWriter
from tests.storage.test_rollout_write import META, said

NAME = "rollout-2026-01-02T03-04-05-019a0000-0000-7000-8000-000000000001.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions/2026/01/02" / NAME


@pytest.fixture
def writer(path: Path) -> RolloutWriter:
    """It has written "one"."""
    made = RolloutWriter(path, [META])
    made.append([UserMessage(message="one")])
    return made


def test_a_file_that_is_put_away_and_brought_back_is_followed(
    writer: RolloutWriter, path: Path, tmp_path: Path
) -> None:
    archived = tmp_path / "archived_sessions" / NAME
    archived.parent.mkdir()
    path.rename(archived)
    assert writer.path == archived
    assert not writer.append([UserMessage(message="two")])
    archived.rename(path)
    assert not writer.append([UserMessage(message="three")])
    assert writer.path == path
    assert said(path) == ["one", "two", "three"]


def test_a_file_moved_where_nobody_looks_is_still_written(
    writer: RolloutWriter, path: Path, tmp_path: Path
) -> None:
    path.rename(tmp_path / "elsewhere")
    writer.append([UserMessage(message="two")])
    assert said(tmp_path / "elsewhere") == ["one", "two"]
    assert not path.exists()


def test_a_deleted_file_is_written_again_with_all_it_held(
    writer: RolloutWriter, path: Path, tmp_path: Path
) -> None:
    path.unlink()
    path.parent.rmdir()
    assert writer.append([UserMessage(message="two")])
    assert not writer.append([UserMessage(message="three")])
    assert said(path) == ["one", "two", "three"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_deleted_file_that_cannot_be_written_yet_is_not_forgotten(
    writer: RolloutWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path.unlink()
    with monkeypatch.context() as disk:
        disk.setattr(held_file.os, "write", full)
        with pytest.raises(OSError, match="No space"):
            writer.append([UserMessage(message="two")])
        assert not path.exists()
    assert writer.flush()
    assert said(path) == ["one", "two"]


def test_a_file_in_the_place_of_ours_is_gone_on_with(writer: RolloutWriter, path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b'{"torn')
    assert not writer.append([UserMessage(message="two")])
    assert said(path) == ["one", "two"]
    assert read_rollout(path).skipped == [len(content.splitlines()) + 1]


def test_what_cannot_be_gone_on_with_does_not_cost_what_was_written(
    writer: RolloutWriter, path: Path
) -> None:
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        writer.append([UserMessage(message="two")])
    path.rmdir()
    assert writer.append([UserMessage(message="three")])
    assert said(path) == ["one", "two", "three"]


def test_a_held_file_survives_its_deletion_before_the_first_append(path: Path) -> None:
    first = RolloutWriter(path, [META])
    first.begin()
    first.close()
    resumed = RolloutWriter(path)
    resumed.hold()
    path.unlink()
    assert resumed.append([UserMessage(message="two")])
    assert (read_rollout(path).meta, said(path)) == (META, ["two"])


def test_a_held_thread_that_is_deleted_and_says_nothing_more_stays_deleted(path: Path) -> None:
    first = RolloutWriter(path, [META])
    first.begin()
    path.unlink()
    first.close()
    assert not path.exists()
