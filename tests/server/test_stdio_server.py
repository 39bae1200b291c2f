"""The server as a program of its own: bytes in, bytes out, and a prompt end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

INITIALIZE = {
    "id": 1,
    "method": "initialize",
    "params": {"clientInfo": {"name": "test", "version": "1.0.0"}},
}
BOUND_SECONDS = 30


class Program:
    """`codex app-server` as a child process, started by another command where one is given."""

    def __init__(self, codex_home: Path, starter: Sequence[str] = ()) -> None:
        self.rollout = codex_home
        self.process = subprocess.Popen(
            [*starter, sys.executable, "-m", "app_server.cli.main", "app-server"],
            env={**os.environ, "CODEX_HOME": str(codex_home), "RUST_LOG": "info"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def send(self, *messages: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        for message in messages:
            text = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.process.stdin.write(text + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def answer_to(self, request_id: int | str) -> dict[str, Any]:
        while True:
            message = self.receive()
            if message.get("id") == request_id:
                return message

    def end(self) -> list[dict[str, Any]]:
        """Close stdin and collect everything that is still written."""
        out, _ = self.process.communicate(timeout=BOUND_SECONDS)
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def program(codex_home: Path) -> Any:
    made = Program(codex_home)
    yield made
    made.process.kill()
    made.process.communicate()


def test_replies_to_everything_sent_before_the_end_of_input_are_written(program: Program) -> None:
    calls = [{"id": f"call {n}", "method": "model/list", "params": {}} for n in range(1000)]
    program.send(INITIALIZE, *calls)
    messages = program.end()
    answered = [message["id"] for message in messages if "id" in message]
    assert sorted(answered, key=str) == sorted([1, *(call["id"] for call in calls)], key=str)
    assert program.process.returncode == 0


def test_five_thousand_calls_sent_before_anything_is_read_are_all_answered(
    program: Program,
) -> None:
    calls = [{"id": n, "method": "model/list", "params": {}} for n in range(2, 5002)]
    program.send(INITIALIZE, *calls)  # would wait for ever if the server read no further
    messages = program.end()
    assert sorted(m["id"] for m in messages if "id" in m) == list(range(1, 5002))
    refusals = [message["error"] for message in messages if "error" in message]
    assert all(error["code"] == -32001 for error in refusals)
    assert all(error["data"] == {"codexErrorInfo": "server_overloaded"} for error in refusals)
    assert len(refusals) < 5000


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe\xfd", b"junk", b"[" * 50_000, b'{"id":9,"method":5}', b"{}", b"[1,2]", b"\x00"],
    ids=["not utf-8", "not json", "deep", "odd method", "nothing", "array", "nul"],
)
def test_a_line_that_cannot_be_read_costs_only_itself(program: Program, line: bytes) -> None:
    program.send(INITIALIZE, line, {"id": 2, "method": "model/list", "params": {}})
    messages = program.end()
    assert [m["id"] for m in messages if "id" in m] == [1, 2]


def test_a_message_of_64_megabytes_is_answered_and_its_memory_given_back(program: Program) -> None:
    program.send(INITIALIZE, {"id": 2, "method": "model/list", "params": {}})
    program.answer_to(2)
    before = resident_megabytes(program)
    big = {"method": "thread/read", "params": {"threadId": "x" * 64_000_000}}
    program.send({"id": 3, "method": "model/list", "params": {}}, {"id": 4, **big})
    program.answer_to(3)
    assert "error" in program.answer_to(4)
    if before is not None:
        deadline = time.monotonic() + BOUND_SECONDS
        while (resident_megabytes(program) or 0) > before + 40:
            assert time.monotonic() < deadline


def resident_megabytes(program: Program) -> int | None:
    """How much memory the program has; None where the system does not tell."""
    try:
        status = Path(f"/proc/{program.process.pid}/status").read_text()
    except OSError:
        return None
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) // 1024


def test_the_end_of_input_ends_the_program_with_status_0(program: Program) -> None:
    assert program.end() == []
    assert program.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_with_status_0(program: Program, number: int) -> None:
    program.send(INITIALIZE)
    program.answer_to(1)
    program.process.send_signal(number)
    assert program.process.wait(BOUND_SECONDS) == 0


def test_a_client_that_reads_nothing_does_not_hold_up_the_end(program: Program) -> None:
    calls = [{"id": n, "method": "model/list", "params": {}} for n in range(300)]
    program.send(INITIALIZE, *calls)
    assert program.process.stdin is not None
    program.process.stdin.close()
    program.process.stdin = None
    assert program.process.wait(BOUND_SECONDS) == 0


def test_the_handshake_loads_nothing_heavy(codex_home: Path) -> None:
    script = (
        "import sys; import app_server.cli.headless, app_server.server.server, "
        "app_server.server.handlers.initialize, app_server.server.router, app_server.embed; "
        "heavy = {'httpx', 'websockets', 'textual', 'rich', 'tomlkit', 'keyring', 'sqlite3'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
