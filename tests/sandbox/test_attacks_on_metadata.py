"""`.git`, `.codex` and `.agents` stay as they are under every writable root, in whatever shape."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app_server.sandbox.errors import SandboxUnavailable
from tests.sandbox.conftest import MakeStage, why_not
from tests.sandbox.stage import BREACH, Stage, snapshot

pytestmark = pytest.mark.sandbox

NAMES = (".git", ".codex", ".agents")


def _metadata(folder: Path) -> dict[str, tuple[object, ...]]:
    """Without the times of the folder itself: what is beside may change."""
    return snapshot(*(folder / name for name in NAMES))


def _furnish(folder: Path) -> None:
    for name in NAMES:
        (folder / name / "hooks").mkdir(parents=True)
        (folder / name / "config").write_text("original")


CHANGES = {
    "writing": "open(P + '/config', 'w').write('x')",
    "hooks": "open(P + '/hooks/pre-commit', 'w').write('x')",
    "renaming": "os.rename(P, W + '/moved')",
    "exchanging": "os.mkdir(W + '/fresh')\nimport ctypes\n"
    "ctypes.CDLL(None).renameat2(-100, P.encode(), -100, (W + '/fresh').encode(), 2)",
    "removing": "import shutil; shutil.rmtree(P)",
    "modes": "os.chmod(P, 0o777)",
    "through_a_link": "os.symlink('.', W + '/here')\n"
    "open(P.replace(W, W + '/here') + '/config', 'w').write('x')",
    "hard_link": "os.link(P + '/config', W + '/same'); open(W + '/same', 'w').write('x')",
    "through_own_root": "open('/proc/self/root' + P + '/config', 'w').write('x')",
    "unmounting": "import ctypes; ctypes.CDLL(None).umount2(P.encode(), 2)\n"
    "open(P + '/config', 'w').write('x')",
}


@pytest.mark.parametrize(
    ("name", "change"),
    [*((".git", change) for change in CHANGES), (".codex", "writing"), (".agents", "renaming")],
)
def test_what_exists_stays(stage: Stage, name: str, change: str) -> None:
    _furnish(stage.workspace)
    stage.own()
    before = _metadata(stage.workspace)
    stage.python(f"P = W + '/{name}'\n{CHANGES[change]}")
    assert _metadata(stage.workspace) == before


@pytest.mark.parametrize("change", CHANGES)
def test_those_changes_would_work_without_a_sandbox(open_stage: Stage, change: str) -> None:
    _furnish(open_stage.workspace)
    open_stage.own()
    before = _metadata(open_stage.workspace)
    done = open_stage.python(f"P = W + '/.git'\n{CHANGES[change]}")
    assert _metadata(open_stage.workspace) != before, done.output


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "create",
    ["os.mkdir(P)", "open(P, 'w')", "os.symlink('src', P)", "os.rename(W + '/src', P)"],
    ids=["folder", "file", "link", "renaming"],
)
def test_what_is_missing_does_not_come_into_being(stage: Stage, name: str, create: str) -> None:
    stage.python(f"P = W + '/{name}'\n{create}")
    stage.python(f"P = W + '/{name}'\nopen(P + '/config', 'w')")
    assert not os.path.lexists(stage.workspace / name)


def test_what_is_missing_looks_empty_meanwhile(stage: Stage) -> None:
    assert stage.shell("ls -A; ls -A .git .codex .agents").output.split() == [
        *(".agents", ".codex", ".git", "mine", "src"),
        *(".agents:", ".codex:", ".git:"),
    ]


def test_an_empty_folder_of_the_user_stays_empty_and_stays(stage: Stage) -> None:
    (stage.workspace / ".codex").mkdir()
    stage.own()
    stage.python("open(W + '/.codex/config.toml', 'w')")
    stage.python("os.rmdir(W + '/.codex')")
    assert os.listdir(stage.workspace / ".codex") == []


def _git_file(stage: Stage) -> Path:
    folder = stage.workspace / "deep" / "er" / "real.git"
    (folder / "hooks").mkdir(parents=True)
    (folder / "config").write_text("original")
    (stage.workspace / ".git").write_text("gitdir: deep/er/real.git\n")
    stage.own()
    return folder


@pytest.mark.parametrize(
    "change",
    [
        "open(W + '/.git', 'w').write('gitdir: src')",
        "os.unlink(W + '/.git')",
        "open(R + '/config', 'w').write('x')",
        "open(R + '/hooks/pre-commit', 'w').write('x')",
        "os.rename(R, W + '/moved')",
        "os.rename(W + '/deep/er', W + '/deep/other'); os.makedirs(R + '/hooks')",
        "os.rename(W + '/deep', W + '/other'); os.makedirs(R + '/hooks')",
    ],
)
def test_a_git_file_and_the_folder_it_names_stay(stage: Stage, change: str) -> None:
    folder = _git_file(stage)
    before = snapshot(stage.workspace / ".git", folder)
    stage.python(f"R = {str(folder)!r}\n{change}")
    assert snapshot(stage.workspace / ".git", folder) == before


def test_the_shared_folder_of_a_work_tree_stays(stage: Stage) -> None:
    folder = _git_file(stage)
    shared = stage.workspace / "shared.git"
    shared.mkdir()
    (shared / "config").write_text("original")
    (folder / "commondir").write_text("../../../shared.git\n")
    stage.own()
    before = snapshot(shared)
    stage.python("open(W + '/shared.git/config', 'w').write('x')")
    stage.python("os.rename(W + '/shared.git', W + '/other')")
    assert snapshot(shared) == before


def test_the_rest_of_such_a_workspace_may_be_written(stage: Stage) -> None:
    _git_file(stage)
    done = stage.shell("echo x > deep/er/new && mv deep/er/new deep/n && mv deep/n . && cat n")
    assert done == (0, "x\n")


class TestALink:
    """Only our own namespaces can hold a link; bubblewrap refuses to start."""

    @pytest.fixture
    def linked(self, uid: int, make_stage: MakeStage) -> Stage:
        stage = make_stage("namespaces", uid)
        (stage.workspace / "kept").mkdir()
        (stage.workspace / "kept" / "config").write_text("original")
        (stage.workspace / ".codex").symlink_to("step")
        (stage.workspace / "step").symlink_to("kept")
        stage.own()
        return stage

    @pytest.mark.parametrize(
        "change",
        [
            "open(W + '/.codex/config', 'w').write('x')",
            "open(W + '/kept/config', 'w').write('x')",
            "os.unlink(W + '/.codex'); os.mkdir(W + '/.codex')",
            "os.rename(W + '/.codex', W + '/other')",
            "os.symlink('src', W + '/new'); os.replace(W + '/new', W + '/.codex')",
            "os.unlink(W + '/step'); os.symlink('src', W + '/step')",
            "os.rename(W + '/kept', W + '/other')",
        ],
    )
    def test_stays_and_so_does_what_it_leads_to(self, linked: Stage, change: str) -> None:
        paths = [linked.workspace / name for name in (".codex", "step", "kept")]
        before = snapshot(*paths)
        linked.python(change)
        assert snapshot(*paths) == before

    def test_can_be_followed(self, linked: Stage) -> None:
        assert linked.shell("cat .codex/config") == (0, "original")

    def test_that_leads_nowhere_yet_does_not_get_a_target(self, linked: Stage) -> None:
        (linked.workspace / ".agents").symlink_to("later/skills")
        linked.python("os.makedirs(W + '/later/skills')")
        assert not (linked.workspace / "later").exists()

    def test_is_refused_where_only_bubblewrap_works(
        self, linked: Stage, make_stage: MakeStage
    ) -> None:
        if why_not("bubblewrap"):
            pytest.skip("bubblewrap is missing")
        linked.mechanism = "bubblewrap"
        with pytest.raises(SandboxUnavailable, match=r"\.codex is a symbolic link"):
            linked.shell("true")


def test_an_inner_root_is_not_swapped_within_an_outer_one(stage: Stage) -> None:
    inner = stage.workspace / "a" / "project"
    _furnish(inner)
    stage.own()
    policy = stage.policy(writable_roots=[str(inner)])
    before = _metadata(inner)
    for change in (
        "os.rename(W + '/a', W + '/b'); os.makedirs(W + '/a/project/.git')",
        "os.rename(W + '/a/project', W + '/b')",
        "open(W + '/a/project/.git/config', 'w').write('x')",
    ):
        stage.python(change, policy)
    assert _metadata(inner) == before
    assert stage.python("open(W + '/a/project/new', 'w')", policy).code == 0


def test_a_root_that_commands_could_have_linked_elsewhere_is_not_opened(stage: Stage) -> None:
    (stage.workspace / "out").symlink_to(stage.outside)
    policy = stage.policy(writable_roots=[str(stage.workspace / "out")])
    before = snapshot(stage.outside)
    stage.python("open(O + '/kept', 'w').write('x')", policy)
    assert snapshot(stage.outside) == before


def test_the_shared_temporary_folder_has_protected_names_too(stage: Stage) -> None:
    if os.path.lexists("/tmp/.agents"):
        pytest.skip("/tmp/.agents exists on this machine")
    done = stage.python(
        "try: open('/tmp/.agents/x', 'w'); print('BREACH')\nexcept OSError: pass\n"
        "try: os.rmdir('/tmp/.agents'); print('BREACH')\nexcept OSError: pass",
        stage.policy(exclude_slash_tmp=False),
    )
    assert BREACH not in done.output
