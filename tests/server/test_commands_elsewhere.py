"""Commands on another machine are confined by the service there, with the paths and means it has.

The service runs in a view of the file system of its own, in which the workspace is another folder.
"""

import json
import os
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    CommandExecutionRequestApprovalResponse,
)
from app_server.protocol.command_exec import COMMAND_EXEC, CommandExecParams
from app_server.protocol.errors import RpcError
from app_server.protocol.notices import WARNING
from app_server.protocol.permissions import ReadOnlySandboxPolicy, WorkspaceWriteSandboxPolicy
from app_server.protocol.turn import TurnEnvironmentParams
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    calls_tool,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

WORKSPACE_ALONE = WorkspaceWriteSandboxPolicy(exclude_slash_tmp=True, exclude_tmpdir_env_var=True)


async def begun(connect: Connector, workspace: Path, **settings: Any) -> Conversation:
    chosen = {"approval_policy": "never", "sandbox": "workspace-write", **settings}
    return await Conversation.begin(await connect(), cwd=str(workspace), **chosen)


async def ran(
    thread: Conversation, model: ScriptedModel, line: str, *, tty: bool = False, **settings: Any
) -> str:
    """What the model is told of a command nobody is asked about."""
    model.script(runs_command(line, tty=tty), says("Done."))
    before = len(model.requests)
    await thread.say("Run.", **settings)
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    output = (await requests_seen(model, before + 2))[-1].body["input"][-1]["output"]
    return str(output)


async def asked(thread: Conversation) -> Any:
    return await thread.until(
        ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL, within_seconds=PROCESS_WAIT_SECONDS
    )


async def accept(thread: Conversation, question: Any) -> None:
    response = CommandExecutionRequestApprovalResponse(decision="accept")
    await thread.client.answer(question.id, response)


async def test_the_workspace_there_is_what_a_confined_command_may_write(
    elsewhere: Connector, model: ScriptedModel, workspace: Path, there: Path, tmp_path: Path
) -> None:
    (workspace / ".agents/skills").mkdir(parents=True)  # here alone
    (there / ".git").mkdir()
    thread = await begun(elsewhere, workspace)
    outside = tmp_path / "outside"
    line = f"echo hi > in; echo no > .git/config; echo no > {outside}; echo $?"
    told = await ran(thread, model, line, sandbox_policy=WORKSPACE_ALONE)
    assert (there / "in").read_text() == "hi\n"
    assert "in" not in os.listdir(workspace)
    assert os.listdir(there / ".git") == []
    assert not outside.exists()
    assert told.count("Read-only file system") == 2


@pytest.mark.parametrize("tool", ["exec_command", "shell"])
async def test_what_the_sandbox_there_stopped_runs_outside_once_somebody_agrees(
    elsewhere: Connector, model: ScriptedModel, workspace: Path, there: Path, tool: str
) -> None:
    thread = await begun(elsewhere, workspace, approval_policy="on-failure", sandbox="read-only")
    arguments = {"exec_command": {"cmd": "touch a"}, "shell": {"command": ["touch", "a"]}}
    model.script(calls_tool(tool, arguments[tool]), says("Done."))
    await thread.say("Run.")
    question = await asked(thread)
    assert question.params.reason == "command failed; retry without sandbox?"
    assert os.listdir(there) == []
    await accept(thread, question)
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    assert os.listdir(there) == ["a"]


async def test_a_confined_command_in_a_terminal_there_has_no_network(
    elsewhere: Connector, model: ScriptedModel, workspace: Path
) -> None:
    thread = await begun(elsewhere, workspace)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port})); print('through')"
        line = f"{shlex.quote(sys.executable)} -I -S -c {shlex.quote(code)}"
        assert "through" not in await ran(thread, model, line, tty=True)
        policy = WorkspaceWriteSandboxPolicy(network_access=True)
        assert "through" in await ran(thread, model, line, tty=True, sandbox_policy=policy)


async def test_the_folder_a_turn_names_there_is_the_workspace_of_its_commands(
    elsewhere: Connector, model: ScriptedModel, workspace: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    place = TurnEnvironmentParams(environment_id="remote", cwd=str(other))
    thread = await begun(elsewhere, workspace, environments=[place])
    line = f"echo hi > in; echo no > {workspace}/out"
    told = await ran(thread, model, line, sandbox_policy=WORKSPACE_ALONE)
    assert (other / "in").read_text() == "hi\n"
    assert "Read-only file system" in told


async def test_a_command_without_a_thread_is_confined_there_too(
    elsewhere: Connector, workspace: Path, there: Path
) -> None:
    client = await elsewhere()

    async def code(**settings: Any) -> int:
        params = CommandExecParams(command=["touch", "a"], cwd=str(workspace), **settings)
        return (await client.request(COMMAND_EXEC, params)).exit_code

    assert await code(sandbox_policy=ReadOnlySandboxPolicy()) == 1
    assert os.listdir(there) == []
    assert await code(sandbox_policy=WORKSPACE_ALONE) == 0
    assert os.listdir(there) == ["a"]


async def test_a_command_there_finds_the_variables_of_that_machine(
    elsewhere: Connector,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HERE_ALONE", "a key of this machine")  # the service began before
    with (codex_home / "config.toml").open("a") as config:
        config.write('[shell_environment_policy]\nexclude = ["LOGNAME"]\nset = { MINE = "set" }\n')
    thread = await begun(elsewhere, workspace)
    line = 'echo "<$HERE_ALONE|$MINE|$PAGER|$CODEX_THREAD_ID|${HOME:+a home}>"'
    assert f"<|set|cat|{thread.thread_id}|a home>" in await ran(thread, model, line)

    params = CommandExecParams(
        command=["sh", "-c", 'echo "<$HERE_ALONE|$GIVEN|${MINE-gone}|${HOME:+a home}>"'],
        env={"GIVEN": "g", "MINE": None},
    )
    answer = await (await elsewhere()).request(COMMAND_EXEC, params)
    assert answer.stdout == "<|g|gone|a home>\n"


def choose_permissions(codex_home: Path, tables: str) -> None:
    """Make the profile `mine` of these tables the default."""
    file = codex_home / "config.toml"
    file.write_text(f'default_permissions = "mine"\n{file.read_text()}{tables}')


async def test_what_a_profile_hides_is_hidden_there(
    elsewhere: Connector, model: ScriptedModel, codex_home: Path, workspace: Path, there: Path
) -> None:
    choose_permissions(
        codex_home,
        '[permissions.mine.filesystem]\n":root" = "read"\n'
        '":project_roots" = {"." = "write", "secret" = "none"}\n',
    )
    (there / "secret").write_text("told\n")
    thread = await begun(elsewhere, workspace, sandbox=None)
    output = await ran(thread, model, "cat secret; echo hi > in")
    assert "secret: Permission denied" in output
    assert "told" not in output
    assert (there / "in").read_text() == "hi\n"


async def test_permissions_that_judge_hosts_are_refused_there(
    elsewhere: Connector, model: ScriptedModel, codex_home: Path, workspace: Path, there: Path
) -> None:
    choose_permissions(
        codex_home,
        '[permissions.mine.filesystem]\n":root" = "read"\n":project_roots" = "write"\n'
        "[permissions.mine.network]\nenabled = true\n"
        '[permissions.mine.network.domains]\n"example.com" = "allow"\n',
    )
    thread = await begun(elsewhere, workspace, sandbox=None)
    told = await ran(thread, model, "touch a")
    assert "the permissions judge hosts one by one" in told
    assert "Choose permissions whose network is off or on as a whole." in told
    assert os.listdir(there) == []


class ScriptedService:
    """A process service that says `hello` when it is greeted and ends every command at once."""

    def __init__(self, hello: dict[str, Any], started: dict[str, Any], **end: Any) -> None:
        self.commands: list[dict[str, Any]] = []
        self.ended: list[str] = []
        self.hello = hello
        self._started = started
        self._end = end

    async def converse(self, socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            method, params = message["method"], message.get("params", {})
            if method == "initialize":
                await self._answer(socket, message, self.hello)
            elif method == "process/start":
                self.commands.append(params)
                named = {"processId": params["processId"]}
                await self._answer(socket, message, {**named, **self._started})
                for kind, more in (("exited", {"exitCode": 1, **self._end}), ("closed", {})):
                    note = {"method": f"process/{kind}", "params": {**named, **more}}
                    await socket.send(json.dumps(note))
            elif method == "process/terminate":
                self.ended.append(params["processId"])
                await self._answer(socket, message, {"running": True})

    async def _answer(
        self, socket: ServerConnection, message: dict[str, Any], result: dict[str, Any]
    ) -> None:
        await socket.send(json.dumps({"id": message["id"], "result": result}))


@pytest.fixture
async def scripted(
    request: pytest.FixtureRequest,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[ScriptedService, Connector]]:
    service: ScriptedService = request.param()
    provider_toml(model, home=codex_home)
    async with serve(service.converse, "127.0.0.1", 0) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        monkeypatch.setenv("CODEX_EXEC_SERVER_URL", f"ws://127.0.0.1:{port}")
        async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as server:
            connector = Connector(server, through_json=False)
            yield service, connector
            await connector.leave()


def of_v0() -> ScriptedService:
    return ScriptedService({"protocolVersion": "exec-server.v0"}, {})


def of_release_128() -> ScriptedService:
    return ScriptedService({"sessionId": "s"}, {})


def that_forgets_it() -> ScriptedService:
    return ScriptedService({"sessionId": "s", "environmentInfo": {}}, {"sandboxType": "none"})


def of_release_169() -> ScriptedService:
    started = {"sandboxType": "linuxSeccomp"}
    return ScriptedService({"sessionId": "s", "environmentInfo": {}}, started, sandboxDenied=True)


@pytest.mark.parametrize("scripted", [of_v0, of_release_128, of_release_169], indirect=True)
async def test_only_a_service_that_gives_variables_of_its_own_is_not_sent_ours(
    scripted: tuple[ScriptedService, Connector],
    model: ScriptedModel,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, connect = scripted
    monkeypatch.setenv("HERE_ALONE", "a key of this machine")
    thread = await begun(connect, workspace, sandbox="danger-full-access")
    await ran(thread, model, "echo hi")
    (command,) = service.commands
    assert command["env"]["CODEX_THREAD_ID"] == thread.thread_id
    is_ours = "HERE_ALONE" in command["env"] and "PATH" in command["env"]
    assert is_ours == ("sessionId" not in service.hello)
    assert is_ours == (command.get("envPolicy") is None)


WITHOUT_SANDBOXES = pytest.mark.parametrize("scripted", [of_v0, of_release_128], indirect=True)


@WITHOUT_SANDBOXES
async def test_a_service_that_applies_no_sandbox_is_sent_no_command_that_needs_one(
    scripted: tuple[ScriptedService, Connector], model: ScriptedModel, workspace: Path
) -> None:
    service, connect = scripted
    thread = await begun(connect, workspace)
    for _ in range(2):
        told = await ran(thread, model, "echo hi")
        assert "is of a release that cannot apply a sandbox" in told
        assert "Run `codex exec-server` of this release there" in told
    (warning,) = thread.params_of(WARNING)
    assert warning.message in told
    params = CommandExecParams(command=["true"], sandbox_policy=WORKSPACE_ALONE)
    with pytest.raises(RpcError, match="cannot apply a sandbox"):
        await thread.client.request(COMMAND_EXEC, params)
    assert service.commands == []


@WITHOUT_SANDBOXES
async def test_such_a_command_runs_there_without_a_sandbox_once_somebody_agrees(
    scripted: tuple[ScriptedService, Connector], model: ScriptedModel, workspace: Path
) -> None:
    service, connect = scripted
    thread = await begun(connect, workspace, approval_policy="on-request")
    model.script(runs_command("touch a"), says("Done."))
    await thread.say("Run.")
    question = await asked(thread)
    assert "would run without a sandbox" in question.params.reason
    assert "cannot apply a sandbox" in question.params.reason
    assert service.commands == []
    await accept(thread, question)
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    (command,) = service.commands
    assert command["argv"][-1] == "touch a"
    assert command["sandbox"] is None


@pytest.mark.parametrize("scripted", [that_forgets_it], indirect=True)
async def test_a_command_whose_sandbox_was_not_applied_is_ended(
    scripted: tuple[ScriptedService, Connector], model: ScriptedModel, workspace: Path
) -> None:
    service, connect = scripted
    told = await ran(await begun(connect, workspace), model, "touch a")
    assert "did not apply the sandbox it was given" in told
    assert service.ended == [command["processId"] for command in service.commands] != []


@pytest.mark.parametrize("scripted", [of_release_169], indirect=True)
async def test_what_a_service_says_of_its_sandbox_leads_to_the_question(
    scripted: tuple[ScriptedService, Connector], model: ScriptedModel, workspace: Path
) -> None:
    service, connect = scripted
    thread = await begun(connect, workspace, approval_policy="on-failure")
    model.script(runs_command("touch a"), says("Done."))
    await thread.say("Run.")
    await accept(thread, await asked(thread))
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    confined, free = service.commands
    assert confined["argv"] == free["argv"]
    assert confined["sandbox"]["cwd"] == confined["cwd"] == f"file://{workspace}"
    assert confined["sandbox"]["permissions"]["network"] == "restricted"
    assert free["sandbox"] is None
