"""What is spawned for a policy, what is refused with which remedy, and what counts as denied."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    ReadOnlySandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox import bubblewrap, helper, launch, probe, seccomp
from app_server.sandbox.denial import was_denied
from app_server.sandbox.errors import SandboxUnavailable
from app_server.sandbox.launch import PreparedCommand, prepare
from app_server.sandbox.probe import SandboxFacts
from app_server.sandbox.trial import Trial

ENV = {"PATH": "/usr/bin:/bin"}
BOTH: frozenset[probe.SandboxPromise] = frozenset(("read-only", "workspace-write"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A machine with these facts."""

    def have(facts: SandboxFacts) -> None:
        monkeypatch.setattr(probe, "facts", lambda: facts)

    return have


def test_full_access_passes_the_command_through(tmp_path: Path) -> None:
    command = prepare(DangerFullAccessSandboxPolicy(), ["ls", "-l"], tmp_path, ENV)
    assert command == PreparedCommand(argv=("ls", "-l"), cwd=str(tmp_path), env=ENV)


def test_a_foreign_sandbox_passes_the_command_through_and_tells_about_the_network(
    tmp_path: Path,
) -> None:
    command = prepare(ExternalSandboxSandboxPolicy(), ["ls"], tmp_path, ENV)
    assert command.argv == ("ls",)
    assert command.confinement == "external"
    assert command.env == {**ENV, "CODEX_SANDBOX_NETWORK_DISABLED": "1"}


def test_nothing_that_works_means_refused_with_the_remedy(machine, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    machine(SandboxFacts(mechanism="none", missing="all is missing", remedy="Install it."))
    with pytest.raises(SandboxUnavailable) as caught:
        prepare(ReadOnlySandboxPolicy(), ["ls"], tmp_path, ENV)
    assert str(caught.value) == "Commands cannot be confined here: all is missing. Install it."


def test_landlock_alone_refuses_a_writable_workspace(machine, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    machine(SandboxFacts(mechanism="landlock", missing="no namespaces", remedy="Allow them."))
    with pytest.raises(SandboxUnavailable, match=r"no namespaces; Landlock alone keeps"):
        prepare(WorkspaceWriteSandboxPolicy(), ["ls"], tmp_path, ENV)
    assert prepare(ReadOnlySandboxPolicy(), ["ls"], tmp_path, ENV).confinement == "landlock"


def test_landlock_alone_refuses_a_network_with_sockets_that_give_orders(  # type: ignore[no-untyped-def]
    machine, tmp_path: Path
) -> None:
    machine(SandboxFacts(mechanism="landlock", missing="no namespaces", remedy="Allow them."))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "bus"))
    env = {**ENV, "XDG_RUNTIME_DIR": str(tmp_path)}
    with pytest.raises(SandboxUnavailable, match="cannot close"):
        prepare(ReadOnlySandboxPolicy(network_access=True), ["ls"], tmp_path, env)


def test_a_link_to_be_held_is_given_to_our_own_program(  # type: ignore[no-untyped-def]
    machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine(SandboxFacts(mechanism="bubblewrap", keeps=BOTH, program="/usr/bin/bwrap"))
    (tmp_path / ".codex").symlink_to("elsewhere")
    for works, confinement in ((True, "namespaces"), (False, None)):
        monkeypatch.setattr(probe, "try_namespaces", lambda works=works: Trial(works, "no"))
        if confinement is None:
            with pytest.raises(SandboxUnavailable, match="symbolic link"):
                prepare(WorkspaceWriteSandboxPolicy(), ["ls"], tmp_path, ENV)
        else:
            prepared = prepare(WorkspaceWriteSandboxPolicy(), ["ls"], tmp_path, ENV)
            assert prepared.confinement == confinement


def test_bubblewraps_command_line(machine, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    machine(
        SandboxFacts(
            mechanism="bubblewrap", keeps=BOTH, program="/usr/bin/bwrap", locks_namespaces=True
        )
    )
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    policy = WorkspaceWriteSandboxPolicy(exclude_slash_tmp=True)
    env = {**ENV, "LD_PRELOAD": "/evil.so"}
    command = prepare(policy, ["ls", "-l"], tmp_path, env)
    work = str(tmp_path)
    assert " ".join(command.argv) == (
        "/usr/bin/bwrap --die-with-parent --new-session --unshare-user --unshare-pid --unshare-ipc "
        "--unshare-uts --unshare-cgroup-try --unshare-net --disable-userns --cap-drop ALL "
        "--setenv LD_PRELOAD /evil.so --ro-bind / / --dev /dev --proc /proc --remount-ro /proc "
        f"--bind {work} {work} --ro-bind {work}/.agents {work}/.agents "
        f"--ro-bind {work}/.codex {work}/.codex --ro-bind {work}/.git {work}/.git "
        f"--seccomp 3 --chdir {work} -- ls -l"
    )
    assert command.env == {**ENV, "CODEX_SANDBOX_NETWORK_DISABLED": "1"}
    assert command.inherited_data == {3: seccomp.program(network_allowed=False)}
    assert command.mount_points == (f"{work}/.agents", f"{work}/.codex")
    assert command.confinement == "bubblewrap"


def test_the_policys_folder_may_be_another_than_the_commands(machine, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    machine(SandboxFacts(mechanism="bubblewrap", keeps=BOTH, program="/usr/bin/bwrap"))
    (tmp_path / "sub").mkdir()
    policy = WorkspaceWriteSandboxPolicy(exclude_slash_tmp=True)
    command = prepare(policy, ["ls"], tmp_path / "sub", ENV, policy_cwd=tmp_path)
    assert command.cwd == str(tmp_path / "sub")
    assert ("--bind", str(tmp_path), str(tmp_path)) in zip(
        command.argv, command.argv[1:], command.argv[2:], strict=False
    )


def test_our_own_program_starts_without_the_commands_environment(tmp_path: Path) -> None:
    access = launch.resolve_access(ReadOnlySandboxPolicy(), tmp_path, {})
    command = helper.in_namespaces(access, ["ls"], str(tmp_path), {"LD_PRELOAD": "/evil.so"})
    assert command.env == {}
    assert command.argv[1:3] == ("-I", "-S")


class TestProbing:
    @pytest.fixture(autouse=True)
    def _afresh(self) -> Iterator[None]:
        probe.facts.cache_clear()
        yield
        probe.facts.cache_clear()

    @pytest.fixture
    def _no_namespaces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(probe, "try_bubblewrap", lambda *_: Trial(False, "refused"))
        monkeypatch.setattr(probe, "try_namespaces", lambda: Trial(False, "unshare: EPERM"))

    def test_the_best_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bubblewrap, "find_program", lambda: "/usr/bin/bwrap")
        monkeypatch.setattr(probe, "try_bubblewrap", lambda *_: Trial(True, ""))
        found = probe.facts()
        assert (found.mechanism, found.missing, found.keeps) == ("bubblewrap", None, BOTH)
        assert found.locks_namespaces

    def test_an_older_bubblewrap_does_without_locking_namespaces(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bubblewrap, "find_program", lambda: "/usr/bin/bwrap")
        monkeypatch.setattr(probe, "try_bubblewrap", lambda _, locks: Trial(not locks, ""))
        assert not probe.facts().locks_namespaces

    def test_without_bubblewrap_our_namespaces_hold_and_it_is_recommended(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bubblewrap, "find_program", lambda: None)
        monkeypatch.setattr(probe, "try_namespaces", lambda: Trial(True, ""))
        found = probe.facts()
        assert (found.mechanism, found.keeps) == ("namespaces", BOTH)
        assert found.missing == "bubblewrap is not installed"
        assert found.remedy is not None
        assert "apt install bubblewrap" in found.remedy

    @pytest.mark.usefixtures("_no_namespaces")
    def test_landlock_keeps_read_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(probe, "try_landlock", lambda: Trial(True, ""))
        assert probe.facts().keeps == {"read-only"}

    @pytest.mark.usefixtures("_no_namespaces")
    @pytest.mark.parametrize(
        ("setting", "value", "expected"),
        [
            ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces"),
            ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
            ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ],
    )
    def test_what_keeps_namespaces_away_is_named(
        self, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, expected: str
    ) -> None:
        monkeypatch.setattr(probe, "try_landlock", lambda: Trial(False, ""))
        monkeypatch.setattr(probe, "_kernel_setting", {setting: value}.get)
        found = probe.facts()
        assert (found.mechanism, found.keeps) == ("none", frozenset())
        assert found.missing is not None
        assert "unshare: EPERM" in found.missing
        assert found.remedy is not None
        assert expected in found.remedy


@pytest.mark.parametrize(
    ("confinement", "code", "output", "expected"),
    [
        ("bubblewrap", 1, "touch: x: Read-only file system", True),
        ("namespaces", 1, "EPERM: Operation Not Permitted", True),
        ("landlock", 2, "cannot open: Permission denied", True),
        ("bubblewrap", 159, "", True),
        ("bubblewrap", 1, "no such file", False),
        ("bubblewrap", 127, "sh: frob: not found", False),
        ("bubblewrap", 0, "Permission denied", False),
        ("none", 1, "Permission denied", False),
        ("external", 1, "Permission denied", False),
    ],
)
def test_a_failure_is_the_sandboxs_doing_if_it_sounds_like_it(
    confinement: str, code: int, output: str, expected: bool
) -> None:
    assert was_denied(confinement, code, output) is expected
