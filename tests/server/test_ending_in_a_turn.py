"""What is left of a running turn when its server ends."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from tests.exec_server.stdio_peer import eventually
from tests.server.test_stdio_server import BOUND_SECONDS, INITIALIZE, Program
from tests.support.model_server import model, provider_toml, runs_command

__all__ = ["model"]

MARK = f"31.{os.getpid()}"
"""An odd number of seconds to sleep, by which the command is found among all processes."""

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")


def commands_running() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue  # it has ended meanwhile
    return [line for line in found if line.startswith(f"sleep\0{MARK}".encode())]


@pytest.fixture
def program(model: ScriptedModel, codex_home: Path, workspace: Path) -> Any:
    """A server in the middle of a turn whose command is running."""
    provider_toml(model, home=codex_home)
    model.script(runs_command(f"sleep {MARK}; echo done"))
    made = Program(codex_home)
    made.send(INITIALIZE)
    start = {"cwd": str(workspace), "approvalPolicy": "never", "sandbox": "danger-full-access"}
    made.send({"id": 2, "method": "thread/start", "params": start})
    thread = made.answer_to(2)["result"]["thread"]
    turn = {"threadId": thread["id"], "input": [{"type": "text", "text": "go"}]}
    made.send({"id": 3, "method": "turn/start", "params": turn})
    eventually(commands_running)
    made.rollout = Path(thread["path"])
    yield made
    made.process.kill()
    made.process.communicate()


def test_the_end_of_input_ends_the_turn_and_its_command(program: Program) -> None:
    program.end()
    assert program.process.returncode == 0
    eventually(lambda: not commands_running())
    lines = [json.loads(line) for line in program.rollout.read_text().splitlines()]
    assert any(line["payload"].get("type") == "function_call" for line in lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_signal_leaves_the_command_behind(program: Program, number: int) -> None:
    os.kill(program.process.pid, number)
    program.process.wait(BOUND_SECONDS)
    eventually(lambda: not commands_running())
