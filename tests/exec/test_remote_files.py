"""Files behind a process service are read, resolved and changed through its file methods."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from app_server.exec import remote_files
from app_server.exec.remote_files import RemoteFiles
from app_server.exec_server.client import ExecServerClient
from app_server.exec_server.file_methods import FILE_METHODS, CanonicalizeParams, FileParams
from app_server.exec_server.protocol import Body
from app_server.exec_server.websocket_client import connect_websocket
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.sandbox import probe
from app_server.storage.shapes import permission_profile
from tests.support.process_service import process_service

R = TypeVar("R")


@pytest.fixture
def url() -> Iterator[str]:
    with process_service() as url:
        yield url


@pytest.fixture(params=[False, True], ids=["paths", "URIs"])
async def client(url: str, request: pytest.FixtureRequest) -> ExecServerClient:
    client = await connect_websocket(url)
    client.names_places_by_uri = request.param  # as a service of 0.169 makes it
    return client


async def with_files(client: ExecServerClient, work: Callable[[RemoteFiles], R]) -> R:
    files = RemoteFiles(client)
    try:
        return await asyncio.to_thread(work, files)
    finally:
        await client.close()


async def test_files_are_read_changed_and_removed(client: ExecServerClient, tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "é.txt"

    def work(files: RemoteFiles) -> None:
        files.write(path, b"one\n", None)
        assert files.read(path) == b"one\n"
        state = files.state(path)
        assert state is not None
        assert state.content == b"one\n"
        files.remove(path)
        assert files.state(path) is None
        with pytest.raises(FileNotFoundError, match="No such file or directory"):
            files.read(path)
        with pytest.raises(IsADirectoryError):
            files.read(path.parent)

    await with_files(client, work)
    assert list(path.parent.iterdir()) == []


async def test_a_large_file_comes_in_blocks(
    client: ExecServerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_files, "READ_AT_ONCE_BYTES", 10)
    monkeypatch.setattr(remote_files, "BLOCK_BYTES", 7)
    (tmp_path / "large").write_bytes(bytes(range(100)))

    def work(files: RemoteFiles) -> None:
        assert files.read(tmp_path / "large") == bytes(range(100))
        with pytest.raises(OSError, match="larger than"):
            files.read_some(tmp_path / "large", 99)

    await with_files(client, work)


async def test_a_path_is_resolved_whether_or_not_something_is_there(
    client: ExecServerClient, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")

    def work(files: RemoteFiles) -> None:
        assert files.resolved(tmp_path / "link") == tmp_path / "real"
        assert files.resolved(tmp_path / "link/new/file") == tmp_path / "real/new/file"
        with pytest.raises(OSError, match="a link that leads nowhere"):
            files.resolved(tmp_path / "dangling")

    await with_files(client, work)


async def test_a_service_that_cannot_follow_links_is_not_trusted_with_any(
    client: ExecServerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Release 0.128 has no such method, and answers as ours does to one it does not know.
    unknown = {**remote_files._METHOD_OF, CanonicalizeParams: "fs/unheardOf"}
    monkeypatch.setattr(remote_files, "_METHOD_OF", unknown)
    assert "fs/unheardOf" not in FILE_METHODS
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    def work(files: RemoteFiles) -> None:
        assert files.resolved(tmp_path / "real/new") == tmp_path / "real/new"
        with pytest.raises(OSError, match=r"link is a link, and the service cannot follow it"):
            files.resolved(tmp_path / "link/new")

    await with_files(client, work)


@pytest.mark.skipif(probe.facts().mechanism == "none", reason="no sandbox on this machine")
async def test_confined_changes_stay_where_the_policy_lets_them(
    client: ExecServerClient, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "door").symlink_to(tmp_path)
    more = tmp_path / "more"
    more.mkdir()
    policy = WorkspaceWriteSandboxPolicy(
        writable_roots=[str(more)], exclude_slash_tmp=True, exclude_tmpdir_env_var=True
    )

    def work(files: RemoteFiles) -> None:
        files.confine(permission_profile(policy), project)
        files.write(project / "in.txt", b"in\n", None)
        files.write(more / "in.txt", b"in\n", None)
        for path in (tmp_path / "out.txt", project / "door/out.txt", project / ".git/config"):
            with pytest.raises(OSError, match=r"Read-only|ermission"):
                files.write(path, b"out\n", None)

    await with_files(client, work)
    assert (project / "in.txt").read_text() == (more / "in.txt").read_text() == "in\n"
    assert not (tmp_path / "out.txt").exists()
    assert not (project / ".git/config").exists()


async def test_what_was_given_up_changes_nothing_more(
    client: ExecServerClient, tmp_path: Path
) -> None:
    def work(files: RemoteFiles) -> None:
        files.give_up()
        with pytest.raises(OSError, match="nobody waits"):
            files.write(tmp_path / "late.txt", b"late\n", None)

    await with_files(client, work)
    assert not (tmp_path / "late.txt").exists()


async def test_a_connection_that_ends_is_said_so(client: ExecServerClient, tmp_path: Path) -> None:
    await client.close()

    def work(files: RemoteFiles) -> None:
        with pytest.raises(OSError, match="exec-server transport closed"):
            files.read(tmp_path / "any")

    await with_files(client, work)


async def test_a_service_that_does_not_answer_is_waited_for_once(
    client: ExecServerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_files, "LONGEST_CALL_SECONDS", 0.05)
    client.pause()
    (tmp_path / "file").touch()

    def work(files: RemoteFiles) -> None:
        # The answer to one call may be on its way already when the pause begins.
        with pytest.raises(OSError, match="no answer from the service within"):
            [files.read(tmp_path / "file") for _ in range(3)]
        with pytest.raises(OSError, match="nobody waits"):
            files.read(tmp_path / "file")

    await with_files(client, work)


async def test_a_service_that_wants_uris_gets_them_in_the_sandbox_too(
    client: ExecServerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bytes] = []

    async def noted(method: str, params: FileParams, kind: type[Body]) -> Body:
        told.append(bytes(params.sandbox))
        return kind()

    monkeypatch.setattr(client, "call", noted)
    policy = WorkspaceWriteSandboxPolicy(writable_roots=["/srv/more"])

    def work(files: RemoteFiles) -> None:
        files.confine(permission_profile(policy), Path("/srv/project"))
        files.write(tmp_path / "any", b"", None)

    await with_files(client, work)
    said = "file:///srv/" if client.names_places_by_uri else "/srv/"
    assert len(told) == 2
    for sandbox in told:
        assert f'"path":"{said}more"'.encode() in sandbox
        assert f'"cwd":"{said}project"'.encode() in sandbox
