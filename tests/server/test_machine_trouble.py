"""What the machine does to a server: kill -9, a home that cannot be written, a careless umask."""

import os
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from tests.server.test_stdio_server import BOUND_SECONDS, INITIALIZE, Program
from tests.support.model_server import (
    in_one_answer,
    provider_toml,
    runs_command,
    says,
    says_slowly,
)


@pytest.fixture
def programs(codex_home: Path) -> Iterator[Any]:
    """Starts servers on the one home; those still running in the end are ended."""
    made: list[Program] = []

    def start() -> Program:
        made.append(Program(codex_home))
        made[-1].send(INITIALIZE)
        made[-1].answer_to(1)
        return made[-1]

    yield start
    for program in made:
        program.process.kill()
        program.process.communicate()


def ask(program: Program, method: str, **params: Any) -> dict[str, Any]:
    """The answer to a call."""
    program.send({"id": method, "method": method, "params": params})
    answer: dict[str, Any] = program.answer_to(method)["result"]
    return answer


def begin_turn(program: Program, workspace: Path) -> str:
    """The id of a new thread in which a turn runs."""
    free = {"approvalPolicy": "never", "sandbox": "danger-full-access"}
    thread: str = ask(program, "thread/start", cwd=str(workspace), **free)["thread"]["id"]
    ask(program, "turn/start", threadId=thread, input=[{"type": "text", "text": "go"}])
    return thread


@pytest.mark.parametrize("deltas_before_the_end", [1, 40])
def test_after_kill_9_in_mid_turn_every_item_a_client_saw_is_there_and_the_next_turn_works(
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    programs: Any,
    deltas_before_the_end: int,
) -> None:
    provider_toml(model, home=codex_home)
    model.script(
        in_one_answer(says("first"), says("second"), runs_command("echo third")),
        in_one_answer(says("fourth"), says_slowly(100_000)),
        says("well"),
    )
    program = programs()
    thread = begin_turn(program, workspace)
    seen: list[str] = []
    deltas = 0
    while deltas < deltas_before_the_end or "fourth" not in seen:
        message = program.receive()
        if message.get("method") == "item/completed":
            item = message["params"]["item"]
            seen.append(item.get("text") or item["type"])
        deltas += message.get("method") == "item/agentMessage/delta" and "fourth" in seen
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait(BOUND_SECONDS)

    survivor = programs()
    [turn] = ask(survivor, "thread/resume", threadId=thread)["thread"]["turns"]
    assert turn["status"] == "interrupted"
    said = [item["text"] for item in turn["items"] if item["type"] == "agentMessage"]
    assert said[:3] == ["first", "second", "fourth"]
    ask(survivor, "turn/start", threadId=thread, input=[{"type": "text", "text": "how are you"}])
    while (message := survivor.receive()).get("method") != "turn/completed":
        pass
    assert message["params"]["turn"]["status"] == "completed"
    newest = ask(survivor, "thread/read", threadId=thread, includeTurns=True)["thread"]["turns"][-1]
    assert newest["items"][-1]["text"] == "well"


READ_ONLY = ["bwrap", "--dev-bind", "/", "/", "--ro-bind"]


def can_be_made_read_only() -> bool:
    probe = [*READ_ONLY, "/tmp", "/tmp", "true"]
    return bool(shutil.which("bwrap")) and not subprocess.run(probe, capture_output=True).returncode


@pytest.mark.sandbox
def test_on_a_read_only_home_the_server_says_so_and_threads_live_in_memory(
    model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    if not can_be_made_read_only():
        pytest.skip("no bubblewrap to make a folder read-only for root too")
    provider_toml(model, home=codex_home)
    model.script(says("hello"), says("again"))
    before = sorted(codex_home.iterdir())
    program = Program(codex_home, [*READ_ONLY, str(codex_home), str(codex_home)])
    program.send(INITIALIZE)
    program.answer_to(1)
    told = program.receive()
    assert told["method"] == "configWarning"
    assert "can be stored" in told["params"]["summary"]
    for settings in ({}, {"ephemeral": True}):
        thread = ask(program, "thread/start", cwd=str(workspace), **settings)["thread"]["id"]
        ask(program, "turn/start", threadId=thread, input=[{"type": "text", "text": "hi"}])
        while (message := program.receive()).get("method") != "turn/completed":
            pass
        assert message["params"]["turn"]["status"] == "completed"
    program.end()
    assert program.process.returncode == 0
    assert sorted(codex_home.iterdir()) == before


def test_nothing_in_the_home_is_open_to_others_whatever_the_umask(
    model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    model.script(says("hello"))
    given = set(codex_home.iterdir())
    program = Program(codex_home, ["sh", "-c", 'umask 0; exec "$@"', "sh"])
    program.send(INITIALIZE)
    program.answer_to(1)
    ask(program, "account/login/start", type="apiKey", apiKey="sk-secret")
    begin_turn(program, workspace)
    while program.receive().get("method") != "turn/completed":
        pass
    program.end()
    made = [path for path in codex_home.rglob("*") if path not in given]
    assert {path.name for path in made} > {"auth.json", "sessions", "installation_id"}
    assert [str(path) for path in made if path.stat().st_mode & 0o077] == []


def test_servers_on_one_home_lose_no_setting_that_was_acknowledged(
    codex_home: Path, programs: Any
) -> None:
    servers = [programs() for _ in range(3)]
    for turn in range(10):
        for number, server in enumerate(servers):
            edit = {"keyPath": f"profiles.s{number}.model", "value": f"m{turn}"}
            server.send({"id": turn, "method": "config/value/write",
                         "params": {**edit, "mergeStrategy": "replace"}})  # fmt: skip
    for server in servers:
        for turn in range(10):
            answer = server.answer_to(turn)
            assert answer["result"]["status"] == "ok", answer
    profiles = tomllib.loads((codex_home / "config.toml").read_text())["profiles"]
    assert profiles == {f"s{number}": {"model": "m9"} for number in range(3)}
