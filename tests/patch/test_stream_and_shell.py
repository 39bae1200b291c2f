"""A patch that is still arriving, and patches hidden in shell calls."""

import pytest

from app_server.patch.shell_call import ShellPatch, patch_in_command
from app_server.patch.stream import PatchStream
from app_server.protocol.item import (
    AddPatchChangeKind,
    DeletePatchChangeKind,
    FileUpdateChange,
    UpdatePatchChangeKind,
)

PATCH = (
    "*** Begin Patch\n*** Add File: n.txt\n+alpha\n"
    "*** Update File: a.txt\n*** Move to: b.txt\n@@\n-x\n+y\n"
    "*** Delete File: old.txt\n*** End Patch"
)

WHOLE = [
    FileUpdateChange(path="n.txt", kind=AddPatchChangeKind(), diff="alpha\n"),
    FileUpdateChange(
        path="a.txt",
        kind=UpdatePatchChangeKind(move_path="b.txt"),
        diff="@@ -1,1 +1,1 @@\n-x\n+y\n",
    ),
    FileUpdateChange(path="old.txt", kind=DeletePatchChangeKind(), diff=""),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_the_preview_does_not_depend_on_how_the_patch_arrives(size: int) -> None:
    stream = PatchStream()
    shown = None
    for start in range(0, len(PATCH), size):
        shown = stream.feed(PATCH[start : start + size]) or shown
    assert shown == WHOLE


def test_the_preview_grows_with_whole_lines_only() -> None:
    stream = PatchStream()
    assert stream.feed("*** Begin Patch\n*** Add Fi") is None
    assert stream.feed("le: n.txt\n") == [
        FileUpdateChange(path="n.txt", kind=AddPatchChangeKind(), diff="")
    ]
    assert stream.feed("+al") is None
    assert stream.feed("pha\n+b") == [WHOLE[0]]


def test_the_chunks_of_an_update_are_shown_as_hunks() -> None:
    update = (
        "*** Begin Patch\n*** Update File: a\n-x\n y\n\n@@ def f():\n+z\n w\n*** End Patch\n\nx\n"
    )
    assert PatchStream().feed(update) == [
        FileUpdateChange(
            path="a",
            kind=UpdatePatchChangeKind(),
            diff="@@ -1,3 +1,2 @@\n-x\n y\n \n@@ -4,1 +3,2 @@ def f():\n+z\n w\n",
        )
    ]


def test_text_that_is_no_patch_previews_nothing() -> None:
    assert PatchStream().feed("hello\n*** Add File: x\n+y\n") is None


BODY = "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch"
QUOTED = f"<<'EOF'\n{BODY}\nEOF"

FOUND = [
    (["apply_patch", BODY], ShellPatch(BODY, None)),
    (["bash", "-lc", f"apply_patch {QUOTED}"], ShellPatch(BODY, None)),
    (["/bin/zsh", "-c", f"applypatch {QUOTED}\n"], ShellPatch(BODY, None)),
    (["bash", "-lc", f"apply_patch <<EOF\n{BODY}\nEOF"], ShellPatch(BODY, None)),
    (["bash", "-lc", f'apply_patch << "PATCH"\n{BODY}\nPATCH'], ShellPatch(BODY, None)),
    (["bash", "-lc", f"cd sub && apply_patch {QUOTED}"], ShellPatch(BODY, "sub")),
    (["bash", "-lc", f"cd 'a b' && apply_patch {QUOTED}"], ShellPatch(BODY, "a b")),
]

NOT_FOUND = [
    ["bash", "-lc", "ls"],
    ["bash", "-lc", f"apply_patch {QUOTED}\nrm -rf x"],
    ["bash", "-lc", f"apply_patch {QUOTED}\nrm -rf x\nEOF"],
    ["bash", "-lc", f"apply_patch {QUOTED} && ls"],
    ["bash", "-lc", f"ls; apply_patch {QUOTED}"],
    ["bash", "-lc", f"cd $HOME && apply_patch {QUOTED}"],
    ["bash", "-lc", f"cd a; apply_patch {QUOTED}"],
    ["bash", "-lc", "apply_patch <<EOF\n*** Begin Patch\n+$(id)\n*** End Patch\nEOF"],
    ["python", "-c", f"apply_patch {QUOTED}"],
    ["apply_patch"],
    [],
]


@pytest.mark.parametrize(("argv", "found"), FOUND)
def test_a_call_that_only_applies_a_patch_is_recognised(argv: list[str], found: ShellPatch) -> None:
    assert patch_in_command(argv) == found


@pytest.mark.parametrize("argv", NOT_FOUND)
def test_a_call_that_does_anything_else_is_left_to_the_shell(argv: list[str]) -> None:
    assert patch_in_command(argv) is None
