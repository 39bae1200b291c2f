"""Reading stored threads that time and accidents have touched."""

import random
from pathlib import Path

import pytest

from app_server.storage.errors import RolloutUnusable
from app_server.storage.rollout import SessionMeta, UserMessage
from app_server.storage.rollout_read import read_head, read_rollout

RECORDED = Path(__file__).parent / "recorded"


def test_a_thread_of_the_original_is_read_whole() -> None:
    thread = read_rollout(RECORDED / "patches.jsonl")
    assert thread.skipped == []
    assert thread.meta.source == "vscode"
    assert thread.meta.git is not None
    assert thread.meta.git.branch == "main"


def test_the_first_header_identifies_a_fork() -> None:
    thread = read_rollout(RECORDED / "fork.jsonl")
    metas = [line.item for line in thread.lines if isinstance(line.item, SessionMeta)]
    assert len(metas) == 2
    assert thread.meta == metas[0]
    assert thread.meta.forked_from_id == metas[1].id


@pytest.mark.parametrize("seed", range(10))
def test_garbage_in_the_middle_costs_its_own_line_only(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    lines = (RECORDED / "thinking.jsonl").read_bytes().splitlines()
    where = dice.randrange(1, len(lines))
    garbage = bytes(dice.choice([0, 10 + 1, 65, 123, 255]) for _ in range(dice.randrange(1, 40)))
    damaged = tmp_path / "damaged.jsonl"
    damaged.write_bytes(b"\n".join([*lines[:where], garbage, *lines[where:]]) + b"\n")
    thread = read_rollout(damaged)
    assert len(thread.lines) == len(lines)
    assert thread.skipped == [where + 1]


@pytest.mark.parametrize("seed", range(10))
def test_a_file_cut_anywhere_after_its_header_is_readable(tmp_path: Path, seed: int) -> None:
    content = (RECORDED / "review.jsonl").read_bytes()
    header_end = content.index(b"\n") + 1
    cut = random.Random(seed).randrange(header_end, len(content))
    damaged = tmp_path / "cut.jsonl"
    damaged.write_bytes(content[:cut])
    thread = read_rollout(damaged)
    assert len(thread.lines) + len(thread.skipped) <= content[:cut].count(b"\n") + 1
    assert len(thread.lines) >= content[:cut].count(b"\n")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"rubbish\n", b'{"type":"event_msg"}\n'])
def test_a_file_without_its_header_cannot_be_loaded(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "headless.jsonl"
    rest = b"".join((RECORDED / "review.jsonl").read_bytes().splitlines(keepends=True)[1:])
    path.write_bytes(content + (rest if content.strip() else b""))
    with pytest.raises(RolloutUnusable, match="first line"):
        read_rollout(path)
    assert read_head(path) is None


def test_a_missing_file_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(RolloutUnusable, match="No such file"):
        read_rollout(tmp_path / "none.jsonl")


def test_the_head_shows_the_first_user_message() -> None:
    head = read_head(RECORDED / "rollback.jsonl")
    assert head is not None
    messages = [
        line.item.message
        for line in read_rollout(RECORDED / "rollback.jsonl").lines
        if isinstance(line.item, UserMessage)
    ]
    assert head.preview == messages[0]


def test_a_record_of_thirty_megabytes_is_read(tmp_path: Path) -> None:
    big = b'{"timestamp":"t","type":"event_msg","payload":{"type":"user_message","message":"'
    big += b"x" * 30_000_000 + b'"}}\n'
    path = tmp_path / "big.jsonl"
    path.write_bytes((RECORDED / "review.jsonl").read_bytes() + big)
    last = read_rollout(path).lines[-1].item
    assert isinstance(last, UserMessage)
    assert len(last.message) == 30_000_000
