"""Finding the place of a chunk although file and patch have drifted apart."""

import random

import pytest

from app_server.patch.errors import PatchMismatch
from app_server.patch.grammar import UpdateHunk, parse_patch
from app_server.patch.locate import patched


def changed(content: str, body: str) -> str:
    text = f"*** Begin Patch\n*** Update File: f\n{body}*** End Patch"
    (hunk,) = parse_patch(text).hunks
    assert isinstance(hunk, UpdateHunk)
    return patched(content, hunk.chunks, "/w/f")


PLACES = [
    ("an exact match", "a\nb\nc\n", "@@\n a\n-b\n+B\n c\n", "a\nB\nc\n"),
    ("the first of several places", "x\nm\nx\n", "@@\n-x\n+Y\n", "Y\nm\nx\n"),
    ("the end of the file", "x\nm\nx\n", "@@\n-x\n+Y\n*** End of File\n", "x\nm\nY\n"),
    ("after a context line", "x\ndef f\nx\n", "@@ def f\n-x\n+Y\n", "x\ndef f\nY\n"),
    ("chunks in order", "x\nx\nx\n", "@@\n-x\n+1\n@@\n-x\n+2\n", "1\n2\nx\n"),
    ("nothing old: at the end", "a\nb\n", "@@\n+c\n", "a\nb\nc\n"),
    ("nothing old: at the end even with context", "a\nb\n", "@@ a\n+c\n", "a\nb\nc\n"),
    ("into an empty file", "", "@@\n+c\n", "c\n"),
    ("trailing spaces in the file", "a  \nb\n", "@@\n-a\n+A\n b\n", "A\nb\n"),
    ("other indentation", "    a\nb\n", "@@\n-a\n+A\n b\n", "A\nb\n"),
    ("typographic dashes", "a – b\n", "@@\n-a - b\n+x\n", "x\n"),
    ("typographic quotes", "say “hi”\n", '@@\n-say "hi"\n+x\n', "x\n"),
    ("odd spaces", "a\u00a0b\n", "@@\n-a b\n+x\n", "x\n"),
    ("a missing last newline", "a\nb", "@@\n-b\n+B\n", "a\nB\n"),
    ("a surplus empty last line", "a\nb\n", "@@\n-b\n+B\n\n", "a\nB\n"),
    ("everything removed", "a\n", "@@\n-a\n", ""),
    (
        "context keeps the file's own spelling",
        "  a\nb  \nc\n",
        "@@\n a\n b\n-c\n+C\n",
        "  a\nb  \nC\n",
    ),
    ("Windows line ends stay", "a\r\nb\r\n", "@@\n a\n-b\n+B\n", "a\r\nB\r\n"),
    ("odd line breaks are no line ends", "a\x0cb\n\u2028c\n", "@@\n-a\x0cb\n+x\n", "x\n\u2028c\n"),
]


@pytest.mark.parametrize(
    ("content", "body", "expected"),
    [place[1:] for place in PLACES],
    ids=[place[0] for place in PLACES],
)
def test_a_chunk_finds_its_place(content: str, body: str, expected: str) -> None:
    assert changed(content, body) == expected


def test_exactness_wins_over_order() -> None:
    assert changed("  x\nx\n", "@@\n-x\n+Y\n") == "  x\nY\n"


@pytest.mark.parametrize(
    ("content", "body", "message"),
    [
        ("a\n", "@@\n-nope\n-at all\n+x\n", "Failed to find expected lines in /w/f:\nnope\nat all"),
        ("a\n", "@@ def f\n-a\n+b\n", "Failed to find context 'def f' in /w/f"),
        (
            "one\ntwo\n",
            "@@\n-one\n+1\n*** End of File\n",
            "Failed to find expected lines in /w/f:\none",
        ),
        ("x\n", "@@\n-x\n+1\n@@\n-x\n+2\n", "Failed to find expected lines in /w/f:\nx"),
    ],
)
def test_a_chunk_without_a_place_is_refused(content: str, body: str, message: str) -> None:
    with pytest.raises(PatchMismatch) as refusal:
        changed(content, body)
    assert str(refusal.value) == message


@pytest.mark.parametrize("seed", range(25))
def test_a_patch_made_from_two_texts_turns_one_into_the_other(seed: int) -> None:
    dice = random.Random(seed)
    old = [f"line {number}" for number in range(dice.randrange(1, 30))]
    new: list[str] = []
    marked: list[str] = []
    for line in old:
        action = dice.choice(["keep", "keep", "drop", "change", "insert"])
        if action in ("drop", "change"):
            marked.append(f"-{line}")
        else:
            marked.append(f" {line}")
            new.append(line)
        if action in ("change", "insert"):
            fresh = f"fresh {dice.random()}"
            marked.append(f"+{fresh}")
            new.append(fresh)
    body = "@@\n" + "".join(f"{line}\n" for line in marked)
    content = "".join(f"{line}\n" for line in old)
    assert changed(content, body) == "".join(f"{line}\n" for line in new)
