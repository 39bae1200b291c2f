"""Clients of release 0.169, which name places by URI: what they may ask beyond release 0.128."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from app_server.exec_server.environment_methods import EnvironmentInfoParams
from app_server.exec_server.handler import ExecHandler
from app_server.exec_server.limits import Limits
from app_server.exec_server.protocol import InitializeParams, ServiceError
from app_server.exec_server.sessions import Sessions
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS, StdioPeer

MARKED = {"clientName": "codex-environment", "resumeSessionId": None}


@pytest.fixture
def uri_peer(bare_peer: StdioPeer) -> StdioPeer:
    bare_peer.call("initialize", MARKED)
    bare_peer.send({"method": "initialized", "params": {}})
    return bare_peer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "tree"
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "sub/b").write_text("b")
    (tmp_path / "a b.txt").write_text("hello world\n" * 10)
    (tmp_path / "link").symlink_to("a b.txt")
    (tmp_path / "dirlink").symlink_to("sub")
    (tmp_path / "dangling").symlink_to("/no/such")
    return tmp_path


def test_the_machine_is_described(uri_peer: StdioPeer) -> None:
    info = uri_peer.call("environment/info", None)["result"]
    assert info["shell"]["path"].endswith(info["shell"]["name"])
    assert info["platformOs"] == "linux"
    assert info["tempDir"].startswith("file:///")


def test_a_start_names_its_sandbox_and_a_killed_process_has_a_shells_code(
    uri_peer: StdioPeer,
) -> None:
    started = uri_peer.shell("a", "kill -9 $$", cwd="file:///")["result"]
    assert started["sandboxType"] == "none"
    exited = uri_peer.exited("a")
    assert (exited["exitCode"], exited["sandboxDenied"]) == (137, False)


@pytest.mark.parametrize("has_terminal", [False, True])
def test_an_interrupt_does_what_control_c_does(uri_peer: StdioPeer, has_terminal: bool) -> None:
    line = "trap 'echo stopped; exit 7' INT; echo ready; while :; do sleep 0.05; done"
    uri_peer.shell("a", line, cwd="file:///", tty=has_terminal)
    uri_peer.output_until("a", b"ready")
    interrupt = {"processId": "a", "signal": "interrupt"}
    assert uri_peer.call("process/signal", interrupt)["result"] == {}
    assert uri_peer.exited("a")["exitCode"] == 7
    assert uri_peer.call("process/signal", interrupt)["result"] == {}
    unknown = {"processId": "none", "signal": "interrupt"}
    assert uri_peer.call("process/signal", unknown)["result"] == {}
    other = {"processId": "a", "signal": "terminate"}
    assert uri_peer.call("process/signal", other)["error"]["code"] == -32602


def test_a_path_is_told_without_links(uri_peer: StdioPeer, folder: Path) -> None:
    def real(path: str) -> Any:
        return uri_peer.call("fs/canonicalize", {"path": path, "sandbox": None})

    assert real(f"file://{folder}/dirlink/../link")["result"] == {
        "path": f"file://{folder}/a%20b.txt"
    }
    assert real(f"{folder}/dirlink")["result"] == {"path": f"{folder}/sub"}
    assert real(f"file://{folder}/none")["error"]["code"] == -32004


def test_a_file_is_read_block_by_block(uri_peer: StdioPeer, folder: Path) -> None:
    def ask(method: str, **params: Any) -> Any:
        answer = uri_peer.call(f"fs/{method}", {"handleId": "h", **params})
        return answer.get("result") or answer["error"]

    path = f"file://{folder}/a%20b.txt"
    assert ask("open", path=path) == {"handleId": "h"}
    assert ask("open", path=path)["message"] == "file handle `h` already exists"
    first = ask("readBlock", offset=0, len=12)
    assert first == {"chunk": base64.b64encode(b"hello world\n").decode(), "eof": False}
    assert ask("readBlock", offset=110, len=20)["eof"] is True
    assert ask("readBlock", offset=999, len=1) == {"chunk": "", "eof": True}
    too_long = "file read block length must be between 1 and 1048576"
    assert ask("readBlock", offset=0, len=2**40) == {"code": -32600, "message": too_long}
    assert ask("readBlock", offset=-1, len=1)["code"] == -32602
    assert uri_peer.call("fs/close", {"handleId": "h"})["result"] == {}
    assert uri_peer.call("fs/close", {"handleId": "h"})["result"] == {}
    unknown = {"code": -32004, "message": "unknown file handle `h`"}
    assert ask("readBlock", offset=0, len=1) == unknown
    not_a_file = f"path `{folder}/sub` is not a file"
    assert ask("open", path=f"file://{folder}/sub") == {"code": -32600, "message": not_a_file}


OPTIONS = {
    "maxDepth": 9,
    "maxDirectories": 99,
    "maxEntries": 99,
    "followDirectorySymlinks": True,
}


@pytest.mark.parametrize(
    ("options", "paths", "is_truncated"),
    [
        ({}, ["a%20b.txt", "dirlink/", "sub/", "dirlink/b", "dirlink/deep/"], False),
        ({"followDirectorySymlinks": False}, ["a%20b.txt", "sub/", "sub/b", "sub/deep/"], False),
        ({"maxDepth": 1}, ["a%20b.txt", "dirlink/", "sub/"], False),
        ({"maxEntries": 2}, ["a%20b.txt", "dirlink/"], True),
        ({"maxDirectories": 1}, ["a%20b.txt", "dirlink/", "sub/"], True),
    ],
)
def test_a_folder_is_walked_within_limits(
    uri_peer: StdioPeer,
    folder: Path,
    options: dict[str, Any],
    paths: list[str],
    is_truncated: bool,
) -> None:
    params = {"path": f"file://{folder}", "options": OPTIONS | options}
    walked = uri_peer.call("fs/walk", params)["result"]
    found = [
        entry["path"].removeprefix(f"file://{folder}/")
        + ("/" if entry["kind"] == "directory" else "")
        for entry in walked["entries"]
    ]
    assert found == paths
    assert (walked["errors"], walked["truncated"]) == ([], is_truncated)


def test_where_there_is_nothing_nothing_is_walked(uri_peer: StdioPeer, folder: Path) -> None:
    def walked(path: str) -> Any:
        return uri_peer.call("fs/walk", {"path": f"file://{folder}/{path}", "options": OPTIONS})

    assert walked("none")["error"]["code"] == -32004
    nothing = {"entries": [], "errors": [], "truncated": False}
    assert walked("a%20b.txt")["result"] == nothing


async def test_a_session_that_is_taken_has_a_code_of_its_own_and_waits_longer() -> None:
    limits = Limits(detached_session_seconds=0, detached_session_seconds_since_0_169=3600)
    sessions = Sessions(asyncio.get_running_loop(), limits)
    first = ExecHandler(asyncio.get_running_loop(), lambda _: None, sessions=sessions)
    answer = first.initialize(InitializeParams(client_name="test", resume_session_id=None))
    first.initialized()
    first.handle(EnvironmentInfoParams(), lambda _: None)
    assert isinstance(answer.session_id, str)
    again = InitializeParams(client_name="test", resume_session_id=answer.session_id)
    second = ExecHandler(asyncio.get_running_loop(), lambda _: None, sessions=sessions)
    with pytest.raises(ServiceError) as refused:
        second.initialize(again)
    assert refused.value.code == -32010
    first.leave()
    await asyncio.sleep(0.01)
    assert second.initialize(again).session_id == answer.session_id
    sessions.end_all()
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not sessions.has_ended:  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)
