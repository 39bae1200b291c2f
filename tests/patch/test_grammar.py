"""The patch language: what it says, what it forgives, how it refuses."""

import random
from contextlib import suppress

import pytest

from app_server.patch.errors import PatchSyntaxError
from app_server.patch.grammar import AddHunk, Chunk, DeleteHunk, UpdateHunk, parse_patch

BEGIN = "*** Begin Patch\n"
END = "*** End Patch"


def patch(body: str) -> str:
    return f"{BEGIN}{body}{END}\n"


def test_each_kind_of_hunk_is_read() -> None:
    text = patch(
        "*** Add File: new.txt\n+one\n+\n"
        "*** Delete File: old.txt\n"
        "*** Update File: a.py\n*** Move to: b.py\n@@ class A:\n keep\n-old\n+new\n"
        "*** End of File\n"
    )
    assert parse_patch(text).hunks == (
        AddHunk("new.txt", "one\n\n"),
        DeleteHunk("old.txt"),
        UpdateHunk(
            "a.py",
            "b.py",
            (
                Chunk(
                    context="class A:",
                    lines=((" ", "keep"), ("-", "old"), ("+", "new")),
                    at_end_of_file=True,
                ),
            ),
        ),
    )


UPDATE = "*** Update File: a\n@@\n-x\n+y\n"

FORGIVEN = [
    ("white space around the patch", f"\n  {patch(UPDATE)}\n\n"),
    ("white space around headers", f"  {BEGIN}  *** Update File: a\n@@\n-x\n+y\n  {END}  "),
    ("an unquoted heredoc", f"<<EOF\n{patch(UPDATE)}EOF"),
    ("a quoted heredoc", f"<<'EOF'\n{patch(UPDATE)}EOF\n"),
    ("a double-quoted heredoc", f'<<"EOF"\n{patch(UPDATE)}EOF'),
    ("no marker before the first chunk", patch("*** Update File: a\n-x\n+y\n")),
    ("blank lines before a chunk", patch("*** Update File: a\n\n@@\n-x\n+y\n")),
    ("Windows line ends", patch(UPDATE).replace("\n", "\r\n")),
]


@pytest.mark.parametrize("text", [text for _, text in FORGIVEN], ids=[why for why, _ in FORGIVEN])
def test_small_slips_are_forgiven(text: str) -> None:
    chunk = Chunk(lines=(("-", "x"), ("+", "y")))
    assert parse_patch(text).hunks == (UpdateHunk("a", None, (chunk,)),)


def test_an_empty_line_is_an_empty_line_of_context() -> None:
    (hunk,) = parse_patch(patch("*** Update File: a\n@@\n x\n\n+y\n")).hunks
    assert isinstance(hunk, UpdateHunk)
    assert hunk.chunks[0].lines == ((" ", "x"), (" ", ""), ("+", "y"))


def test_an_added_file_may_be_empty() -> None:
    assert parse_patch(patch("*** Add File: a\n")).hunks == (AddHunk("a", ""),)


HEADERS = (
    "is not a valid hunk header. Valid hunk headers: '*** Add File: {path}', "
    "'*** Delete File: {path}', '*** Update File: {path}'"
)
EVERY_LINE = (
    "Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)"
)

REFUSED = [
    ("no patch", "invalid patch: The first line of the patch must be '*** Begin Patch'"),
    ("", "invalid patch: The first line of the patch must be '*** Begin Patch'"),
    (
        BEGIN + "*** Add File: q\n+x\n",
        "invalid patch: The last line of the patch must be '*** End Patch'",
    ),
    (
        patch("*** Frob File: e\n"),
        f"invalid hunk at line 2, '*** Frob File: e' {HEADERS}",
    ),
    (
        patch("*** Update File: e\n@@\n-a\n+b\n*** weird\n"),
        f"invalid hunk at line 6, '*** weird' {HEADERS}",
    ),
    (
        patch("*** Update File: e\n@@\nfoo\n"),
        f"invalid hunk at line 4, Unexpected line found in update hunk: 'foo'. {EVERY_LINE}",
    ),
    (
        patch("*** Update File: e\n@@ a\n@@ b\n-x\n"),
        f"invalid hunk at line 4, Unexpected line found in update hunk: '@@ b'. {EVERY_LINE}",
    ),
    (
        patch("*** Update File: e\n@@\n one\nfoo\n"),
        "invalid hunk at line 5, Expected update hunk to start with a @@ context marker, "
        "got: 'foo'",
    ),
    (
        patch("*** Update File: e\n@@\n"),
        "invalid hunk at line 4, Update hunk does not contain any lines",
    ),
    (
        patch("*** Update File: e.txt\n"),
        "invalid hunk at line 2, Update file hunk for path 'e.txt' is empty",
    ),
    (
        patch("*** Update File: e.txt\n*** Move to: f.txt\n"),
        "invalid hunk at line 2, Update file hunk for path 'e.txt' is empty",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_refusal_names_the_line_and_what_is_wrong_with_it(text: str, message: str) -> None:
    with pytest.raises(PatchSyntaxError) as refusal:
        parse_patch(text)
    assert str(refusal.value) == message
    assert refusal.value.verification_text == f"apply_patch verification failed: {message}"


def test_the_command_words_its_refusals_its_own_way() -> None:
    with pytest.raises(PatchSyntaxError) as refusal:
        parse_patch(patch("*** Update File: e\n@@\n"))
    assert refusal.value.command_text == (
        "Invalid patch hunk on line 4: Update hunk does not contain any lines"
    )
    with pytest.raises(PatchSyntaxError) as refusal:
        parse_patch("x")
    assert refusal.value.command_text.startswith("Invalid patch: The first line")


@pytest.mark.parametrize("seed", range(20))
def test_any_text_is_read_or_refused(seed: int) -> None:
    dice = random.Random(seed)
    pieces = ["*** Begin Patch", "*** End Patch", "*** Add File: a", "*** Update File: b", "@@"]
    pieces += ["*** Move to: c", "+x", "-y", " z", "", "@@ ctx", "*** End of File", "<<EOF", "EOF"]
    lines = [dice.choice(pieces) for _ in range(dice.randrange(30))]
    text = "\n".join(["*** Begin Patch", *lines, "*** End Patch"])
    with suppress(PatchSyntaxError):
        assert parse_patch(text).hunks is not None
