"""The fs methods."""

import base64
import os
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.protocol.errors import InternalError, InvalidRequest, RpcError
from app_server.protocol.fs import (
    FS_COPY,
    FS_CREATE_DIRECTORY,
    FS_GET_METADATA,
    FS_READ_DIRECTORY,
    FS_READ_FILE,
    FS_REMOVE,
    FS_WRITE_FILE,
    FsCopyParams,
    FsCreateDirectoryParams,
    FsGetMetadataParams,
    FsReadDirectoryEntry,
    FsReadDirectoryParams,
    FsReadFileParams,
    FsRemoveParams,
    FsWriteFileParams,
)
from tests.server.connector import Connector


@pytest.fixture
async def client(connect: Connector) -> Client:
    return await connect()


async def test_what_is_written_can_be_read(client: Client, workspace: Path) -> None:
    path = str(workspace / "bytes")
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    await client.request(FS_WRITE_FILE, FsWriteFileParams(path=path, data_base64=encoded))
    assert (workspace / "bytes").read_bytes() == content
    assert (await client.request(FS_READ_FILE, FsReadFileParams(path=path))).data_base64 == encoded


async def test_text_that_is_not_base64_is_refused_with_the_place(
    client: Client, workspace: Path
) -> None:
    params = FsWriteFileParams(path=str(workspace / "x"), data_base64="ab%=")
    with pytest.raises(InvalidRequest) as refused:
        await client.request(FS_WRITE_FILE, params)
    assert refused.value.message == (
        "fs/writeFile requires valid base64 dataBase64: Invalid symbol 37, offset 2."
    )
    assert not (workspace / "x").exists()


async def test_what_the_system_refuses_is_told_in_its_words(
    client: Client, workspace: Path
) -> None:
    for path, message in (
        (workspace / "missing", "No such file or directory (os error 2)"),
        (workspace, "Is a directory (os error 21)"),
    ):
        with pytest.raises(InternalError) as refused:
            await client.request(FS_READ_FILE, FsReadFileParams(path=str(path)))
        assert refused.value.message == message


async def test_a_pipe_or_device_is_not_waited_for(client: Client, workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    for path in (workspace / "pipe", Path("/dev/zero")):
        with pytest.raises(InvalidRequest, match="only reads regular files"):
            await client.request(FS_READ_FILE, FsReadFileParams(path=str(path)))
    params = FsWriteFileParams(path=str(workspace / "pipe"), data_base64="")
    with pytest.raises(InternalError):
        await client.request(FS_WRITE_FILE, params)


async def test_a_nul_in_a_path_is_refused(client: Client, workspace: Path) -> None:
    with pytest.raises(RpcError):
        await client.request(FS_READ_FILE, FsReadFileParams(path=f"{workspace}/a\0b"))


async def test_directories_are_made_listed_and_removed(client: Client, workspace: Path) -> None:
    deep = workspace / "a" / "b"
    await client.request(FS_CREATE_DIRECTORY, FsCreateDirectoryParams(path=str(deep)))
    with pytest.raises(InternalError, match="File exists"):
        await client.request(
            FS_CREATE_DIRECTORY, FsCreateDirectoryParams(path=str(deep), recursive=False)
        )
    (workspace / "a" / "file").touch()
    listed = await client.request(
        FS_READ_DIRECTORY, FsReadDirectoryParams(path=str(workspace / "a"))
    )
    assert sorted(listed.entries, key=lambda entry: entry.file_name) == [
        FsReadDirectoryEntry(file_name="b", is_directory=True, is_file=False),
        FsReadDirectoryEntry(file_name="file", is_directory=False, is_file=True),
    ]
    with pytest.raises(InternalError, match="Directory not empty"):
        await client.request(FS_REMOVE, FsRemoveParams(path=str(workspace / "a"), recursive=False))
    await client.request(FS_REMOVE, FsRemoveParams(path=str(workspace / "a")))
    assert list(workspace.iterdir()) == []


async def test_removing_what_is_not_there_fails_only_without_force(
    client: Client, workspace: Path
) -> None:
    missing = str(workspace / "missing")
    await client.request(FS_REMOVE, FsRemoveParams(path=missing))
    with pytest.raises(InternalError, match="No such file"):
        await client.request(FS_REMOVE, FsRemoveParams(path=missing, force=False))


async def test_removing_a_link_leaves_what_it_points_to(client: Client, workspace: Path) -> None:
    (workspace / "kept").mkdir()
    (workspace / "kept" / "file").touch()
    (workspace / "link").symlink_to(workspace / "kept")
    await client.request(FS_REMOVE, FsRemoveParams(path=str(workspace / "link")))
    assert (workspace / "kept" / "file").exists()


async def test_facts_of_a_file_a_folder_and_a_link(client: Client, workspace: Path) -> None:
    (workspace / "file").touch()
    (workspace / "link").symlink_to(workspace / "file")
    kinds = {}
    for name in ("file", "link", "."):
        found = await client.request(
            FS_GET_METADATA, FsGetMetadataParams(path=str(workspace / name))
        )
        kinds[name] = (found.is_file, found.is_directory, found.is_symlink)
        assert found.modified_at_ms > 0
    assert kinds == {
        "file": (True, False, False),
        "link": (True, False, True),
        ".": (False, True, False),
    }


async def test_trees_are_copied_links_as_links(client: Client, workspace: Path) -> None:
    source = workspace / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "file").write_text("text")
    (source / "link").symlink_to("inner/file")
    os.mkfifo(source / "pipe")
    copy = FsCopyParams(source_path=str(source), destination_path=str(workspace / "copy"))
    with pytest.raises(InvalidRequest, match="requires recursive: true"):
        await client.request(FS_COPY, copy)
    params = FsCopyParams(
        source_path=str(source), destination_path=str(workspace / "copy"), recursive=True
    )
    await client.request(FS_COPY, params)
    assert (workspace / "copy" / "inner" / "file").read_text() == "text"
    assert os.readlink(workspace / "copy" / "link") == "inner/file"
    assert not (workspace / "copy" / "pipe").exists()


@pytest.mark.parametrize("inside", [".", "inner", "inner/../new"])
async def test_a_tree_is_not_copied_into_itself(
    client: Client, workspace: Path, inside: str
) -> None:
    source = workspace / "source"
    (source / "inner").mkdir(parents=True)
    params = FsCopyParams(
        source_path=str(source), destination_path=f"{source}/{inside}", recursive=True
    )
    with pytest.raises(InvalidRequest, match="to itself or one of its descendants"):
        await client.request(FS_COPY, params)
