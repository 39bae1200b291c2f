"""Clients of release 0.128 and later: their marker, their numbering, their files, coming back."""

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import pytest

from app_server.exec_server.handler import ExecHandler
from app_server.exec_server.limits import Limits
from app_server.exec_server.protocol import (
    Body,
    InitializeParams,
    InitializeResult,
    Notification,
    ReadParams,
    ReadResult,
    ServiceError,
    StartParams,
    StartResult,
    WriteParams,
)
from app_server.exec_server.sessions import Sessions
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS, PATH, StdioPeer

MARKED = {"clientName": "codex-environment", "resumeSessionId": None}


@pytest.fixture
def marked_peer(bare_peer: StdioPeer) -> StdioPeer:
    """A service whose client has said that it knows sessions."""
    result = bare_peer.call("initialize", MARKED)["result"]
    assert len(result["sessionId"]) == 36
    bare_peer.send({"method": "initialized", "params": {}})
    return bare_peer


def test_an_unknown_method_has_the_code_of_later_releases(marked_peer: StdioPeer) -> None:
    assert marked_peer.call("fs/guess", None)["error"] == {
        "code": -32601,
        "message": "exec-server stub does not implement `fs/guess` yet",
    }


def test_garbage_is_answered_and_survived(marked_peer: StdioPeer) -> None:
    marked_peer.send(b"not-json\n")
    answer = marked_peer.until(lambda message: message.get("id") == -1)
    assert (answer["id"], answer["error"]["code"]) == (-1, -32600)
    assert "result" in marked_peer.start("a", "true")


def test_exit_and_close_are_numbered_behind_the_output(marked_peer: StdioPeer) -> None:
    marked_peer.shell("a", "printf x")
    told = [marked_peer.told(f"process/{kind}", "a") for kind in ("output", "exited", "closed")]
    assert [params["seq"] for params in told] == [1, 2, 3]
    read = marked_peer.call("process/read", {"processId": "a"})["result"]
    assert (read["nextSeq"], read["exited"], read["closed"]) == (4, True, True)
    assert marked_peer.call("process/terminate", {"processId": "a"})["result"] == {"running": False}


def test_writing_reports_a_status_instead_of_an_error(marked_peer: StdioPeer) -> None:
    def written(process_id: str, **more: Any) -> object:
        params = {"processId": process_id, "chunk": "eAo=", **more}
        return marked_peer.call("process/write", params)["result"]["status"]

    assert written("none") == "unknownProcess"
    marked_peer.shell("closed", "sleep 60")
    assert written("closed") == "stdinClosed"
    marked_peer.shell("open", "read a; read b; echo $a$b", pipeStdin=True)
    # The same write sent again arrives once.
    assert [written("open", writeId=name) for name in ("1", "1", "2")] == ["accepted"] * 3
    output = marked_peer.told("process/output", "open")
    assert base64.b64decode(output["chunk"]) == b"xx\n"


def test_a_policy_takes_variables_from_the_service(marked_peer: StdioPeer) -> None:
    policy = {
        "inherit": "core",
        "ignoreDefaultExcludes": True,
        "exclude": ["HOME"],
        "set": {"SET": "1", "BOTH": "policy"},
        "includeOnly": [],
    }
    line = 'echo "$PATH|$HOME|$SET|$BOTH"'
    marked_peer.shell("a", line, env={"BOTH": "env"}, envPolicy=policy)
    output = base64.b64decode(marked_peer.told("process/output", "a")["chunk"]).decode()
    assert output == f"{os.environ['PATH']}||1|env\n"


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_files_are_made_looked_at_and_removed(
    marked_peer: StdioPeer, tmp_path: Path, prefix: str
) -> None:
    folder = f"{prefix}{tmp_path}/new/folder"

    def done(method: str, **params: Any) -> Any:
        return marked_peer.call(f"fs/{method}", {"sandbox": None, **params})["result"]

    done("createDirectory", path=folder, recursive=True)
    done("writeFile", path=f"{folder}/a", dataBase64="aGkK")
    done("copy", sourcePath=f"{folder}/a", destinationPath=f"{folder}/b", recursive=False)
    assert done("readFile", path=f"{folder}/b") == {"dataBase64": "aGkK"}
    assert done("getMetadata", path=f"{folder}/b")["isFile"]
    names = {entry["fileName"] for entry in done("readDirectory", path=folder)["entries"]}
    assert names == {"a", "b"}
    done("remove", path=f"{prefix}{tmp_path}/new", recursive=True, force=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/no/such", -32004, "No such file or directory (os error 2)"),
        ("relative", -32602, "path must be absolute: relative"),
        ("/dev", -32603, "Is a directory (os error 21)"),
        ("/dev/null", -32600, "only regular files are read"),
    ],
)
def test_what_cannot_be_read_is_refused(
    marked_peer: StdioPeer, path: str, code: int, message: str
) -> None:
    answer = marked_peer.call("fs/readFile", {"path": path, "sandbox": None})
    assert answer["error"] == {"code": code, "message": message}


class Client:
    """A connection without a wire."""

    def __init__(self, sessions: Sessions) -> None:
        self.told: list[Notification] = []
        self.handler = ExecHandler(asyncio.get_running_loop(), self.told.append, sessions=sessions)

    def initialize(self, session_id: str | None) -> str:
        params = InitializeParams(client_name="test", resume_session_id=session_id)
        result: InitializeResult = self.handler.initialize(params)
        self.handler.initialized()
        assert isinstance(result.session_id, str)
        return result.session_id

    async def call(self, params: Body) -> Body | ServiceError:
        answered: asyncio.Future[Body | ServiceError] = asyncio.get_running_loop().create_future()
        self.handler.handle(params, answered.set_result)
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            return await answered


async def test_who_comes_back_finds_the_processes_and_what_they_wrote() -> None:
    sessions = Sessions(asyncio.get_running_loop())
    first, second = Client(sessions), Client(sessions)
    session_id = first.initialize(None)
    with pytest.raises(ServiceError, match="already attached to another connection"):
        second.initialize(session_id)
    argv = ["/bin/sh", "-c", "read line; echo $line"]
    start = StartParams(process_id="a", argv=argv, cwd="/", env=PATH, tty=False, pipe_stdin=True)
    assert isinstance(await first.call(start), StartResult)
    first.handler.leave()
    assert second.initialize(session_id) == session_id
    await second.call(WriteParams(process_id="a", chunk=b"back\n"))
    read = await second.call(ReadParams(process_id="a", wait_ms=30_000))
    assert isinstance(read, ReadResult)
    assert [chunk.chunk for chunk in read.chunks] == [b"back\n"]
    assert first.told == []
    sessions.end_all()
    await _ended(sessions)


async def test_who_does_not_come_back_in_time_finds_nothing() -> None:
    sessions = Sessions(asyncio.get_running_loop(), Limits(detached_session_seconds=0.01))
    first, second = Client(sessions), Client(sessions)
    session_id = first.initialize(None)
    argv = ["/bin/sleep", "60"]
    start = StartParams(process_id="a", argv=argv, cwd="/", env=PATH, tty=False)
    await first.call(start)
    first.handler.leave()
    await _ended(first.handler)
    with pytest.raises(ServiceError, match=f"unknown session id {session_id}"):
        second.initialize(session_id)


async def _ended(what: Sessions | ExecHandler) -> None:
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not what.has_ended:  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)
