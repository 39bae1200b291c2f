"""Permission profiles chosen by name: told to the client, held for commands, patches and pictures.

What is answered, and refused with which words, is what `codex app-server` 0.128 answers.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.client.client import Client
from app_server.config import load
from app_server.demo.provider import ScriptedModel
from app_server.protocol.command_exec import COMMAND_EXEC, CommandExecParams
from app_server.protocol.errors import RpcError
from app_server.protocol.permissions import (
    AdditionalWritableRootPermissionProfileModificationParams,
    ManagedPermissionProfile,
    ProfilePermissionProfileSelectionParams,
    ReadOnlySandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox import probe
from tests.server.connector import EXPERIMENTAL, Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    calls_tool,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

PROFILE = """
[permissions.mine.filesystem]
":root" = "read"
":project_roots" = { "." = "write", "docs" = "read", "**/*.key" = "none" }
"""


@pytest.fixture
async def client(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> Client:
    provider_toml(model, home=codex_home)
    file = codex_home / "config.toml"
    file.write_text(f'default_permissions = ":read-only"\n{file.read_text()}{PROFILE}')
    (workspace / "docs").mkdir()
    (workspace / "a.key").write_text("content")
    return await connect(capabilities=EXPERIMENTAL)


@pytest.fixture
def confines() -> None:
    if probe.facts().mechanism in ("none", "landlock"):
        pytest.skip("only Landlock or nothing is here to confine a command")


def profile(name: str, *folders: str) -> ProfilePermissionProfileSelectionParams:
    more = [AdditionalWritableRootPermissionProfileModificationParams(path=f) for f in folders]
    return ProfilePermissionProfileSelectionParams(id=name, modifications=[*more])


async def begin(client: Client, workspace: Path, **settings: Any) -> Conversation:
    return await Conversation.begin(client, cwd=str(workspace), approval_policy="never", **settings)


def facts(thread: Conversation) -> dict[str, Any]:
    assert thread.started is not None
    told: dict[str, Any] = msgspec.to_builtins(thread.started)
    return told


async def test_where_nothing_was_chosen_the_profile_that_holds_is_told(
    client: Client, workspace: Path, codex_home: Path
) -> None:
    async def active(**settings: Any) -> Any:
        told = facts(await begin(client, workspace, **settings))["activePermissionProfile"]
        return told and told["id"]

    (codex_home / "config.toml").write_text("")
    assert await active() == ":read-only"
    assert await active(sandbox="read-only") is None
    assert await active(config={"sandbox_mode": "read-only"}) is None
    assert await active(sandbox="workspace-write") is None  # which trusts the folder
    assert await active() == ":workspace"


async def test_a_profile_of_ones_own_is_told_in_full_and_in_short(
    client: Client, workspace: Path, codex_home: Path
) -> None:
    told = facts(await begin(client, workspace, permissions=profile("mine", "/var/other")))
    entries = told["permissionProfile"]["fileSystem"]["entries"]
    assert [entry["access"] for entry in entries] == [
        *("none", "write", "read", "read", "write", "write")
    ]
    assert told["activePermissionProfile"] == {
        "id": "mine",
        "extends": None,
        "modifications": [{"type": "additionalWritableRoot", "path": "/var/other"}],
    }
    assert told["sandbox"] == {
        "type": "workspaceWrite",
        "writableRoots": [f"{codex_home}/memories", "/var/other"],
        "networkAccess": False,
        "excludeTmpdirEnvVar": True,
        "excludeSlashTmp": True,
    }


async def test_a_folder_may_be_added_to_a_built_in_profile(
    client: Client, workspace: Path, codex_home: Path
) -> None:
    writes = facts(await begin(client, workspace, permissions=profile(":workspace", "/other")))
    assert writes["sandbox"]["writableRoots"] == ["/other", f"{codex_home}/memories"]
    reads = facts(await begin(client, workspace, permissions=profile(":read-only", "/other")))
    assert reads["sandbox"] == {
        "type": "workspaceWrite",
        "writableRoots": ["/other"],
        "networkAccess": False,
        "excludeTmpdirEnvVar": True,
        "excludeSlashTmp": True,
    }
    assert len(reads["permissionProfile"]["fileSystem"]["entries"]) == 2


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            {"permissions": profile("nope")},
            "failed to load configuration: default_permissions refers to undefined profile `nope`",
        ),
        (
            {"permissions": profile("mine"), "sandbox": "read-only"},
            "`permissions` cannot be combined with `sandbox`",
        ),
    ],
)
async def test_a_profile_that_cannot_be_meant_is_refused(
    client: Client, workspace: Path, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(RpcError) as refused:
        await begin(client, workspace, **settings)
    assert str(refused.value) == complaint


async def test_a_turn_that_names_a_profile_nobody_knows_is_refused(
    client: Client, workspace: Path
) -> None:
    thread = await begin(client, workspace)
    with pytest.raises(RpcError, match="refers to undefined profile `nope`"):
        await thread.say("Go.", permissions=profile("nope"))
    with pytest.raises(RpcError, match="`permissions` cannot be combined with `sandboxPolicy`"):
        await thread.say("Go.", permissions="mine", sandbox_policy=ReadOnlySandboxPolicy())


async def test_an_administrators_demand_holds_for_profiles_too(
    client: Client, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "requirements.toml").write_text('allowed_sandbox_modes = ["read-only"]\n')
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder)
    thread = await begin(client, workspace, permissions=profile("mine"))
    told = facts(thread)
    assert (told["sandbox"]["type"], told["activePermissionProfile"]) == ("readOnly", None)
    with pytest.raises(RpcError, match='"workspace-write" is not allowed'):
        await thread.say("Go.", permissions="mine")


async def test_nor_do_added_folders_or_a_profile_that_opens_everything_step_around_it(
    client: Client, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    demands = folder / "requirements.toml"
    demands.write_text('allowed_sandbox_modes = ["read-only"]\n')
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder)
    with pytest.raises(RpcError, match='"workspace-write" is not allowed'):
        await begin(client, workspace, permissions=profile(":read-only", str(tmp_path)))
    demands.write_text('allowed_sandbox_modes = ["read-only", "workspace-write"]\n')
    for name in (":read-only", ":workspace"):
        with pytest.raises(RpcError, match='"danger-full-access" is not allowed'):
            await begin(client, workspace, permissions=profile(name, "/"))
    thread = await begin(client, workspace)
    everything = WorkspaceWriteSandboxPolicy(writable_roots=["/"])
    with pytest.raises(RpcError, match='"danger-full-access" is not allowed'):
        await thread.say("Go.", sandbox_policy=everything)


LINE = "cat a.key; echo x > docs/x; echo y > y"


async def test_commands_are_held_by_the_profile_of_their_turn(
    confines: None, client: Client, model: ScriptedModel, workspace: Path
) -> None:
    thread = await begin(client, workspace)
    model.script(runs_command(LINE), says("Done."))
    await thread.say("Go.", permissions=profile("mine"))
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    output = str((await requests_seen(model, 2))[-1].input[-1])
    assert "content" not in output.replace("content_", "")
    assert "Permission denied" in output
    assert sorted(path.name for path in workspace.iterdir()) == ["a.key", "docs", "y"]
    assert list((workspace / "docs").iterdir()) == []


async def test_patches_and_pictures_are_held_by_it_as_well(
    client: Client, model: ScriptedModel, workspace: Path
) -> None:
    thread = await begin(client, workspace, permissions=profile("mine"))
    for name in ("docs/page", "b.key"):
        patch = f"*** Begin Patch\n*** Add File: {name}\n+x\n*** End Patch"
        model.script(calls_tool("apply_patch", {"input": patch}), says("Done."))
        await thread.say("Write.")
        await thread.ended()
        assert not (workspace / name).exists()
    model.script(calls_tool("view_image", {"path": "a.key"}), says("Done."))
    await thread.say("Look.")
    await thread.ended()
    assert "may not be read" in str((await requests_seen(model, 6))[-1].input[-1])


async def test_the_stored_turn_says_which_profile_held(
    client: Client, model: ScriptedModel, workspace: Path
) -> None:
    thread = await begin(client, workspace, permissions=profile("mine"))
    model.script(says("Done."))
    await thread.say("Go.")
    await thread.ended()
    lines = [msgspec.json.decode(line) for line in thread.path.read_bytes().splitlines()]
    stored = next(line["payload"] for line in lines if line["type"] == "turn_context")
    assert stored["permission_profile"]["file_system"]["entries"][0]["access"] == "none"
    assert stored["permission_profile"]["network"] == "restricted"


async def test_a_command_without_a_thread_takes_a_profile(
    confines: None, client: Client, workspace: Path
) -> None:
    restricted = msgspec.convert(
        {
            "type": "managed",
            "network": {"enabled": False},
            "fileSystem": {
                "type": "restricted",
                "entries": [
                    {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"},
                    {
                        "path": {
                            "type": "special",
                            "value": {"kind": "project_roots", "subpath": "docs"},
                        },
                        "access": "write",
                    },
                ],
            },
        },
        ManagedPermissionProfile,
    )
    params = CommandExecParams(
        command=["sh", "-c", "echo x > docs/x; echo y > y"],
        cwd=str(workspace),
        permission_profile=restricted,
    )
    async with asyncio.timeout(PROCESS_WAIT_SECONDS):
        done = await client.request(COMMAND_EXEC, params)
    assert "Read-only file system" in done.stderr
    assert (workspace / "docs" / "x").exists()
    assert not (workspace / "y").exists()
    both = msgspec.structs.replace(params, sandbox_policy=ReadOnlySandboxPolicy())
    with pytest.raises(RpcError, match="`permissionProfile` cannot be combined"):
        await client.request(COMMAND_EXEC, both)


async def test_a_program_that_the_configuration_names_confines_commands(
    confines: None, client: Client, model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    """Here our own, called by its interface; it notes that it was called."""
    program = codex_home / "confiner"
    ours = f"{shlex.quote(sys.executable)} -m app_server.cli.linux_sandbox"
    program.write_text(
        f'#!/bin/sh\necho called > {codex_home}/called\nPYTHONPATH={Path.cwd()} exec {ours} "$@"\n'
    )
    program.chmod(0o755)
    file = codex_home / "config.toml"
    file.write_text(f'codex_linux_sandbox_exe = "{program}"\n{file.read_text()}')
    thread = await begin(client, workspace, permissions=profile("mine"))
    model.script(runs_command(LINE), says("Done."))
    await thread.say("Go.")
    await thread.ended(PROCESS_WAIT_SECONDS)
    assert (codex_home / "called").exists()
    assert "Permission denied" in str((await requests_seen(model, 2))[-1].input[-1])
    assert sorted(path.name for path in workspace.iterdir()) == ["a.key", "docs", "y"]
