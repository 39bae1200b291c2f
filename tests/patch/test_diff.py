"""Unified diffs: shape, correctness, and time."""

import random
import subprocess
from pathlib import Path

import pytest

from app_server.patch import diff
from app_server.patch.diff import hunks

SHAPES = [
    ("", "alpha\nbeta\n", "@@ -0,0 +1,2 @@\n+alpha\n+beta\n"),
    ("bye\n", "", "@@ -1 +0,0 @@\n-bye\n"),
    ("one\ntwo\nthree\n", "one\nTWO\nthree\n", "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"),
    (
        "a\nb",
        "a\nB\n",
        "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n",
    ),
    ("x\n", "x\n", ""),
    ("a\r\n", "a\n", "@@ -1 +1 @@\n-a\r\n+a\n"),
]


@pytest.mark.parametrize(("old", "new", "expected"), SHAPES)
def test_hunks_look_as_git_writes_them(old: str, new: str, expected: str) -> None:
    assert hunks(old, new) == expected


def test_the_width_of_context_is_the_callers_choice() -> None:
    old = "".join(f"{number}\n" for number in range(10))
    new = old.replace("5\n", "five\n")
    assert hunks(old, new, context_lines=1) == "@@ -5,3 +5,3 @@\n 4\n-5\n+five\n 6\n"
    assert hunks(old, new, context_lines=0) == "@@ -6 +6 @@\n-5\n+five\n"


def test_changes_share_a_hunk_only_when_their_context_touches() -> None:
    old = [f"{number}\n" for number in range(20)]
    near, far = list(old), list(old)
    near[2], near[9] = "x\n", "y\n"
    far[2], far[10] = "x\n", "y\n"
    assert hunks("".join(old), "".join(near)).count("@@ -") == 1
    assert hunks("".join(old), "".join(far)).count("@@ -") == 2


def some_texts(seed: int) -> tuple[str, str]:
    dice = random.Random(seed)
    letters = "abc" if seed % 2 else "abcdefghijklmnopqrstuvwxyz"
    old = [dice.choice(letters) for _ in range(dice.randrange(40))]
    new = list(old)
    for _ in range(dice.randrange(12)):
        where = dice.randrange(len(new) + 1)
        if dice.random() < 0.5 and where < len(new):
            del new[where]
        else:
            new.insert(where, dice.choice(letters))
    tails = [dice.choice(["\n", ""]) for _ in range(2)]
    return "\n".join(old) + tails[0], "\n".join(new) + tails[1]


@pytest.mark.parametrize("seed", range(30))
def test_git_applies_every_diff(tmp_path: Path, seed: int) -> None:
    old, new = some_texts(seed)
    body = hunks(old, new)
    assert (body == "") == (old == new)
    if not body or not old or not new:
        return
    (tmp_path / "f").write_text(old)
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "-"],
        input=f"--- a/f\n+++ b/f\n{body}",
        cwd=tmp_path,
        text=True,
        check=True,
    )
    assert (tmp_path / "f").read_text() == new


@pytest.mark.parametrize("seed", range(10))
def test_long_texts_with_little_in_common_are_divided_and_still_right(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "EDIT_LIMIT", 3)
    old, new = some_texts(seed)
    before, after = diff.split_lines(old), diff.split_lines(new)
    rebuilt: list[str] = []
    at = 0
    for old_from, old_to, new_from, new_to in diff.changes(before, after):
        rebuilt += before[at:old_from] + after[new_from:new_to]
        at = old_to
    assert rebuilt + before[at:] == after


def test_files_that_share_nothing_are_compared_in_linear_steps() -> None:
    old = "".join(f"old {number}\n" for number in range(20_000))
    new = "".join(f"new {number}\n" for number in range(20_000))
    assert hunks(old, new).startswith("@@ -1,20000 +1,20000 @@\n-old 0\n")
