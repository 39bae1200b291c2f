"""A turn whose commands run in a process service elsewhere looks like one at home."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.exec.remote import RemoteEnvironment
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, runs_command, says

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import sys; from app_server.exec_server.server import serve; sys.exit(serve(sys.argv[1]))"


@pytest.fixture
def service_url() -> Iterator[str]:
    """A process service behind a websocket."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "ws://127.0.0.1:0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    yield process.stderr.readline().rpartition(" ")[2].strip()
    process.terminate()
    process.wait(PROCESS_WAIT_SECONDS)
    process.stderr.close()


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
    told = thread.told()
    await connect.leave()
    return told


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
