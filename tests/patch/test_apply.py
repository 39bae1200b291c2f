"""Verifying patches against files, and changing the files without being led astray."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from app_server.patch.apply import apply_changes, verify
from app_server.patch.changes import FileChange, as_item_changes, touched_paths
from app_server.patch.errors import PatchEmpty, PatchError, PatchWriteError
from app_server.patch.grammar import parse_patch
from app_server.patch.summary import summary_text
from app_server.patch.turn_diff import TurnDiff
from app_server.patch.write import MayWrite
from app_server.protocol.item import (
    AddPatchChangeKind,
    DeletePatchChangeKind,
    FileUpdateChange,
    UpdatePatchChangeKind,
)
from tests.support.repository import mark_repository


def verified(workspace: Path, body: str) -> list[FileChange]:
    return verify(parse_patch(f"*** Begin Patch\n{body}*** End Patch\n"), workspace)


def applied(workspace: Path, body: str) -> str:
    changes = verified(workspace, body)
    apply_changes(changes)
    return summary_text(changes)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


UPDATE_MOVE_DELETE = (
    "*** Update File: a.txt\n@@\n one\n-two\n+TWO\n three\n"
    "*** Delete File: b.txt\n"
    "*** Update File: c.txt\n*** Move to: sub/d.txt\n@@\n x\n-y\n+z\n"
)


@pytest.fixture
def three_files(workspace: Path) -> Path:
    (workspace / "a.txt").write_text("one\ntwo\nthree\n")
    (workspace / "b.txt").write_text("bye\n")
    (workspace / "c.txt").write_text("x\ny\n")
    return workspace


def test_files_are_updated_deleted_and_moved(three_files: Path) -> None:
    assert applied(three_files, UPDATE_MOVE_DELETE) == (
        "Success. Updated the following files:\nM a.txt\nM sub/d.txt\nD b.txt\n"
    )
    assert tree(three_files) == {"a.txt": "one\nTWO\nthree\n", "sub/d.txt": "x\nz\n"}


def test_verifying_changes_nothing(three_files: Path) -> None:
    before = tree(three_files)
    verified(three_files, UPDATE_MOVE_DELETE)
    assert tree(three_files) == before


def test_a_reader_is_shown_each_file_as_the_recorded_traffic_shows_it(three_files: Path) -> None:
    w = three_files
    changes = verified(w, UPDATE_MOVE_DELETE + "*** Add File: new.txt\n+alpha\n+beta\n")
    assert as_item_changes(changes) == [
        FileUpdateChange(
            path=f"{w}/a.txt",
            kind=UpdatePatchChangeKind(move_path=None),
            diff="@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n",
        ),
        FileUpdateChange(path=f"{w}/b.txt", kind=DeletePatchChangeKind(), diff="bye\n"),
        FileUpdateChange(
            path=f"{w}/c.txt",
            kind=UpdatePatchChangeKind(move_path=f"{w}/sub/d.txt"),
            diff=f"@@ -1,2 +1,2 @@\n x\n-y\n+z\n\n\nMoved to: {w}/sub/d.txt",
        ),
        FileUpdateChange(path=f"{w}/new.txt", kind=AddPatchChangeKind(), diff="alpha\nbeta\n"),
    ]


def test_a_file_may_be_touched_more_than_once(three_files: Path) -> None:
    body = (
        "*** Add File: n.txt\n+hi\n*** Update File: n.txt\n@@\n-hi\n+ho\n"
        "*** Update File: a.txt\n@@\n-one\n+1\n*** Update File: a.txt\n@@\n-1\n+first\n"
        "*** Delete File: b.txt\n*** Add File: b.txt\n+back\n"
    )
    assert applied(three_files, body) == (
        "Success. Updated the following files:\nA n.txt\nA b.txt\nM a.txt\nD b.txt\n"
    )
    assert tree(three_files) == {
        "a.txt": "first\ntwo\nthree\n",
        "b.txt": "back\n",
        "c.txt": "x\ny\n",
        "n.txt": "ho\n",
    }


REFUSED = [
    (
        "*** Update File: missing.txt\n@@\n-a\n+b\n",
        "Failed to read file to update {w}/missing.txt: No such file or directory (os error 2)",
    ),
    (
        "*** Delete File: missing.txt\n",
        "Failed to read {w}/missing.txt: No such file or directory (os error 2)",
    ),
    (
        "*** Update File: folder\n@@\n-a\n+b\n",
        "Failed to read file to update {w}/folder: Is a directory (os error 21)",
    ),
    (
        "*** Update File: binary\n@@\n-a\n+b\n",
        "Failed to read file to update {w}/binary: invalid utf-8 sequence of 1 bytes from index 1",
    ),
    (
        "*** Update File: a.txt\n@@\n-nope\n+yes\n",
        "Failed to find expected lines in {w}/a.txt:\nnope",
    ),
    ("*** Add File: a\0b\n+x\n", r"a path holds a NUL character: 'a\x00b'"),
    ("*** Update File: a\0b\n@@\n-a\n+b\n", r"a path holds a NUL character: 'a\x00b'"),
    (
        "*** Update File: a.txt\n*** Move to: a\0b\n@@\n-one\n+b\n",
        r"a path holds a NUL character: 'a\x00b'",
    ),
    (
        "*** Delete File: a.txt\n*** Update File: a.txt\n@@\n-one\n+b\n",
        "Failed to read file to update {w}/a.txt: No such file or directory (os error 2)",
    ),
]


@pytest.mark.parametrize(("body", "message"), REFUSED)
def test_a_patch_that_does_not_fit_the_files_is_refused_whole(
    three_files: Path, body: str, message: str
) -> None:
    (three_files / "folder").mkdir()
    (three_files / "binary").write_bytes(b"a\xff\n")
    with pytest.raises(PatchError) as refusal:
        verified(three_files, "*** Add File: fine.txt\n+x\n" + body)
    assert str(refusal.value) == message.format(w=three_files)
    assert not (three_files / "fine.txt").exists()


def test_a_patch_without_hunks_is_refused(workspace: Path) -> None:
    with pytest.raises(PatchEmpty) as refusal:
        verified(workspace, "")
    assert refusal.value.verification_text == "patch rejected: empty patch"


def test_a_replaced_file_keeps_its_mode_and_a_moved_one_takes_it_along(workspace: Path) -> None:
    for name in ("run.sh", "old.sh"):
        (workspace / name).write_text("a\n")
        (workspace / name).chmod(0o751)
    applied(
        workspace,
        "*** Update File: run.sh\n@@\n-a\n+b\n"
        "*** Update File: old.sh\n*** Move to: new.sh\n@@\n-a\n+b\n",
    )
    for name in ("run.sh", "new.sh"):
        assert stat.S_IMODE((workspace / name).stat().st_mode) == 0o751


def test_a_link_to_a_file_is_written_through_and_a_deleted_link_spares_its_target(
    workspace: Path,
) -> None:
    (workspace / "real.txt").write_text("a\n")
    (workspace / "link.txt").symlink_to("real.txt")
    applied(workspace, "*** Update File: link.txt\n@@\n-a\n+b\n")
    assert (workspace / "link.txt").is_symlink()
    assert (workspace / "real.txt").read_text() == "b\n"
    applied(workspace, "*** Delete File: link.txt\n")
    assert not (workspace / "link.txt").is_symlink()
    assert (workspace / "real.txt").read_text() == "b\n"


def inside(folder: Path) -> MayWrite:
    root = folder.resolve()
    return lambda path: path.is_relative_to(root)


@pytest.mark.parametrize(
    "body",
    [
        "*** Add File: ../out.txt\n+x\n",
        "*** Add File: {tmp}/out.txt\n+x\n",
        "*** Add File: door/out.txt\n+x\n",
        "*** Update File: pipe.txt\n@@\n-secret\n+x\n",
        "*** Delete File: door/secret.txt\n",
        "*** Update File: mine.txt\n*** Move to: door/out.txt\n@@\n-a\n+b\n",
    ],
)
def test_no_path_and_no_link_leads_a_write_outside(
    tmp_path: Path, workspace: Path, body: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret\n")
    (workspace / "door").symlink_to(outside)
    (workspace / "pipe.txt").symlink_to(outside / "secret.txt")
    (workspace / "mine.txt").write_text("a\n")
    changes = verified(workspace, body.format(tmp=tmp_path))
    with pytest.raises(PatchWriteError, match="outside of the writable folders"):
        apply_changes(changes, inside(workspace))
    assert tree(outside) == {"secret.txt": "secret\n"}
    assert not (tmp_path / "out.txt").exists()
    assert (workspace / "mine.txt").exists()


def test_a_link_planted_after_the_check_stops_the_write(tmp_path: Path, workspace: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = workspace / "folder"
    folder.mkdir()
    changes = verified(workspace, "*** Add File: folder/x.txt\n+x\n")

    def plant(path: Path) -> bool:
        folder.rmdir()
        folder.symlink_to(outside)
        return True

    with pytest.raises(PatchWriteError, match="Failed to write file"):
        apply_changes(changes, plant)
    assert tree(outside) == {}


def test_a_file_exchanged_for_a_link_after_the_check_is_replaced_not_followed(
    tmp_path: Path, workspace: Path
) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious\n")
    target = workspace / "x.txt"
    target.write_text("a\n")
    changes = verified(workspace, "*** Update File: x.txt\n@@\n-a\n+b\n")

    def plant(path: Path) -> bool:
        target.unlink()
        target.symlink_to(victim)
        return True

    with pytest.raises(PatchWriteError, match="not a regular file"):
        apply_changes(changes, plant)
    assert victim.read_text() == "precious\n"


def test_a_failed_write_leaves_the_old_file_and_no_remains(
    three_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    changes = verified(three_files, "*** Update File: a.txt\n@@\n-one\n+1\n")
    monkeypatch.setattr(os, "rename", no_room)
    with pytest.raises(PatchWriteError, match=r"Failed to write file .*a.txt: No space left"):
        apply_changes(changes)
    assert sorted(os.listdir(three_files)) == ["a.txt", "b.txt", "c.txt"]
    assert (three_files / "a.txt").read_text() == "one\ntwo\nthree\n"


def test_changes_before_a_failure_stay(three_files: Path) -> None:
    changes = verified(three_files, "*** Add File: ok.txt\n+x\n*** Add File: a.txt/y.txt\n+y\n")
    with pytest.raises(PatchWriteError, match="Failed to write file"):
        apply_changes(changes)
    assert (three_files / "ok.txt").exists()


def test_touched_paths_are_absolute_and_include_both_ends_of_a_move(three_files: Path) -> None:
    paths = touched_paths(verified(three_files, UPDATE_MOVE_DELETE))
    names = ["a.txt", "b.txt", "c.txt", "sub/d.txt"]
    assert paths == [three_files / name for name in names]


def git(workspace: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_turns_diff_is_gits_own(three_files: Path) -> None:
    git(three_files, "init", "-q")
    git(three_files, "add", "-A")
    git(three_files, "commit", "-q", "-m", "start")
    (three_files / "a.txt").chmod(0o755)
    git(three_files, "commit", "-qam", "mode")
    (three_files / "empty.txt").write_text("")
    git(three_files, "add", "-A")
    git(three_files, "commit", "-qam", "empty")
    turn = TurnDiff(three_files)
    bodies = [
        "*** Update File: a.txt\n@@\n-one\n+1\n*** Delete File: b.txt\n",
        "*** Add File: sub/new.txt\n+alpha\n*** Update File: a.txt\n@@\n-1\n+first\n",
        "*** Delete File: empty.txt\n*** Update File: c.txt\n@@\n-y\n+z\n",
    ]
    for body in bodies:
        changes = verified(three_files, body)
        turn.before(changes)
        apply_changes(changes)
    git(three_files, "add", "-A")
    expected = git(three_files, "diff", "--cached", "--no-renames", "--full-index")
    expected = expected.replace(" 100755\n--- a/a.txt", "\n--- a/a.txt")
    assert turn.text() == expected.replace(" 100644\n---", "\n---")


def test_a_moved_file_is_one_entry_of_the_turns_diff(three_files: Path) -> None:
    mark_repository(three_files)
    turn = TurnDiff(three_files)
    changes = verified(three_files, UPDATE_MOVE_DELETE)
    turn.before(changes)
    apply_changes(changes)
    text = turn.text()
    assert "diff --git a/c.txt b/sub/d.txt\nindex " in text
    assert "--- a/c.txt\n+++ b/sub/d.txt\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n" in text
    assert "--- a/b.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n" in text
    assert text.index("a/a.txt") < text.index("a/b.txt") < text.index("b/sub/d.txt")


def test_what_was_undone_is_no_longer_in_the_turns_diff(three_files: Path) -> None:
    turn = TurnDiff(three_files)
    for body in (
        "*** Update File: a.txt\n@@\n-one\n+1\n*** Add File: n\n+x\n",
        "*** Update File: a.txt\n@@\n-1\n+one\n*** Delete File: n\n",
    ):
        changes = verified(three_files, body)
        turn.before(changes)
        apply_changes(changes)
    assert turn.text() == ""


def test_outside_of_a_repository_the_turns_diff_shows_whole_paths(workspace: Path) -> None:
    turn = TurnDiff(workspace)
    changes = verified(workspace, "*** Add File: new.txt\n+alpha\n+beta\n")
    turn.before(changes)
    apply_changes(changes)
    blob = git(workspace, "hash-object", "new.txt").strip()
    assert turn.text() == (
        f"diff --git a/{workspace}/new.txt b/{workspace}/new.txt\n"
        "new file mode 100644\n"
        f"index {'0' * 40}..{blob}\n"
        f"--- /dev/null\n+++ b/{workspace}/new.txt\n@@ -0,0 +1,2 @@\n+alpha\n+beta\n"
    )


def test_a_pipe_is_no_file_to_patch_and_is_not_waited_for(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    patch = parse_patch("*** Begin Patch\n*** Update File: pipe\n@@\n-x\n+y\n*** End Patch\n")
    with pytest.raises(PatchError, match="not a regular file"):
        verify(patch, workspace)
