"""A turn whose commands run in a process service elsewhere looks like one at home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.exec.remote import RemoteEnvironment
from app_server.protocol.errors import RpcError
from app_server.protocol.item_deltas import ITEM_COMMAND_EXECUTION_OUTPUT_DELTA
from app_server.protocol.turn import TurnEnvironmentParams
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import NOISE, PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    calls_tool,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)
from tests.support.process_service import process_service


@pytest.fixture
def service_url() -> Iterator[str]:
    with process_service() as url:
        yield url


async def heard_of_a_turn(server: Server, model: ScriptedModel, workspace: Path) -> list[str]:
    connect = Connector(server, through_json=False)
    model.script(
        runs_command("echo oops >&2; exit 3", call_id="call_1"),
        runs_command("pwd", call_id="call_2"),
        says("Done."),
    )
    thread = await Conversation.begin(
        await connect(),
        cwd=str(workspace),
        approval_policy="never",
        sandbox="danger-full-access",
    )
    await thread.say("Run.")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    reply = calls_tool(
        "write_stdin",
        {"session_id": "${SID}", "chars": "yes\n"},
        capture={"SID": "session ID ([0-9]+)"},
    )
    asks = runs_command("read answer; test $answer = yes", tty=True, yield_time_ms=0)
    model.script(asks, reply, says("Done."))
    await thread.say("Ask.")
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    model.script(runs_command("echo begun; sleep 60"))
    turn_id = await thread.say("Wait.")
    await thread.until(
        ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, lambda params: params.delta == "begun\n"
    )
    await thread.interrupt(turn_id)
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "interrupted"
    # In how many pieces a terminal delivers its output is nobody's promise.
    pieces = thread.params_of(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA)
    output = "".join(piece.delta for piece in pieces)
    told = thread.told(without=NOISE | {ITEM_COMMAND_EXECUTION_OUTPUT_DELTA.name})
    await connect.leave()
    return [*told, output]


async def test_a_turn_tells_the_same_wherever_its_commands_run(
    service_url: str,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider_toml(model, home=codex_home)
    options = ServerOptions(codex_home=codex_home, cwd=workspace)
    async with Server(options) as server:
        here = await heard_of_a_turn(server, model, workspace)
    monkeypatch.setenv("CODEX_EXEC_SERVER_URL", service_url)
    async with Server(options) as server:
        there = await heard_of_a_turn(server, model, workspace)
        assert isinstance(await server.services.environment(), RemoteEnvironment)
    assert there == here
    assert "item/completed" in " ".join(here)


async def test_a_turn_names_the_place_its_commands_run_in(
    service_url: str, model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    (codex_home / "environments.toml").write_text(
        f'[[environments]]\nid = "box"\nurl = "{service_url}"\n'
    )
    folder = workspace / "there"
    folder.mkdir()
    async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as server:
        connect = Connector(server, through_json=False)
        box = TurnEnvironmentParams(environment_id="box", cwd=str(folder))
        thread = await Conversation.begin(
            await connect(),
            cwd=str(workspace),
            approval_policy="never",
            sandbox="danger-full-access",
            environments=[box],
        )
        model.script(runs_command("pwd; echo $PPID"), says("Done."))
        await thread.say("Run.")
        assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
        output = (await requests_seen(model, 2))[-1].body["input"][-1]["output"]
        assert f"Output:\n{folder}\n" in output
        environment = await server.services.environment("box")
        assert isinstance(environment, RemoteEnvironment)
        assert environment.is_connected
        unknown = TurnEnvironmentParams(environment_id="nope", cwd="/")
        with pytest.raises(RpcError, match="unknown turn environment id `nope`"):
            await thread.say("Run.", environments=[unknown])
        model.script(says("Nothing to do it with."))
        await thread.say("Run.", environments=[])
        await thread.ended()
        offered = [tool.get("name") for tool in (await requests_seen(model, 3))[-1].body["tools"]]
        assert "update_plan" in offered
        assert not {"exec_command", "write_stdin", "apply_patch", "view_image"} & set(offered)
        await connect.leave()
