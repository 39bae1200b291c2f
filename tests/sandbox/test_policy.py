"""What a policy opens and what stays protected, read from the file system."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    ReadOnlySandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox.control_sockets import closed_places
from app_server.sandbox.policy import Access, resolve_access
from app_server.sandbox.protected import protect
from app_server.sandbox.trace import trace

NO_TMP = WorkspaceWriteSandboxPolicy(exclude_slash_tmp=True)


def _roots(access: Access) -> list[str]:
    return [root.path for root in access.writable_roots]


def test_full_access_and_a_foreign_sandbox_confine_nothing(tmp_path: Path) -> None:
    assert resolve_access(DangerFullAccessSandboxPolicy(), tmp_path, {}) == Access(
        is_confined=False, network_allowed=True
    )
    assert not resolve_access(ExternalSandboxSandboxPolicy(), tmp_path, {}).network_allowed


def test_read_only_opens_nothing(tmp_path: Path) -> None:
    access = resolve_access(ReadOnlySandboxPolicy(), tmp_path, {"TMPDIR": str(tmp_path)})
    assert access == Access(is_confined=True)


def test_workspace_write_opens_the_workspace_both_temporary_folders_and_what_is_named(
    tmp_path: Path,
) -> None:
    places = {name: tmp_path / name for name in ("work", "more", "extra", "t", "home/memories")}
    for place in places.values():
        place.mkdir(parents=True)
    policy = WorkspaceWriteSandboxPolicy(writable_roots=[str(places["more"])])
    access = resolve_access(
        policy,
        places["work"],
        {"TMPDIR": str(places["t"])},
        [places["extra"]],
        codex_home=tmp_path / "home",
    )
    assert set(_roots(access)) == {"/tmp", *(str(place) for place in places.values())}
    assert access.writable_roots[0].path == str(places["work"])
    assert not access.network_allowed


def test_missing_and_relative_roots_and_the_kernels_own_are_left_out(tmp_path: Path) -> None:
    policy = WorkspaceWriteSandboxPolicy(
        writable_roots=[str(tmp_path / "none"), "/proc", "/sys/kernel"], exclude_slash_tmp=True
    )
    assert _roots(resolve_access(policy, tmp_path, {"TMPDIR": "relative"})) == [str(tmp_path)]


def test_links_in_the_name_of_the_workspace_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert _roots(resolve_access(NO_TMP, tmp_path / "link", {})) == [str(tmp_path / "real")]


def test_the_rest_of_codex_home_is_protected_within_a_root(tmp_path: Path) -> None:
    home = tmp_path / "settings"
    (home / "memories").mkdir(parents=True)
    (home / "auth.json").touch()
    access = resolve_access(NO_TMP, tmp_path, {}, codex_home=home)
    assert str(home) in access.protection.read_only
    assert _roots(access) == [str(tmp_path), str(home / "memories")]


def test_an_explicit_root_wins_over_its_protection(tmp_path: Path) -> None:
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    access = resolve_access(NO_TMP, tmp_path, {}, [tmp_path / ".git"])
    assert str(tmp_path / ".git") not in access.protection.read_only


class TestProtection:
    def test_existing_missing_and_empty(self, tmp_path: Path) -> None:
        (tmp_path / ".git" / "hooks").mkdir(parents=True)
        (tmp_path / ".codex").mkdir()
        found = protect([str(tmp_path)])
        assert found.read_only == (str(tmp_path / ".git"),)
        assert found.missing == (str(tmp_path / ".agents"), str(tmp_path / ".codex"))
        assert found.links == ()

    def test_a_link_its_chain_and_its_target(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "target").mkdir(parents=True)
        (tmp_path / "a" / "target" / "file").touch()
        (tmp_path / "b").symlink_to("a")
        (tmp_path / ".codex").symlink_to("b/target")
        found = protect([str(tmp_path)])
        assert found.links == (str(tmp_path / ".codex"), str(tmp_path / "b"))
        assert str(tmp_path / "a" / "target") in found.read_only
        assert str(tmp_path / "a") in found.anchors

    def test_a_link_out_of_the_root_is_held_and_its_target_is_left_alone(
        self, tmp_path: Path
    ) -> None:
        root = tmp_path / "root"
        root.mkdir()
        (root / ".codex").symlink_to(tmp_path)
        found = protect([str(root)])
        assert found.links == (str(root / ".codex"),)
        assert found.read_only == ()

    def test_links_in_a_circle_are_held_and_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / ".codex").symlink_to(".agents")
        (tmp_path / ".agents").symlink_to(".codex")
        found = protect([str(tmp_path)])
        assert found.links == (str(tmp_path / ".agents"), str(tmp_path / ".codex"))

    def test_folders_between_an_outer_and_an_inner_root_are_anchored(self, tmp_path: Path) -> None:
        inner = tmp_path / "a" / "b" / "inner"
        inner.mkdir(parents=True)
        found = protect([str(tmp_path), str(inner)])
        assert found.anchors == (str(tmp_path / "a"), str(tmp_path / "a" / "b"))

    @pytest.mark.parametrize("text", ["", "gitdir:", "nonsense", "\udcff"])
    def test_a_git_file_that_says_nothing_is_only_held_itself(
        self, tmp_path: Path, text: str
    ) -> None:
        (tmp_path / ".git").write_text(text, errors="surrogateescape")
        assert protect([str(tmp_path)]).read_only == (str(tmp_path / ".git"),)

    def test_a_pipe_in_a_git_folder_is_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        os.mkfifo(tmp_path / "real" / "commondir")
        (tmp_path / ".git").write_text("gitdir: real")
        found = protect([str(tmp_path)])
        assert found.read_only == (str(tmp_path / ".git"), str(tmp_path / "real"))


def test_a_trace_stops_at_the_first_missing_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone/deeper")
    found = trace(str(tmp_path / "link" / "further"))
    assert (found.real, found.kind) == (str(tmp_path / "gone"), None)
    assert found.links == (str(tmp_path / "link"),)


def test_sockets_that_give_orders_are_closed_where_there_is_a_network(tmp_path: Path) -> None:
    runtime, work = tmp_path / "runtime", tmp_path / "work"
    runtime.mkdir()
    work.mkdir()
    for name in ("bus", "ssh-agent.socket"):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(runtime / name))
    env = {"XDG_RUNTIME_DIR": str(runtime)}
    online = resolve_access(ReadOnlySandboxPolicy(network_access=True), work, env).closed
    assert str(runtime) in online.folders
    assert str(runtime / "ssh-agent.socket") in online.let_through
    assert str(runtime / "bus") in online.sockets()
    assert str(runtime / "ssh-agent.socket") not in online.sockets()
    offline = resolve_access(ReadOnlySandboxPolicy(), work, env).closed
    assert str(runtime) not in offline.folders


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("DOCKER_HOST", "unix://{}"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path={},guid=12"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:abstract=x;unix:guid=1,path={}"),
        ("SESSION_MANAGER", "local/host:@/tmp/.ICE-unix/1,unix/host:{}"),
        ("TMUX", "{},12,0"),
        ("KITTY_LISTEN_ON", "unix:{}"),
    ],
)
def test_their_addresses_are_read_from_the_environment(
    tmp_path: Path, name: str, address: str
) -> None:
    path = tmp_path / "there"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert str(path) in closed_places({name: address.format(path)}).files


def test_addresses_that_name_no_socket_are_passed_over(tmp_path: Path) -> None:
    names = ("tcp://localhost:2375", "unix://", "unix:path=", f"unix://{tmp_path}")
    found = [closed_places({"DOCKER_HOST": name}) for name in names]
    assert found == [closed_places({})] * 4
