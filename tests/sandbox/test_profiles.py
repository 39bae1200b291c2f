"""Permission profiles hold entry by entry: what may be read, written, and neither of the two."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from app_server.protocol.permissions import (
    DisabledPermissionProfile,
    FileSystemAccessMode,
    FileSystemPath,
    FileSystemSandboxEntry,
    FileSystemSpecialPath,
    GlobPatternFileSystemPath,
    ManagedPermissionProfile,
    MinimalFileSystemSpecialPath,
    PathFileSystemPath,
    PermissionProfile,
    PermissionProfileNetworkPermissions,
    ProjectRootsFileSystemSpecialPath,
    RestrictedPermissionProfileFileSystemPermissions,
    RootFileSystemSpecialPath,
    SlashTmpFileSystemSpecialPath,
    SpecialFileSystemPath,
    TmpdirFileSystemSpecialPath,
    UnknownFileSystemSpecialPath,
    UnrestrictedPermissionProfileFileSystemPermissions,
)
from app_server.sandbox import patterns
from app_server.sandbox.errors import SandboxUnavailable
from app_server.sandbox.launch import prepare
from app_server.sandbox.policy import resolve_access
from tests.sandbox.conftest import MakeStage
from tests.sandbox.stage import Result, Stage, as_user, snapshot

ROOT = RootFileSystemSpecialPath()
MINIMAL = MinimalFileSystemSpecialPath()

Place = str | Path | FileSystemSpecialPath


def project(subpath: str | None = None) -> ProjectRootsFileSystemSpecialPath:
    return ProjectRootsFileSystemSpecialPath(subpath=subpath)


def profile(
    *entries: tuple[Place, FileSystemAccessMode], network: bool = False, depth: int | None = None
) -> ManagedPermissionProfile:
    return ManagedPermissionProfile(
        network=PermissionProfileNetworkPermissions(enabled=network),
        file_system=RestrictedPermissionProfileFileSystemPermissions(
            entries=[FileSystemSandboxEntry(path=_path(p), access=mode) for p, mode in entries],
            glob_scan_max_depth=depth,
        ),
    )


def _path(place: Place) -> FileSystemPath:
    if not isinstance(place, str | Path):
        return SpecialFileSystemPath(value=place)
    if "*" in str(place):
        return GlobPatternFileSystemPath(pattern=str(place))
    return PathFileSystemPath(path=str(place))


def run(stage: Stage, permissions: PermissionProfile, line: str) -> Result:
    return stage.run_prepared(stage.prepared(["/bin/sh", "-c", line], permissions))


@pytest.fixture
def furnished(stage: Stage) -> Stage:
    """A workspace with `docs/gen`, `secret/key`, `.env` and `sub/.env`."""
    for name in ("docs/gen", "secret", "sub"):
        (stage.workspace / name).mkdir(parents=True)
    for name in ("docs/page", "secret/key", ".env", "sub/.env"):
        (stage.workspace / name).write_text(f"content of {name}")
    stage.own()
    return stage


@pytest.mark.sandbox
class TestHiding:
    HIDING = profile(
        (ROOT, "read"), (project(), "write"), (project("secret"), "none"), ("**/.env", "none")
    )

    def test_keeps_folders_and_what_patterns_find_from_being_read(self, furnished: Stage) -> None:
        done = run(
            furnished,
            self.HIDING,
            "cat secret/key; cat .env; cat sub/.env; ls secret; cat docs/page",
        )
        assert "content of docs/page" in done.output
        assert done.output.count("content of") == 1
        assert done.output.count("Permission denied") == 4

    @pytest.mark.parametrize(
        "line",
        [
            "cat /proc/self/root{secret}/key",
            "cat /proc/1/root{secret}/key",
            "mv secret moved; cat moved/key",
            "chmod 777 secret; cat secret/key",
            "ln .env other; cat other",
            "ln -s secret s; cat s/key",
            "mv sub/.env x; cat x",
            "mv sub other; cat other/.env",
            "umount secret; cat secret/key",
            "cp -r . /tmp/copied-$$; cat /tmp/copied-$$/secret/key; rm -rf /tmp/copied-$$",
        ],
    )
    def test_cannot_be_walked_around(self, furnished: Stage, line: str) -> None:
        secret = furnished.workspace / "secret"
        before = snapshot(secret, furnished.workspace / ".env")
        done = run(furnished, self.HIDING, line.format(secret=secret))
        assert "content of" not in done.output
        assert snapshot(secret, furnished.workspace / ".env") == before

    def test_of_a_link_hides_where_it_leads_and_keeps_the_link(
        self, uid: int, make_stage: MakeStage
    ) -> None:
        stage = make_stage("namespaces", uid)
        (stage.workspace / "real").mkdir()
        (stage.workspace / "real" / "key").write_text("content of key")
        (stage.workspace / "alias").symlink_to("real")
        stage.own()
        hiding = profile((ROOT, "read"), (project(), "write"), (project("alias"), "none"))
        done = run(stage, hiding, "cat alias/key; cat real/key; rm alias; ln -s src alias")
        assert "content of" not in done.output
        assert os.readlink(stage.workspace / "alias") == "real"

    def test_is_lifted_for_what_a_deeper_entry_opens(self, furnished: Stage) -> None:
        opened = furnished.outside / "folder"
        (opened / "page").write_text("content of page")
        furnished.own()
        permissions = profile(
            (ROOT, "read"), (furnished.outside, "none"), (opened, "read"), (project(), "write")
        )
        done = run(furnished, permissions, f"cat {opened}/page; cat {furnished.outside}/kept")
        assert done.output.startswith("content of page")
        assert "original" not in done.output

    def test_of_something_missing_lets_nothing_come_into_being(self, furnished: Stage) -> None:
        permissions = profile((ROOT, "read"), (project(), "write"), (project("later"), "none"))
        run(furnished, permissions, "mkdir later; echo x > later/key")
        assert not (furnished.workspace / "later").exists()

    def test_brings_nothing_back_that_is_held_in_there(self, furnished: Stage) -> None:
        home = furnished.workspace / "secret" / "home"
        home.mkdir()
        (home / "auth").write_text("content of auth")
        furnished.own()
        access = resolve_access(self.HIDING, furnished.workspace, {}, codex_home=home)
        assert str(home) in access.protection.read_only
        with as_user(furnished.uid):
            command = prepare(
                self.HIDING,
                ["/bin/sh", "-c", "cat secret/home/auth"],
                furnished.workspace,
                {"PATH": "/usr/bin:/bin"},
                codex_home=home,
                mechanism=furnished.mechanism,
            )
        done = furnished.run_prepared(command)
        assert "content of" not in done.output
        assert "Permission denied" in done.output

    def test_is_beyond_landlock_alone(self, uid: int, make_stage: MakeStage) -> None:
        stage = make_stage("landlock", uid)
        permissions = profile((ROOT, "read"), (stage.outside, "none"))
        with pytest.raises(SandboxUnavailable, match="cannot keep files from being read"):
            run(stage, permissions, "true")


@pytest.mark.sandbox
class TestWriting:
    def test_a_part_of_the_workspace_may_be_read_only_and_a_part_of_that_open_again(
        self, furnished: Stage
    ) -> None:
        permissions = profile(
            (ROOT, "read"),
            (project(), "write"),
            (project("docs"), "read"),
            (project("docs/gen/deep"), "write"),
        )
        (furnished.workspace / "docs" / "gen" / "deep").mkdir()
        furnished.own()
        done = run(
            furnished,
            permissions,
            "echo new > here; echo x > docs/page; echo x > docs/gen/no; "
            "echo new > docs/gen/deep/yes; mv docs other; mv docs/gen docs/g; rm -r docs/gen/deep",
        )
        workspace = furnished.workspace
        assert (workspace / "here").read_text() == "new\n", done.output
        assert (workspace / "docs" / "page").read_text() == "content of docs/page"
        assert os.listdir(workspace / "docs" / "gen") == ["deep"]

    def test_metadata_stays_also_below_roots_of_a_profile(self, furnished: Stage) -> None:
        permissions = profile((ROOT, "read"), (furnished.outside, "write"))
        run(furnished, permissions, f"cd {furnished.outside}; mkdir .git .codex; echo x > new")
        assert sorted(os.listdir(furnished.outside)) == ["folder", "kept", "new"]

    def test_the_workspace_need_not_be_one_of_the_places(self, furnished: Stage) -> None:
        permissions = profile((ROOT, "read"), (TmpdirFileSystemSpecialPath(), "write"))
        run(furnished, permissions, 'echo x > here; echo x > "$TMPDIR/there"')
        assert not (furnished.workspace / "here").exists()
        assert (furnished.tmp / "there").exists()

    def test_metadata_that_is_named_may_be_written(self, furnished: Stage) -> None:
        (furnished.workspace / ".git").mkdir()
        (furnished.workspace / ".git" / "config").write_text("old")
        furnished.own()
        permissions = profile((ROOT, "read"), (project(), "write"), (project(".git"), "write"))
        run(furnished, permissions, "echo new > .git/config")
        assert (furnished.workspace / ".git" / "config").read_text() == "new\n"

    def test_everything_may_be_written_while_the_network_is_closed(self, stage: Stage) -> None:
        closed = PermissionProfileNetworkPermissions(enabled=False)
        permissions = ManagedPermissionProfile(
            network=closed, file_system=UnrestrictedPermissionProfileFileSystemPermissions()
        )
        done = run(
            stage,
            permissions,
            f"echo new > {stage.outside}/kept; echo $CODEX_SANDBOX_NETWORK_DISABLED",
        )
        assert done == (0, "1\n")
        assert (stage.outside / "kept").read_text() == "new\n"


@pytest.mark.sandbox
class TestReadingParts:
    def test_only_what_is_named_is_there(self, furnished: Stage) -> None:
        permissions = profile((MINIMAL, "read"), (project(), "write"))
        outside = furnished.outside
        done = run(
            furnished,
            permissions,
            f"cat docs/page; echo; ls {furnished.base}; cat {outside}/kept; ls /; echo new > here; "
            "mkdir /new; echo x > /dev/null && ls /proc | grep -c '^[0-9]'",
        )
        lines = done.output.splitlines()
        assert lines[0] == "content of docs/page"
        assert lines[1] == "workspace"
        assert "original" not in done.output
        assert "usr" in lines
        assert "home" not in lines
        assert lines[-1] in "2345"
        assert (furnished.workspace / "here").read_text() == "new\n"
        assert "mkdir: cannot create directory '/new': Read-only file system" in lines

    @pytest.mark.parametrize(
        "line",
        ["cat /proc/1/root{outside}/kept", "cat /.outside{outside}/kept; ls -a / | grep out"],
    )
    def test_the_rest_is_not_reached_around_corners(self, furnished: Stage, line: str) -> None:
        permissions = profile((MINIMAL, "read"), (project(), "write"))
        done = run(furnished, permissions, line.format(outside=furnished.outside))
        assert "original" not in done.output
        assert "outside\n" not in done.output

    def test_a_command_whose_folder_may_not_be_read_is_refused(self, stage: Stage) -> None:
        with pytest.raises(SandboxUnavailable, match=r"does not let .* be read"):
            run(stage, profile((MINIMAL, "read")), "true")


CANNOT_BE_KEPT: list[tuple[tuple[Place, FileSystemAccessMode], str]] = [
    (("*.env", "read"), "for the pattern"),
    (("relative", "read"), "relative path"),
    ((MINIMAL, "write"), "for :minimal"),
    ((UnknownFileSystemSpecialPath(path=":moon"), "none"), "unknown place :moon"),
    ((project("up"), "none"), "root of the file system"),
]


@pytest.mark.parametrize(("entry", "complaint"), CANNOT_BE_KEPT, ids=lambda case: str(case)[:20])
def test_an_entry_that_cannot_be_kept_is_refused(
    tmp_path: Path, entry: tuple[Place, FileSystemAccessMode], complaint: str
) -> None:
    (tmp_path / "up").symlink_to("/")
    with pytest.raises(SandboxUnavailable, match=complaint):
        resolve_access(profile((ROOT, "read"), entry), tmp_path, {})


def test_of_two_entries_for_one_place_the_stricter_holds(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    both: Sequence[tuple[Place, FileSystemAccessMode]] = [
        (tmp_path / "a", "write"),
        (tmp_path / "a", "none"),
    ]
    for entries in (both, both[::-1]):
        access = resolve_access(profile((ROOT, "read"), *entries), tmp_path, {})
        assert (access.writable_roots, access.hidden) == ((), (str(tmp_path / "a"),))


def test_known_places_are_those_of_the_environment(tmp_path: Path) -> None:
    permissions = profile(
        (ROOT, "read"),
        (SlashTmpFileSystemSpecialPath(), "write"),
        (TmpdirFileSystemSpecialPath(), "write"),
        (UnknownFileSystemSpecialPath(path=":moon"), "write"),
    )
    found = resolve_access(permissions, "/usr", {"TMPDIR": str(tmp_path)}).writable_roots
    assert {root.path for root in found} == {"/tmp", str(tmp_path)}
    assert len(resolve_access(permissions, "/usr", {"TMPDIR": "x"}).writable_roots) == 1


def test_a_profile_that_is_switched_off_confines_nothing(tmp_path: Path) -> None:
    assert prepare(DisabledPermissionProfile(), ["true"], tmp_path, {}).confinement == "none"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.env", ["a.env"]),
        ("**/*.env", ["a.env", "d/b.env", "d/e/c.env"]),
        ("d/**", ["d/b.env", "d/e"]),
        ("d/*/c.env", ["d/e/c.env"]),
        ("**/[bc].env", ["d/b.env", "d/e/c.env"]),
        ("**/[!a].env", ["d/b.env", "d/e/c.env"]),
        ("?.env", ["a.env"]),
        ("**/link/*", []),
        ("a.env", ["a.env"]),
        ("gone", []),
        ("gone/*", []),
        ("[", []),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, found: list[str]) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("a.env", "d/b.env", "d/e/c.env"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("d")
    paths = patterns.matches(f"{tmp_path}/{pattern}")
    assert sorted(os.path.relpath(path, tmp_path) for path in paths) == found


def test_patterns_are_looked_for_as_deep_as_is_said(tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("a.env", "d/b.env", "d/e/c.env"):
        (tmp_path / name).touch()
    assert len(list(patterns.matches(f"{tmp_path}/**/*.env", 2))) == 2


def test_a_search_out_of_hand_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "MOST_ENTRIES", 3)
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(SandboxUnavailable, match="glob_scan_max_depth"):
        list(patterns.matches(f"{tmp_path}/**/*.env"))
