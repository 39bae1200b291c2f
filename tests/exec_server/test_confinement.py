"""Sandboxes demanded by clients: what is kept, and what is refused rather than widened."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.exec_server.confinement import Confinement, demanded
from app_server.exec_server.protocol import ServiceError
from app_server.protocol.permissions import ReadOnlySandboxPolicy, WorkspaceWriteSandboxPolicy
from app_server.sandbox import probe
from tests.exec_server.stdio_peer import StdioPeer

MARKED = {"clientName": "codex-environment", "resumeSessionId": None}


def special(access: str, kind: str, subpath: str | None = None) -> dict[str, Any]:
    value = {"kind": kind} if subpath is None else {"kind": kind, "subpath": subpath}
    return {"path": {"type": "special", "value": value}, "access": access}


def place(access: str, path: str) -> dict[str, Any]:
    return {"path": {"type": "path", "path": path}, "access": access}


def hidden(pattern: str) -> dict[str, Any]:
    return {"path": {"type": "glob_pattern", "pattern": pattern}, "access": "none"}


READ_ALL = special("read", "root")
WORKSPACE = special("write", "project_roots")


def demand(*entries: dict[str, Any], network: str = "restricted") -> dict[str, Any]:
    files = {"type": "restricted", "entries": list(entries)}
    return {
        "permissions": {"type": "managed", "file_system": files, "network": network},
        "cwd": "/srv/project",
    }


def understood(sandbox: object) -> Confinement | None:
    return demanded(msgspec.Raw(json.dumps(sandbox).encode()))


@pytest.mark.parametrize("sandbox", [None, {"permissions": {"type": "disabled"}}])
def test_no_demand_confines_nothing(sandbox: object) -> None:
    assert understood(sandbox) is None


def test_a_profile_that_only_reads_is_read_only() -> None:
    assert understood(demand(READ_ALL)) == Confinement(ReadOnlySandboxPolicy(), "/srv/project")


def test_the_workspace_profile_of_the_original_is_kept() -> None:
    entries = [READ_ALL, WORKSPACE, special("write", "slash_tmp"), place("write", "/srv/memories")]
    entries += [special("read", "project_roots", name) for name in (".git", ".agents", ".codex")]
    entries += [place("read", "/srv/project/.git"), place("read", "/etc")]
    policy = WorkspaceWriteSandboxPolicy(
        writable_roots=["/srv/memories"], network_access=True, exclude_tmpdir_env_var=True
    )
    kept = ("/srv/project/.git", "/srv/project/.agents", "/srv/project/.codex", "/etc")
    wanted = Confinement(policy, "/srv/project", kept)
    assert understood(demand(*entries, network="enabled")) == wanted


def test_the_workspace_profile_of_release_0_169_is_kept_in_every_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    (one / ".aws").mkdir(parents=True)
    kept = {**special("read", "project_roots", ".aws"), "missing_path_behavior": "skip"}
    sandbox = {
        **demand(READ_ALL, WORKSPACE, special("write", "slash_tmp"), kept),
        "cwd": f"file://{one}",
        "workspaceRoots": [f"file://{one}", f"file://{other}"],
    }
    policy = WorkspaceWriteSandboxPolicy(writable_roots=[str(other)], exclude_tmpdir_env_var=True)
    assert understood(sandbox) == Confinement(policy, str(one), (str(one / ".aws"),))


@pytest.mark.parametrize(
    "sandbox",
    [
        {"permissions": {"type": "external"}},
        {"permissions": {"type": "unheard-of"}},
        {"unheard": "of"},
        demand(),
        demand(READ_ALL, place("write", "/srv/other")),
        demand(READ_ALL, WORKSPACE, special("none", "project_roots", "../secret")),
        demand(READ_ALL, WORKSPACE, special("none", "unheard-of")),
        demand(READ_ALL, WORKSPACE, place("none", "secret")),
        demand(READ_ALL, WORKSPACE, special("hide", "project_roots", "secret")),
        demand(WORKSPACE, special("none", "project_roots", "secret")),
        demand(READ_ALL, WORKSPACE, hidden("file:///srv/*.key")),
        demand(READ_ALL, WORKSPACE, special("read", "project_roots", "../other")),
        demand(READ_ALL, WORKSPACE, place("read", "docs")),
        demand(READ_ALL, special("write", "root")),
    ],
)
def test_what_cannot_be_kept_is_refused(sandbox: object) -> None:
    with pytest.raises(ServiceError, match="this sandbox cannot be kept here"):
        understood(sandbox)


@pytest.mark.skipif(probe.facts().mechanism == "none", reason="no sandbox on this machine")
def test_files_and_commands_are_changed_inside_the_sandbox_alone(
    bare_peer: StdioPeer, tmp_path: Path
) -> None:
    bare_peer.call("initialize", MARKED)
    bare_peer.send({"method": "initialized", "params": {}})
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "docs").mkdir()
    kept = special("read", "project_roots", "docs")
    sandbox = {**demand(READ_ALL, WORKSPACE, kept), "cwd": str(project)}

    def change(method: str, **params: Any) -> dict[str, Any]:
        return bare_peer.call(f"fs/{method}", {"sandbox": sandbox, **params})

    def write(path: Path) -> bool:
        return "result" in change("writeFile", path=str(path), dataBase64="aGkK")

    assert change("createDirectory", path=str(project / "a/b"), recursive=True)["result"] == {}
    assert write(project / "a/b/file")
    assert (project / "a/b/file").read_bytes() == b"hi\n"
    copied = {"sourcePath": str(project / "a"), "destinationPath": str(project / "c")}
    assert "result" in change("copy", **copied, recursive=True)
    assert (project / "c/b/file").read_bytes() == b"hi\n"
    assert "result" in change("remove", path=str(project / "a"), recursive=True, force=False)
    assert not (project / "a").exists()
    assert not write(tmp_path / "outside")
    assert not write(project / ".git/config")
    assert not write(project / "docs/page")
    (project / "way-out").symlink_to(tmp_path)
    assert not write(project / "way-out/outside")
    assert not (tmp_path / "outside").exists()
    line = "echo in > in; echo out > ../outside"
    started = bare_peer.shell("p", line, cwd=f"file://{project}", sandbox=sandbox)
    assert started["result"]["sandboxType"] == "linuxSeccomp"
    assert base64.b64decode(bare_peer.told("process/output", "p")["chunk"])
    assert bare_peer.told("process/exited", "p")["sandboxDenied"] is True
    assert (project / "in").read_text() == "in\n"
    assert not (tmp_path / "outside").exists()


@pytest.mark.skipif("workspace-write" not in probe.facts().keeps, reason="no sandbox here")
def test_hidden_files_cannot_be_read_nor_changed(peer: StdioPeer, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        for name in ("plain", "secret", "a.key", "kept"):
            (folder / name).write_text(f"{name} of {folder.name}\n")
    entries = [
        *(READ_ALL, WORKSPACE, special("none", "project_roots", "secret")),
        *(hidden("*.key"), place("read", f"file://{one}/kept")),
        {**place("none", f"file://{one}/nothing"), "missing_path_behavior": "skip"},
    ]
    sandbox = {
        **demand(*entries),
        "cwd": f"file://{one}",
        "workspaceRoots": [f"file://{one}", f"file://{other}"],
    }
    line = f"cat *; cd {other}; cat *; echo hi > {one}/new; echo no > {one}/kept; echo no > secret"
    peer.shell("p", line, cwd=f"file://{one}", sandbox=sandbox)
    assert peer.told("process/exited", "p")["sandboxDenied"] is True
    read = peer.call("process/read", {"processId": "p"})["result"]["chunks"]
    told = b"".join(base64.b64decode(each["chunk"]) for each in read if each["stream"] == "stdout")
    assert told == b"kept of one\nplain of one\nkept of other\nplain of other\n"
    assert (one / "new").read_text() == "hi\n"
    assert not (one / "nothing").exists()
    assert (one / "kept").read_text() == "kept of one\n"
    assert (other / "secret").read_text() == "secret of other\n"
    write = {"path": f"file://{other}/secret", "dataBase64": "aGkK", "sandbox": sandbox}
    assert "error" in peer.call("fs/writeFile", write)
    assert "result" in peer.call("fs/writeFile", {**write, "path": f"file://{other}/new"})
    copy = {"sourcePath": f"file://{one}/secret", "destinationPath": f"file://{one}/mine"}
    assert "error" in peer.call("fs/copy", {**copy, "recursive": False, "sandbox": sandbox})
    look = {"path": f"file://{one}/secret", "handleId": "h", "sandbox": sandbox}
    for method in ("readFile", "open", "getMetadata"):
        refusal = peer.call(f"fs/{method}", look)["error"]
        assert "looking at files where some are hidden" in refusal["message"]


@pytest.mark.skipif(probe.facts().mechanism == "none", reason="no sandbox on this machine")
def test_any_client_that_demands_a_sandbox_is_told_what_came_of_it(
    peer: StdioPeer, tmp_path: Path
) -> None:
    sandbox = {**demand(READ_ALL), "cwd": str(tmp_path)}
    started = peer.shell("p", "echo no > file", cwd=str(tmp_path), sandbox=sandbox)
    assert started["result"]["sandboxType"] == "linuxSeccomp"
    assert peer.told("process/exited", "p")["sandboxDenied"] is True
    assert "sandboxType" not in peer.shell("q", "echo no; exit 1", cwd=str(tmp_path))["result"]
    assert "sandboxDenied" not in peer.told("process/exited", "q")


@pytest.mark.skipif(probe.facts().mechanism == "none", reason="no sandbox on this machine")
def test_an_interrupt_reaches_what_runs_inside_a_sandbox(
    bare_peer: StdioPeer, tmp_path: Path
) -> None:
    bare_peer.call("initialize", MARKED)
    bare_peer.send({"method": "initialized", "params": {}})
    sandbox = {**demand(READ_ALL, WORKSPACE), "cwd": str(tmp_path)}
    line = "trap 'echo stopped; exit 7' INT; echo ready; while :; do sleep 0.05; done"
    bare_peer.shell("p", line, cwd=f"file://{tmp_path}", sandbox=sandbox)
    bare_peer.output_until("p", b"ready")
    bare_peer.call("process/signal", {"processId": "p", "signal": "interrupt"})
    assert bare_peer.exited("p")["exitCode"] == 7
    assert bare_peer.output("p") == b"ready\nstopped\n"
